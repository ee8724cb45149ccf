import { sql } from 'drizzle-orm'
import type { Answer } from './api.ts'
import { query, type TestServer } from './server.ts'

/** The actions that the audit log has of a request, in their order. */
export async function auditedOf(server: TestServer, { headers }: Answer): Promise<unknown[]> {
  const entries = await query(
    server,
    sql`select action from audit_log where request_id = ${headers.get('x-request-id')} order by id`,
  )
  return entries.map(({ action }) => action)
}
