/** Reads the boxes of ISO base media files: HEIC, AVIF and CR3. */

export interface Box {
  type: string
  /** Where its content is. */
  start: number
  end: number
}

const MAX_BOXES = 1000
/** Bytes of the extended type of a `uuid` box. */
const UUID = 16

/** The boxes between two places. A box that is longer than its place ends there. */
export function boxes(file: Buffer, start = 0, end = file.length): Box[] {
  const found: Box[] = []
  for (let at = start; at + 8 <= end && found.length < MAX_BOXES; ) {
    const type = file.toString('latin1', at + 4, at + 8)
    const short = file.readUInt32BE(at)
    const isLong = short === 1 && at + 16 <= end
    const length = isLong ? Number(file.readBigUInt64BE(at + 8)) : short === 0 ? end - at : short
    const head = (isLong ? 16 : 8) + (type === 'uuid' ? UUID : 0)
    if (length < head) break
    found.push({ type, start: at + head, end: Math.min(at + length, end) })
    at += length
  }
  return found
}

/** The brands of a file; none when it is of another kind. */
export function brandsOf(file: Buffer): string[] {
  if (file.toString('latin1', 4, 8) !== 'ftyp') return []
  const end = Math.min(file.readUInt32BE(0), file.length, 256)
  const brands = [file.toString('latin1', 8, 12)]
  for (let at = 16; at + 4 <= end; at += 4) brands.push(file.toString('latin1', at, at + 4))
  return brands
}
