import type postgres from 'postgres'
import type { Db } from './client.ts'

/**
 * Prepared statements that a connection keeps; PostgreSQL holds some 10 to 50 KB for each. Lists of values are passed
 * as one array, so that the server has fewer texts than this; if not, the text that was used the longest ago goes.
 */
export const MAX_PREPARED = 256

interface Client {
  unsafe: postgres.Sql['unsafe']
  begin?: postgres.Sql['begin']
  /** The next statement carries the COMMIT of its transaction. */
  commitNext?: boolean
}

/**
 * Makes every statement with parameters a prepared one, its text being the key: an unprepared one costs a second
 * round trip, in which the driver asks for the types of the parameters. Drizzle passes `prepare: false`.
 */
export function prepareStatements<C extends Client>(client: C): C {
  const { unsafe, begin } = client
  client.unsafe = ((text, parameters, options) => {
    const commit = client.commitNext === true
    client.commitNext = false
    return unsafe(text, parameters, { ...options, prepare: true, commit })
  }) as typeof unsafe
  if (begin)
    client.begin = ((...args: unknown[]) => {
      const work = args.pop() as (sql: postgres.TransactionSql) => unknown
      return (begin as (...args: unknown[]) => unknown)(...args, (sql: postgres.TransactionSql) =>
        work(prepareStatements(sql)),
      )
    }) as typeof begin
  return client
}

/**
 * Says that the next statement is the last one of the transaction: its COMMIT goes with it and costs no round trip of
 * its own. When the statement fails, the transaction is rolled back.
 */
export function commitWithNext(tx: Db): void {
  const { client } = (tx as unknown as { session: { client: Client } }).session
  client.commitNext = true
}
