import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { defineSchedule } from '../../jobs/job.ts'
import { messageOf } from '../../util/without-query.ts'
import type { Context } from '../context.ts'
import { announceBackups, recordFailure } from './backups.ts'

/** A program of its own, so that a large backup takes neither memory nor time from requests. */
const PROGRAM = join(import.meta.dir, '../../backup.ts')
/** `roost-20260115T033000Z.backup`: the order of the names is that of the times. */
const NAME = /^roost-\d{8}T\d{6}Z\.backup$/
/** What a backup that was killed has left of its file. */
const DRAFT = /^\.roost-\d{8}T\d{6}Z\.backup\..+\.part$/
/** A running backup writes more often. */
const ABANDONED_MS = 24 * 60 * 60 * 1000
const nameAt = (at: Date): string => `roost-${at.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z.backup`

type Plan = NonNullable<Context['config']['backups']>

async function makeBackup(ctx: Context): Promise<unknown> {
  const plan = ctx.config.backups!
  const file = join(plan.directory, nameAt(new Date()))
  try {
    await mkdir(plan.directory, { recursive: true, mode: 0o700 })
    await deleteAbandoned(plan)
    await runProgram(plan, file)
    return { file, deleted: await deleteOld(plan) }
  } catch (error) {
    await recordFailure(ctx, basename(file), messageOf(error))
    throw error
  } finally {
    await announceBackups(ctx)
  }
}

/** @throws Error with what the program says */
async function runProgram({ environment }: Plan, file: string): Promise<void> {
  const child = Bun.spawn([process.execPath, '--no-env-file', PROGRAM, file], {
    env: environment,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const said = await child.stderr.text()
  if ((await child.exited) !== 0) throw new Error(said.trim() || 'the program that makes backups was ended')
}

/** Before a backup, because they may be what fills the disk. */
async function deleteAbandoned({ directory }: Plan): Promise<void> {
  for (const name of (await readdir(directory)).filter((name) => DRAFT.test(name))) {
    const path = join(directory, name)
    const found = await stat(path).catch(() => undefined)
    if (found && Date.now() - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true })
  }
}

async function deleteOld({ directory, keep }: Plan): Promise<string[]> {
  const made = (await readdir(directory)).filter((name) => NAME.test(name)).sort()
  const old = made.slice(0, -keep)
  for (const name of old) await rm(join(directory, name))
  return old
}

const backupSchedule = defineSchedule({
  id: 'backup',
  name: 'make_backup',
  pattern: ({ config }: Context) => config.backups?.schedule,
  run: makeBackup,
})

const announceSchedule = defineSchedule({
  id: 'announce_backups',
  name: 'announce_backups',
  pattern: '*/30 * * * * *',
  run: async (ctx: Context) => {
    const announced = await announceBackups(ctx)
    return announced > 0 ? { announced } : undefined
  },
})

export const backupJobs = { schedules: [backupSchedule, announceSchedule] }
