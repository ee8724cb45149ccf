import type { SQL } from 'drizzle-orm'
import type { Db } from './client.ts'

/** Fields of Drizzle that its types hide. A transaction has the dialect of its database, and a client of its own. */
interface Internals {
  dialect: { sqlToQuery(text: SQL): unknown }
  session: {
    client: unknown
    prepareQuery(query: unknown, fields: undefined, name: string, arrays: boolean): unknown
  }
}
const internalsOf = (db: Db) => db as unknown as Internals

/**
 * A statement whose text Drizzle builds once per database, because building a wide one costs more CPU than the rest of a
 * request. For the most frequent statements, inside and outside of transactions. `build` must end with `.prepare(name)`.
 */
export function prepared<Q extends object>(build: (db: Db) => Q): (db: Db) => Q {
  const built = new WeakMap<object, Q>()
  return (db) => {
    const { dialect, session } = internalsOf(db)
    let query = built.get(dialect)
    if (!query) {
      query = build(db)
      built.set(dialect, query)
    }
    // The built statement has the client of the call that built it.
    return Object.assign(Object.create(query), { client: session.client })
  }
}

/** The same for a statement that is written as SQL. Each of its values is a `sql.placeholder`. */
export const preparedSql = <Row extends object>(name: string, text: SQL) =>
  prepared((db) => {
    const { dialect, session } = internalsOf(db)
    return session.prepareQuery(dialect.sqlToQuery(text), undefined, name, false) as {
      execute(values: Record<string, unknown>): Promise<Row[]>
    }
  })
