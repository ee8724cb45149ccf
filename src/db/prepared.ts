import type { SQL } from 'drizzle-orm'
import type { Db } from './client.ts'

/** What Drizzle keeps behind a database or a transaction. A transaction has the dialect of its database. */
interface Internals {
  dialect: { sqlToQuery(text: SQL): unknown }
  session: {
    client: unknown
    prepareQuery(query: unknown, fields: undefined, name: string, arrays: boolean): unknown
  }
}
const internalsOf = (db: Db) => db as unknown as Internals

/**
 * A statement whose text is built once per database; to build a wide one anew costs more CPU than the rest of a request.
 * For the hottest statements, in and outside of transactions. `build` must end with Drizzle's `.prepare(name)`.
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
    // The statement of another transaction, on the connection of this one.
    return Object.assign(Object.create(query), { client: session.client })
  }
}

/** The same for a statement without a builder; its values are `sql.placeholder`s. */
export const preparedSql = <Row extends object>(name: string, text: SQL) =>
  prepared((db) => {
    const { dialect, session } = internalsOf(db)
    return session.prepareQuery(dialect.sqlToQuery(text), undefined, name, false) as {
      execute(values: Record<string, unknown>): Promise<Row[]>
    }
  })
