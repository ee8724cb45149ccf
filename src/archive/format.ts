/** What an archive consists of: docs/operations.md, "Backup". */
import type { SequenceValue } from '../db/dump.ts'
import type { Schema } from '../db/migrations.ts'
import type { TableColumns } from '../db/tables.ts'

/** Grows when an older version could not restore an archive of this one. */
export const FORMAT = 1

/** Most objects are small, and a bucket takes some 20 ms for each request: so some small ones are in memory at once. */
export const SMALL_OBJECT_BYTES = 1024 * 1024
export const OBJECTS_AT_ONCE = 8

/** The first entry. */
export interface Head {
  format: number
  schema: Schema
  /** RFC 3339. */
  createdAt: string
  /** Of the database that it was made of. */
  epoch: string
  tables: TableColumns[]
  sequences: SequenceValue[]
}

/** The last entry: what all others hold together. */
export interface End {
  /** Rows, by table. */
  tables: Record<string, number>
  jobs: number
  objects: number
  /** Bytes of all objects. */
  objectBytes: number
  /** Keys of objects that rows refer to and that the storage did not have. */
  missing: string[]
}

export const HEAD = 'backup.json'
export const END = 'end.json'
/** Rows are in files of some size, so that neither side holds a whole table in memory. */
export const rowsName = (table: string, part: number): string =>
  `tables/${table}/${String(part).padStart(6, '0')}.ndjson`
export const jobsName = (part: number): string => `jobs/${String(part).padStart(6, '0')}.ndjson`
export const objectName = (key: string): string => `objects/${key}`

export type Place =
  | { kind: 'head' | 'jobs' | 'end' }
  | { kind: 'rows'; table: string }
  | { kind: 'object'; key: string }

/** What an entry holds; undefined when the format has no such entry. */
export function placeOf(name: string): Place | undefined {
  if (name === HEAD) return { kind: 'head' }
  if (name === END) return { kind: 'end' }
  if (/^jobs\/\d+\.ndjson$/.test(name)) return { kind: 'jobs' }
  const [, table] = /^tables\/(\w+)\/\d+\.ndjson$/.exec(name) ?? []
  if (table !== undefined) return { kind: 'rows', table }
  return name.startsWith('objects/') ? { kind: 'object', key: name.slice('objects/'.length) } : undefined
}
