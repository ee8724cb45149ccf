/** A server for a test to kill: it enqueues one job, begins it, and never ends. */
import { readConfig } from '../../src/config/index.ts'
import { openDatabase } from '../../src/db/client.ts'
import { enqueue, openQueue, QUICK, silent, work } from './support.ts'

const database = await openDatabase(readConfig(process.env), silent)
const queue = await openQueue(database, { q: QUICK })
await work(queue, 'q', { concurrency: 1 }, async ({ attempt }) => {
  console.log(`begun, attempt ${attempt}`)
  await Bun.sleep(600_000)
})
await enqueue(database, queue, 'q', 9)
