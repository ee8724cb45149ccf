import type { Db } from './client.ts'

/**
 * A statement whose text is built once per database and which each connection parses once. Building the text of a
 * wide select anew costs more CPU than the rest of a request, and a statement that is not prepared a second round
 * trip. For the hottest reads; `build` must end with Drizzle's `.prepare(name)`.
 */
export function prepared<Q>(build: (db: Db) => Q): (db: Db) => Q {
  const built = new WeakMap<Db, Q>()
  return (db) => {
    let query = built.get(db)
    if (!query) {
      query = build(db)
      built.set(db, query)
    }
    return query
  }
}
