/** A writer of TIFF files, which EXIF blocks and most RAW files are. */

const SIZES = { byte: 1, ascii: 1, short: 2, long: 4, rational: 8, undefined: 1, srational: 8 }
const CODES = { byte: 1, ascii: 2, short: 3, long: 4, rational: 5, undefined: 7, srational: 10 }

/** `ifd`: LONG offsets of other IFDs. `blob`: LONG offsets of bytes. */
export type Entry =
  | { tag: number; type: 'ascii'; value: string }
  | { tag: number; type: 'byte' | 'short' | 'long'; value: number[] }
  | { tag: number; type: 'undefined'; value: Uint8Array }
  | { tag: number; type: 'rational' | 'srational'; value: [number, number][] }
  | { tag: number; type: 'ifd'; value: Entry[][] }
  | { tag: number; type: 'blob'; value: Uint8Array[] }

type Named<T> = [tag: number, value: T | undefined][]

/** Entries for the values that are there. */
export function ifdOf(values: {
  ascii?: Named<string>
  short?: Named<number>
  rational?: Named<[number, number][]>
}): Entry[] {
  const entries: Entry[] = []
  for (const [tag, value] of values.ascii ?? [])
    if (value !== undefined) entries.push({ tag, type: 'ascii', value })
  for (const [tag, value] of values.short ?? [])
    if (value !== undefined) entries.push({ tag, type: 'short', value: [value] })
  for (const [tag, value] of values.rational ?? [])
    if (value !== undefined) entries.push({ tag, type: 'rational', value })
  return entries
}

/** A little-endian TIFF of IFDs that follow one another. `header` replaces the first bytes, up to the first IFD. */
export function tiffOf(
  chain: Entry[][],
  header: Uint8Array = Buffer.from('II*\0\b\0\0\0', 'latin1'),
): Buffer {
  const writer = new Writer(header)
  const start = writer.length
  writer.patch(4, start)
  writer.chain(chain)
  return writer.bytes()
}

class Writer {
  private readonly parts: Buffer[] = []
  private readonly patches: [at: number, value: number][] = []
  length = 0

  constructor(header: Uint8Array) {
    this.add(header)
  }

  patch(at: number, value: number): void {
    this.patches.push([at, value])
  }

  chain(ifds: Entry[][]): void {
    for (const [index, ifd] of ifds.entries()) {
      const next = this.ifd(ifd)
      if (index + 1 < ifds.length) this.patch(next, this.length)
    }
  }

  /** @returns where the offset of the next IFD belongs */
  private ifd(entries: Entry[]): number {
    const sorted = [...entries].sort((a, b) => a.tag - b.tag)
    const table = Buffer.alloc(2 + 12 * sorted.length + 4)
    table.writeUInt16LE(sorted.length)
    const at = this.add(table)
    for (const [index, entry] of sorted.entries()) this.entry(entry, table, 2 + 12 * index, at)
    return at + table.length - 4
  }

  private entry(entry: Entry, table: Buffer, offset: number, at: number): void {
    table.writeUInt16LE(entry.tag, offset)
    if (entry.type === 'ifd' || entry.type === 'blob') {
      const values = Buffer.alloc(4 * entry.value.length)
      table.writeUInt16LE(CODES.long, offset + 2)
      table.writeUInt32LE(entry.value.length, offset + 4)
      const where = this.value(values, table, offset, at)
      for (const [index, value] of entry.value.entries()) {
        this.patch(where + 4 * index, this.length)
        if (entry.type === 'blob') this.add(value as Uint8Array)
        else this.ifd(value as Entry[])
      }
      return
    }
    const bytes = bytesOf(entry)
    table.writeUInt16LE(CODES[entry.type], offset + 2)
    table.writeUInt32LE(bytes.length / SIZES[entry.type], offset + 4)
    this.value(bytes, table, offset, at)
  }

  /** @returns where the value is */
  private value(bytes: Buffer, table: Buffer, offset: number, at: number): number {
    if (bytes.length <= 4) {
      bytes.copy(table, offset + 8)
      return at + offset + 8
    }
    table.writeUInt32LE(this.length, offset + 8)
    return this.add(bytes)
  }

  /** @returns where the bytes are */
  private add(bytes: Uint8Array): number {
    const at = this.length
    const part = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes)
    const padding = Buffer.alloc(part.length % 2)
    this.parts.push(part, padding)
    this.length += part.length + padding.length
    return at
  }

  bytes(): Buffer {
    const all = Buffer.concat(this.parts)
    for (const [at, value] of this.patches) all.writeUInt32LE(value, at)
    return all
  }
}

function bytesOf(entry: Exclude<Entry, { type: 'ifd' | 'blob' }>): Buffer {
  if (entry.type === 'ascii') return Buffer.from(`${entry.value}\0`)
  if (entry.type === 'undefined') return Buffer.from(entry.value)
  const size = SIZES[entry.type]
  const values = entry.value.flat()
  const bytes = Buffer.alloc(size * entry.value.length)
  const width = size === 8 ? 4 : size
  for (const [index, value] of values.entries()) {
    if (value < 0) bytes.writeInt32LE(value, index * width)
    else bytes.writeUIntLE(value, index * width, width)
  }
  return bytes
}
