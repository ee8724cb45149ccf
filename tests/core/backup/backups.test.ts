/** What servers do while a backup runs, and after it: docs/operations.md, "Backup". */
import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { desc, eq, sql } from 'drizzle-orm'
import { askForBackup } from '../../../src/archive/control-client.ts'
import {
  announceBackups,
  beginBackup,
  endBackup,
  LEASE_LOST,
  renewBackup,
} from '../../../src/core/backup/backups.ts'
import { cleanUp } from '../../../src/core/materials/cleanup.ts'
import { putAway } from '../../../src/core/materials/objects.ts'
import { deleteObjects } from '../../../src/core/photo-files/exposure.ts'
import { WaitsForBackup } from '../../../src/core/system/backup-lease.ts'
import { backups, materials } from '../../../src/db/schema/index.ts'
import { chunkOf } from '../../../src/util/chunk-of.ts'
import { keysOf } from '../../storage/kinds.ts'
import { ORPHANS_OF_ANY_AGE } from '../../support/cleanup.ts'
import { makeUser } from '../../support/factories.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'
import { openLive } from '../../support/sockets.ts'

const folder = temporaryDirectory('scheduled-backups')
const server = await startServer({ BACKUP_SCHEDULE: '0 0 1 1 *', BACKUP_DIR: folder, BACKUP_KEEP: '2' })
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})
const { ctx } = server
const { db, storage } = ctx

const store = (key: string) => storage.write(key, chunkOf(new Uint8Array([1])))
const statusOf = async (id: number) => (await db.select().from(backups).where(eq(backups.id, id)))[0]!
const expire = (id: number) =>
  db.execute(sql`update backups set leased_until = now() - interval '1 second' where id = ${id}`)

test('while a backup runs, objects that its rows may refer to stay, and nobody else finds them', async () => {
  const { user } = await makeUser(server)
  const id = await beginBackup(db, 'a')
  const [hidden, removed] = await db
    .insert(materials)
    .values(
      ['hidden', 'removed'].map((name) => ({
        userId: user.id,
        title: name,
        type: 'pdf' as const,
        status: 'hidden' as const,
        filePath: `materials/${user.id}/${name}.pdf`,
        fileFormat: 'pdf' as const,
        hiddenAt: sql`now() - interval '31 days'`,
        removedAt: name === 'removed' ? sql`now()` : null,
      })),
    )
    .returning()
  const all = [
    hidden!.filePath,
    removed!.filePath,
    'photos/999/a.jpg',
    'hidden/photos/999/a.jpg',
    'originals/999/a.jpg',
  ]
  for (const key of all) await store(key)
  const file = { id: 999, objectKey: 'originals/999/a.jpg' }

  await expect(deleteObjects(ctx, file)).rejects.toThrow(WaitsForBackup)
  await expect(putAway(ctx, removed!.id)).rejects.toThrow(WaitsForBackup)
  expect((await cleanUp(ctx, ORPHANS_OF_ANY_AGE)).errors).toEqual([])
  const kept = [
    `hidden/${removed!.filePath}`,
    hidden!.filePath,
    'hidden/photos/999/a.jpg',
    'originals/999/a.jpg',
  ]
  expect((await keysOf(storage)).sort()).toEqual(kept.sort())

  await endBackup(db, id, { size: 1, error: null })
  await deleteObjects(ctx, file)
  await putAway(ctx, removed!.id)
  expect((await cleanUp(ctx, ORPHANS_OF_ANY_AGE)).errors).toEqual([])
  expect(await keysOf(storage)).toEqual([])
})

test('a backup that is killed loses its lease: it holds nothing any more, and has failed', async () => {
  const id = await beginBackup(db, 'killed')
  expect(await renewBackup(db, id)).toBe(true)
  await expire(id)
  await deleteObjects(ctx, { id: 998, objectKey: 'originals/998/a.jpg' })
  expect(await renewBackup(db, id)).toBe(false)
  await announceBackups(ctx)
  expect(await statusOf(id)).toMatchObject({
    status: 'failed',
    size: null,
    error: 'The backup was interrupted.',
  })
  // It cannot end well afterwards.
  await endBackup(db, id, { size: 5, error: null })
  expect((await statusOf(id)).status).toBe('failed')
})

test.if(server.embedded.database)(
  'the server says when the lease of a backup has ended meanwhile',
  async () => {
    const control = await askForBackup(ctx.config.dataDir, 'late\u2028')
    await control!.assertHeld()
    await db.execute(
      sql`update backups set leased_until = now() - interval '1 second' where status = 'running'`,
    )
    await expect(control!.assertHeld()).rejects.toThrow(LEASE_LOST)
    const [last] = await db.select().from(backups).orderBy(desc(backups.id)).limit(1)
    expect(last).toMatchObject({ fileName: 'late\u2028', status: 'failed', error: LEASE_LOST })
    expect(existsSync(control!.copy)).toBe(false)
  },
)

test('each administrator is told once how a backup ended, and nobody else', async () => {
  const [admin, editor] = [
    await makeUser(server, { role: 'admin' }),
    await makeUser(server, { role: 'editor' }),
  ]
  const [live, other] = [await openLive(server, admin.token), await openLive(server, editor.token)]
  const id = await beginBackup(db, 'b.backup')
  await announceBackups(ctx)
  await endBackup(db, id, { size: 2 ** 40, error: null })
  await Promise.all([announceBackups(ctx), announceBackups(ctx)])
  const { data } = await live.next('system.backup')
  const { startedAt, endedAt } = await statusOf(id)
  expect(data).toEqual({
    backup_id: id,
    status: 'completed',
    file_name: 'b.backup',
    size: 2 ** 40,
    started_at: startedAt.toISOString(),
    ended_at: endedAt!.toISOString(),
    error: null,
  })
  expect(live.events.filter(({ type }) => type === 'system.backup')).toHaveLength(1)
  expect(other.events).toEqual([])
})

describe('the schedule', () => {
  const run = () => ctx.scheduler.runNow('backup')!
  const OLD = ['roost-20260101T033000Z.backup', 'roost-20260102T033000Z.backup']
  const OTHERS = ['my.backup', '.roost-20260103T033000Z.backup.2.part']
  const plan = ctx.config.backups!

  test('deletes nothing but abandoned drafts when its backup fails, and tells why', async () => {
    const abandoned = '.roost-20260102T033000Z.backup.1.part'
    for (const name of [...OLD, ...OTHERS, abandoned]) writeFileSync(join(folder, name), '')
    utimesSync(join(folder, abandoned), 0, 0)
    const { environment } = plan
    plan.environment = { DATA_DIR: join(folder, 'none') }
    await expect(run()).rejects.toThrow('There is no data directory')
    plan.environment = environment
    expect(readdirSync(folder).sort()).toEqual([...OLD, ...OTHERS].sort())
    const [last] = await db.select().from(backups).orderBy(desc(backups.id)).limit(1)
    expect(last).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('There is no data directory'),
    })
    expect(last!.announcedAt).not.toBeNull()
  })

  test('keeps the newest backups, and leaves other files', async () => {
    const { file, deleted } = (await run()) as { file: string; deleted: string[] }
    expect(deleted).toEqual([OLD[0]!])
    expect(readdirSync(folder).sort()).toEqual([basename(file), OLD[1]!, ...OTHERS].sort())
    const [last] = await db.select().from(backups).orderBy(desc(backups.id)).limit(1)
    expect(last).toMatchObject({ status: 'completed', fileName: basename(file), error: null })
    expect(last!.size).toBe(Bun.file(file).size)
  }, 60_000)
})
