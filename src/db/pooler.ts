import type postgres from 'postgres'
import { StartupError } from '../util/startup-error.ts'

/** Which of two clients asks. No rotation of a pooler through its connections keeps their answers apart. */
const ASKING = [0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1] as const

/**
 * Refuses a pooler that gives each transaction another connection to PostgreSQL (PgBouncer with `pool_mode=transaction`).
 * The server keeps prepared statements, and the lock of the migrations, on its connections.
 * @param clients two, with connections of their own; nothing else uses them meanwhile
 * @throws StartupError with what to set
 */
export async function refuseTransactionPooling(...clients: [postgres.Sql, postgres.Sql]): Promise<void> {
  const seen = [new Set<number>(), new Set<number>()] as const
  for (const n of ASKING) {
    const answer = await clients[n]`select pg_backend_pid() as pid`
    const { pid } = answer[0] as { pid: number }
    // A pooler makes up the process id that it announces to its client.
    if (answer.state.pid === pid) return
    seen[n].add(pid)
  }
  if (seen[0].isDisjointFrom(seen[1])) return
  throw new StartupError(
    'DATABASE_URL points to a connection pooler in transaction mode. The server needs connections of its own: ' +
      'set pool_mode=session for this database in PgBouncer, or let DATABASE_URL name PostgreSQL itself.',
  )
}
