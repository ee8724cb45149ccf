import { SIZES } from './tiff.ts'

const LONG = 4
const ENTRY = 12

/**
 * One little-endian TIFF: IFD0 of the first, and in it references to the first IFDs of the others.
 * @returns the first alone when one of the others can't be read
 */
export function joinTiffs(first: Buffer, others: [tag: number, tiff: Buffer | undefined][]): Buffer {
  const parts: Buffer[] = [Buffer.from(first)]
  const pointers: Buffer[] = []
  let length = first.length
  for (const [tag, tiff] of others) {
    const at = tiff && moved(tiff, length)
    if (!at) continue
    const pointer = Buffer.alloc(ENTRY)
    pointer.writeUInt16LE(tag)
    pointer.writeUInt16LE(LONG, 2)
    pointer.writeUInt32LE(1, 4)
    pointer.writeUInt32LE(at.ifd, 8)
    pointers.push(pointer)
    parts.push(at.bytes)
    length += at.bytes.length
  }
  const own = entriesOf(first)
  if (!own) return first
  parts[0]!.writeUInt32LE(length, 4)
  const count = Buffer.alloc(2)
  count.writeUInt16LE(own.length / ENTRY + pointers.length)
  return Buffer.concat([...parts, count, own, ...pointers, Buffer.alloc(4)])
}

/** The entries of the first IFD. */
function entriesOf(tiff: Buffer): Buffer | undefined {
  if (tiff.length < 8 || !tiff.subarray(0, 4).equals(Buffer.from('II*\0', 'latin1'))) return undefined
  const at = tiff.readUInt32LE(4)
  if (at + 2 > tiff.length) return undefined
  const end = at + 2 + ENTRY * tiff.readUInt16LE(at)
  return end > tiff.length ? undefined : tiff.subarray(at + 2, end)
}

/** The TIFF as it is when it stands at `base`, and where its first IFD is then. */
function moved(tiff: Buffer, base: number): { bytes: Buffer; ifd: number } | undefined {
  const bytes = Buffer.from(tiff)
  const entries = entriesOf(bytes)
  if (!entries) return undefined
  for (let entry = 0; entry < entries.length; entry += ENTRY) {
    const size = (SIZES[entries.readUInt16LE(entry + 2)] ?? 0) * entries.readUInt32LE(entry + 4)
    const offset = entries.readUInt32LE(entry + 8) + base
    if (size > 4 && offset <= 0xffffffff) entries.writeUInt32LE(offset, entry + 8)
  }
  return { bytes, ifd: tiff.readUInt32LE(4) + base }
}
