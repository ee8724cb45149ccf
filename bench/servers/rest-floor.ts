/** The floor of `rest`: a bare Elysia route that answers one prepared SELECT as large as the server's. */
import { Elysia } from 'elysia'
import type postgres from 'postgres'
import { readConfig } from '../../src/config/index.ts'
import { openDatabase } from '../../src/db/client.ts'
import { createLogger } from '../../src/util/logger.ts'
import { answer } from '../support/answer.ts'

const database = await openDatabase(readConfig(process.env), createLogger('silent'))
const sql = (database.db as unknown as { $client: postgres.Sql }).$client

const app = new Elysia().get('/api/tasks/:id', async ({ params }) => {
  const [row] = await sql`
    select t.*, n.uuid as node_uuid, (
      select coalesce(json_agg(json_build_object('id', l.id, 'level', l.level, 'message', l.message,
        'created_at', to_char(l.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by l.id), '[]')
      from (select * from task_logs where task_id = t.id order by id desc limit 100) l) as logs
    from tasks t left join nodes n on n.id = t.node_id where t.id = ${Number(params.id)}`
  return row
})

const handlers = answer({
  listen() {
    app.listen({ port: 0, hostname: '127.0.0.1' })
    return app.server!.port!
  },
})
export type RestFloor = typeof handlers

process.on('SIGTERM', async () => {
  await app.server?.stop(true)
  await database.close()
  process.exit(0)
})
