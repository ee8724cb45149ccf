import { randomInt } from 'node:crypto'
import type postgres from 'postgres'
import { StartupError } from '../util/startup-error.ts'

/** A pooler in transaction mode passes by chance in one of 2^23 starts. */
const QUESTIONS = 24

/**
 * Refuses a pooler that gives each transaction another connection to PostgreSQL (PgBouncer with `pool_mode=transaction`).
 * The server keeps prepared statements, and the lock of the migrations, on its connections.
 * @param clients two, with connections of their own; nothing else uses them meanwhile
 * @throws StartupError with what to set
 */
export async function refuseTransactionPooling(...clients: [postgres.Sql, postgres.Sql]): Promise<void> {
  /** The process of PostgreSQL that answered each client, and the client that each process answered. */
  const processOf = new Map<number, number>()
  const clientOf = new Map<number, number>()
  for (let asked = 0; asked < QUESTIONS; asked++) {
    // In random order: whichever connections a pooler chooses, it does not know the client that is asked next.
    const client = randomInt(2)
    // Not a prepared statement, because the next connection would not have it.
    const answer = await clients[client]!`select pg_backend_pid() as pid`.simple()
    const { pid } = answer[0] as { pid: number }
    // A pooler makes up the process id that it announces to its client.
    if (answer.state.pid === pid) return
    if ((processOf.get(client) ?? pid) !== pid || (clientOf.get(pid) ?? client) !== client) {
      throw new StartupError(
        'DATABASE_URL points to a connection pooler in transaction mode. The server needs connections of its own: ' +
          'set pool_mode=session for this database in PgBouncer, or let DATABASE_URL name PostgreSQL itself.',
      )
    }
    processOf.set(client, pid)
    clientOf.set(pid, client)
  }
}
