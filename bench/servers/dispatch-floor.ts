/** The floor of `dispatch`: a bare route that stores a task with one INSERT and hands it to the only node. */
import { Elysia } from 'elysia'
import type postgres from 'postgres'
import { readConfig } from '../../src/config/index.ts'
import { openDatabase } from '../../src/db/client.ts'
import { createLogger } from '../../src/util/logger.ts'
import { answer } from '../support/answer.ts'

const database = await openDatabase(readConfig(process.env), createLogger('silent'))
const sql = (database.db as unknown as { $client: postgres.Sql }).$client

let node: { send(text: string): unknown } | undefined
const app = new Elysia()
  .ws('/ws/node', {
    open(ws) {
      node = ws.raw
      node.send('{"type":"welcome"}')
    },
    message() {},
  })
  .post('/api/tasks', async ({ body }) => {
    const { title, task_type } = body as { title: string; task_type: string }
    const [row] = await sql`
      insert into tasks (uuid, user_id, kind, title, task_type) values (${Bun.randomUUIDv7()}, 1, 'gpu', ${title}, ${task_type})
      returning *`
    node!.send(
      JSON.stringify({ type: 'assign', task_id: row!.uuid, attempt: 1, task_type, config: row!.config }),
    )
    return row
  })

const handlers = answer({
  listen() {
    app.listen({ port: 0, hostname: '127.0.0.1' })
    return app.server!.port!
  },
})
export type DispatchFloor = typeof handlers

process.on('SIGTERM', async () => {
  await app.server?.stop(true)
  await database.close()
  process.exit(0)
})
