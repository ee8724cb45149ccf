import { currentSchema, migrations } from '../db/migrations.ts'
import { StartupError } from '../util/startup-error.ts'
import { type End, FORMAT, type Head, type Place, placeOf } from './format.ts'
import { assertSealed, DamagedArchive, unsealed } from './seal.ts'
import { type Entry, readTar, TarError } from './tar.ts'

/** Rows, and lists of what an archive holds, are read into memory; a part of a table has a megabyte and one row. */
const MAX_TEXT_BYTES = 256 * 1024 * 1024

export interface Placed extends Entry {
  place: Place
}

/**
 * The entries of a file whose seal is right.
 * @param name of the file in errors
 * @throws StartupError when a program wrote it wrongly
 */
export async function* readArchive(
  path: string,
  signal: AbortSignal,
  name: string = path,
): AsyncGenerator<Placed> {
  try {
    for await (const entry of readTar(unsealed(path))) {
      signal.throwIfAborted()
      const place = placeOf(entry.name)
      if (!place) throw new DamagedArchive(`it has an entry ${JSON.stringify(entry.name)}`)
      yield { ...entry, place }
    }
  } catch (error) {
    throw inWords(name, error)
  }
}

const inWords = (path: string, error: unknown): unknown =>
  error instanceof DamagedArchive || error instanceof TarError ? damaged(path, error.message) : error

export async function textOf(entry: Entry): Promise<string> {
  if (entry.size > MAX_TEXT_BYTES) throw new DamagedArchive(`its entry ${entry.name} is too large`)
  return (await bytesOf(entry)).toString('utf8')
}

export async function bytesOf({ body }: Entry): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  // A chunk is valid until the next one.
  for await (const chunk of body) chunks.push(chunk.slice())
  return Buffer.concat(chunks)
}

/** Lines of JSON as one JSON list. Only the ends of lines are line breaks, because JSON escapes those in texts. */
export const listOf = (lines: string): string => `[${lines.trimEnd().replaceAll('\n', ',')}]`
const countLines = (lines: string): number => lines.split('\n').length - 1

/**
 * Reads a whole archive and compares it with its own lists.
 * @param name of the file in errors
 * @throws StartupError when it is damaged, incomplete, or of a newer version
 */
export async function checkArchive(
  path: string,
  signal: AbortSignal,
  name: string = path,
): Promise<{ head: Head; end: End }> {
  await assertSealed(path, signal).catch((error) => {
    throw inWords(name, error)
  })
  let head: Head | undefined
  let end: End | undefined
  const seen: Omit<End, 'missing'> = { tables: {}, jobs: 0, objects: 0, objectBytes: 0 }
  for await (const entry of readArchive(path, signal, name)) {
    const { place } = entry
    if ((place.kind === 'head') !== (head === undefined) || end)
      throw damaged(name, 'its entries are out of order')
    switch (place.kind) {
      case 'head':
        head = JSON.parse(await textOf(entry)) as Head
        assertKnown(name, head)
        for (const { name } of head.tables) seen.tables[name] = 0
        break
      case 'end':
        end = JSON.parse(await textOf(entry)) as End
        break
      case 'rows':
        seen.tables[place.table] = (seen.tables[place.table] ?? 0) + countLines(await textOf(entry))
        break
      case 'jobs':
        seen.jobs += countLines(await textOf(entry))
        break
      case 'object':
        seen.objects++
        seen.objectBytes += entry.size
    }
  }
  if (!head || !end) throw damaged(name, 'it has no end')
  const { missing, ...held } = end
  if (!Bun.deepEquals(held, seen)) throw damaged(name, 'it does not hold what its end lists')
  return { head, end: { ...seen, missing } }
}

const damaged = (name: string, why: string) =>
  new StartupError(`${name} is damaged: ${why}. Nothing was changed.`)

/** @throws StartupError */
function assertKnown(path: string, { format, schema }: Head): void {
  const { number, name } = currentSchema()
  if (format > FORMAT || schema.number > number)
    throw new StartupError(
      `${path} was made by a newer version of Roost (tables ${schema.name}; this version knows ${name}). Restore it with that version or a later one.`,
    )
  // The migrations of another branch of the code have the same numbers.
  if (migrations()[schema.number - 1]?.name !== schema.name)
    throw new StartupError(
      `${path} was made with tables ${schema.name}, which this version of Roost never had.`,
    )
}
