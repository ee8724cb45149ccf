import type postgres from 'postgres'
import type { Db } from './client.ts'

/**
 * How many prepared statements a connection keeps. PostgreSQL needs some 10 to 50 KB for each. The server has fewer texts than
 * this, but a list of values (`in (…)`) makes one text for each length: then the driver closes the least recently used one.
 */
export const MAX_PREPARED = 256

interface Client {
  unsafe: postgres.Sql['unsafe']
  begin?: postgres.Sql['begin']
  /** The next statement carries the COMMIT of its transaction. */
  commitNext?: boolean
}

/**
 * Prepares every statement with parameters; its text is the key. Before an unprepared one the driver asks for the types of the
 * parameters, which is a second round trip. Drizzle passes `prepare: false` unless a statement has a name.
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
 * Declares the next statement of the transaction as its last one: the driver sends the COMMIT with it, which saves a round
 * trip. When the statement fails, PostgreSQL skips the COMMIT and the driver rolls back.
 */
export function commitWithNext(tx: Db): void {
  const { client } = (tx as unknown as { session: { client: Client } }).session
  client.commitNext = true
}
