/** Writes an archive: docs/operations.md, "Backup". */
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type KeptObject, keptObjects } from '../core/backup/objects.ts'
import type { Snapshot } from '../db/dump.ts'
import { currentSchema } from '../db/migrations.ts'
import { JOBS_TABLE, WAITING_JOBS } from '../jobs/waiting.ts'
import type { Storage } from '../storage/storage.ts'
import { inOrder } from '../util/in-order.ts'
import { textLines } from '../util/text-lines.ts'
import {
  END,
  type End,
  FORMAT,
  HEAD,
  type Head,
  jobsName,
  OBJECTS_AT_ONCE,
  objectName,
  rowsName,
  SMALL_OBJECT_BYTES,
} from './format.ts'
import { toFile } from './output.ts'
import { compressor, sealed } from './seal.ts'
import type { Source } from './source.ts'
import { type Entry, writeTar } from './tar.ts'

/** Bytes of the rows in one entry, if no row is larger. */
const PART_BYTES = 1024 * 1024
/** How often the rest of an object is asked for when its bytes break off. */
const OBJECT_TRIES = 4

/**
 * The bytes of an archive.
 * @param spool the path of a temporary file, which is made and removed
 * @param signal ends it, with its reason
 * @param onEnd gets what the archive holds, before its last bytes
 */
export function archiveOf(
  source: Source,
  spool: string,
  signal: AbortSignal,
  onEnd: (end: End) => void,
): AsyncGenerator<Uint8Array> {
  const compressed = compressor()
  const tar = Readable.from(writeTar(entriesOf(source, spool, signal, onEnd)), {
    objectMode: false,
    signal,
  })
  tar.on('error', (error) => compressed.destroy(error))
  // The reader of the stream gets it, but it may not have begun yet.
  compressed.on('error', () => {})
  tar.pipe(compressed)
  return sealed(compressed)
}

async function* entriesOf(
  { database, storage }: Source,
  spool: string,
  signal: AbortSignal,
  onEnd: (end: End) => void,
): AsyncGenerator<Entry> {
  const end: End = { tables: {}, jobs: 0, objects: 0, objectBytes: 0, missing: [] }
  try {
    const snapshot = await database.snapshot()
    try {
      yield jsonEntry(HEAD, await headOf(snapshot))
      for (const table of snapshot.tables) {
        const count = (rows: number) => {
          end.tables[table.name] = (end.tables[table.name] ?? 0) + rows
        }
        count(0)
        yield* linesIn(snapshot.rows(table), (part) => rowsName(table.name, part), count)
      }
      // A restored database has no queues until a server starts.
      if (await snapshot.has(JOBS_TABLE))
        yield* linesIn(snapshot.lines(WAITING_JOBS), jobsName, (jobs) => {
          end.jobs += jobs
        })
      await toFile(spool, bytesOfLines(snapshot.lines(keptObjects)), spool)
    } finally {
      // Before the objects, because PostgreSQL removes no dead rows while a snapshot is open.
      await snapshot.close()
    }
    const opened = inOrder(textLines(createReadStream(spool)), OBJECTS_AT_ONCE, (line) =>
      openObject(storage, JSON.parse(line) as KeptObject, signal),
    )
    for await (const { key, found } of opened) {
      if (!found) {
        end.missing.push(key)
        continue
      }
      end.objects++
      end.objectBytes += found.size
      yield { name: objectName(key), ...found }
    }
  } finally {
    await rm(spool, { force: true })
  }
  onEnd(end)
  yield jsonEntry(END, end)
}

async function headOf({ tables, sequences, epoch }: Snapshot): Promise<Head> {
  const createdAt = new Date().toISOString()
  return { format: FORMAT, schema: currentSchema(), createdAt, epoch, tables, sequences }
}

function jsonEntry(name: string, value: Head | End): Entry {
  const bytes = new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`)
  return { name, size: bytes.length, body: [bytes] }
}

/** Entries of some size with all lines. */
async function* linesIn(
  batches: AsyncIterable<string[]>,
  nameOf: (part: number) => string,
  count: (lines: number) => void,
): AsyncGenerator<Entry> {
  let part = 0
  let chunks: Uint8Array[] = []
  let size = 0
  const entry = (): Entry => {
    const body = chunks
    const made = { name: nameOf(part++), size, body }
    chunks = []
    size = 0
    return made
  }
  for await (const lines of batches) {
    count(lines.length)
    for (const line of lines) {
      const bytes = new TextEncoder().encode(`${line}\n`)
      chunks.push(bytes)
      size += bytes.length
      if (size >= PART_BYTES) yield entry()
    }
  }
  if (size > 0) yield entry()
}

async function* bytesOfLines(batches: AsyncIterable<string[]>): AsyncGenerator<Uint8Array> {
  for await (const lines of batches) yield new TextEncoder().encode(`${lines.join('\n')}\n`)
}

/** A small object is in memory afterwards. */
async function openObject(
  storage: Storage,
  kept: KeptObject,
  signal: AbortSignal,
): Promise<{ key: string; found?: Pick<Entry, 'size' | 'body'> }> {
  const { key } = kept
  const found = await find(storage, kept)
  if (!found) return { key }
  const { size } = found
  const body = bytesOf(storage, kept, size, signal)
  if (size > SMALL_OBJECT_BYTES) return { key, found: { size, body } }
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk.slice())
  return { key, found: { size, body: chunks } }
}

/** The server may move the object at the same moment, so the first place is asked again after the second. */
async function find(storage: Storage, { key, or }: KeptObject): Promise<{ size: number } | undefined> {
  const at = or === undefined ? [key] : [key, or, key]
  for (const place of at) {
    const found = await storage.head(place)
    if (found) return found
  }
  return undefined
}

/** All bytes of an object. An object never changes, so after a failure the rest is read anew, from where the object is then. */
async function* bytesOf(
  storage: Storage,
  { key, or = key }: KeptObject,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let read = 0
  for (let tries = 1; read < size; tries++) {
    try {
      const range = { start: read, end: size - 1 }
      const found = (await storage.read(key, { range })) ?? (await storage.read(or, { range }))
      if (!found) throw new Error(`the object ${key} has gone while it was read`)
      for await (const chunk of found.body) {
        signal.throwIfAborted()
        read += chunk.byteLength
        yield chunk
      }
    } catch (error) {
      if (tries >= OBJECT_TRIES || signal.aborted) throw error
      await Bun.sleep(500 * 2 ** tries)
    }
  }
}
