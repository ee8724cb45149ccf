import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { readConfig } from '../../src/config/index.ts'
import { openDatabase } from '../../src/db/client.ts'
import { eventually, Program, ROOT } from '../support/process.ts'
import { freshParts } from '../support/server.ts'
import { openQueue, QUICK, signalled, silent, work } from './support.ts'

test('the job of a server that was killed runs again soon', async () => {
  const { env, remove } = await freshParts()
  await using stack = new AsyncDisposableStack()
  stack.defer(remove)
  const log = join(env.DATA_DIR!, 'worker.log')
  const program = stack.use(new Program(['bun', join(ROOT, 'tests/jobs/crash-worker.ts')], env, log))
  const start = async () => {
    const database = await openDatabase(readConfig(env), silent)
    stack.defer(() => database.close())
    const queue = await openQueue(database, { q: QUICK })
    stack.defer(() => queue.close())
    const ran = signalled<[number, number]>()
    await work(queue, 'q', { concurrency: 1 }, async ({ payload, attempt }) =>
      ran.resolve([payload.n, attempt]),
    )
    // In an object, so that `await start()` does not also wait for the job.
    return { ran: ran.promise }
  }

  program.launch()
  await eventually(() => program.output.includes('begun, attempt 1'), 'the job has begun', 30_000)
  // On PostgreSQL the other server runs already; the embedded database opens only after the first server has ended.
  const elsewhere = env.DATABASE_URL ? await start() : undefined
  const killed = performance.now()
  await program.kill()
  const { ran } = elsewhere ?? (await start())
  expect(await ran).toEqual([9, 2])
  const seconds = (performance.now() - killed) / 1000
  console.log(`a killed server's job began again after ${seconds.toFixed(1)} s`)
  expect(seconds).toBeLessThan(env.DATABASE_URL ? 20 : 10)
}, 60_000)
