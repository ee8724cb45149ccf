import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { Glob } from 'bun'
import type { Hint } from '../../src/bus/bus.ts'
import { jobs, schedules } from '../../src/core/jobs.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { createLogger } from '../../src/util/logger.ts'

const CORE = join(import.meta.dir, '../../src/core')
const repeated = (names: string[]) => names.filter((name, i) => names.indexOf(name) !== i)

test('no two jobs, schedules or hints have one name', async () => {
  const files = [...new Glob('*/hints.ts').scanSync(CORE)]
  const modules = await Promise.all(files.map((file) => import(join(CORE, file))))
  const hints = modules.flatMap((module) => Object.values(module as Record<string, Hint<unknown>>))
  expect(hints.length).toBeGreaterThan(5)
  expect(repeated(hints.map(({ name }) => name))).toEqual([])
  expect(repeated(jobs.map(({ name }) => name))).toEqual([])
  expect(repeated(schedules.map(({ id }) => id))).toEqual([])
})

test('a queue refuses two jobs with one name before it opens', async () => {
  const parts = { db: undefined as never, embedded: true, log: createLogger('silent') }
  await expect(JobQueue.open(parts, [jobs[0]!, jobs[0]!])).rejects.toThrow('two jobs have one name')
})

test('every domain with jobs is in the list', async () => {
  const files = [...new Glob('*/jobs.ts').scanSync(CORE)]
  const modules = await Promise.all(files.map((file) => import(join(CORE, file))))
  const declared = modules.flatMap((module) =>
    Object.values(module as Record<string, { jobs?: unknown[]; schedules?: unknown[] }>).flatMap((domain) => [
      ...(domain.jobs ?? []),
      ...(domain.schedules ?? []),
    ]),
  )
  expect(new Set(declared)).toEqual(new Set([...jobs, ...schedules]))
})
