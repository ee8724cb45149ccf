/** Reads and writes the structure of TIFF files, which EXIF blocks and most RAW files are. Values are not trusted. */
import type { Size } from '../protocol.ts'

export const TAG = {
  newSubfileType: 0x00fe,
  width: 0x0100,
  height: 0x0101,
  bitsPerSample: 0x0102,
  compression: 0x0103,
  photometric: 0x0106,
  stripOffsets: 0x0111,
  orientation: 0x0112,
  samplesPerPixel: 0x0115,
  rowsPerStrip: 0x0116,
  stripByteCounts: 0x0117,
  subIfds: 0x014a,
  extraSamples: 0x0152,
  jpegOffset: 0x0201,
  jpegLength: 0x0202,
  exif: 0x8769,
  iccProfile: 0x8773,
  gps: 0x8825,
  dngVersion: 0xc612,
} as const

/** The bytes of one value, by the type's number from 1 on. */
export const SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4]
const BYTE = 1
const SHORT = 3
const LONG = 4
const UNDEFINED = 7
const MAX_ENTRIES = 1000
const MAX_IFDS = 32
/** More values are not needed. */
const MAX_VALUES = 16

/** The whole numbers of an IFD, by tag. */
export type Ifd = Map<number, number[]>

/** The IFDs of a file: those that follow one another, and those within them. IFD0 is the first. */
export function readIfds(file: Buffer): Ifd[] {
  const isLittle = file[0] === 0x49
  const u16 = (at: number) => (isLittle ? file.readUInt16LE(at) : file.readUInt16BE(at))
  const u32 = (at: number) => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at))
  const ifds: Ifd[] = []
  const seen = new Set<number>()
  const open = file.length < 8 ? [] : [u32(4)]
  for (let at = open.shift(); at !== undefined && ifds.length < MAX_IFDS; at = open.shift()) {
    if (at < 8 || at + 2 > file.length || seen.has(at)) continue
    seen.add(at)
    const count = u16(at)
    const end = at + 2 + 12 * count
    if (count > MAX_ENTRIES || end > file.length) continue
    const ifd: Ifd = new Map()
    for (let entry = at + 2; entry < end; entry += 12) ifd.set(u16(entry), values(entry))
    ifds.push(ifd)
    open.push(...(ifd.get(TAG.subIfds) ?? []))
    if (end + 4 <= file.length) open.push(u32(end))
  }
  return ifds

  function values(entry: number): number[] {
    const type = u16(entry + 2)
    const count = u32(entry + 4)
    const size = SIZES[type] ?? 0
    const at = size * count <= 4 ? entry + 8 : u32(entry + 8)
    const read = { [BYTE]: (i: number) => file[at + i]!, [SHORT]: (i: number) => u16(at + 2 * i) }[type]
    const number = read ?? (size === 4 ? (i: number) => u32(at + 4 * i) : undefined)
    if (!number || count > MAX_VALUES || at + size * count > file.length) return []
    return Array.from({ length: count }, (_, i) => number(i))
  }
}

/** An uncompressed TIFF of pixels of one byte per channel. The fourth channel is alpha. */
export function tiffHolding(
  pixels: Uint8Array,
  { width, height, stride, channels }: Size & { stride: number; channels: 3 | 4 },
  icc: Uint8Array | undefined,
): Buffer {
  const row = width * channels
  const end = 8 + row * height
  const rowsPerStrip = Math.max(1, Math.floor(65_536 / row))
  const starts = Array.from({ length: Math.ceil(height / rowsPerStrip) }, (_, i) => i * rowsPerStrip)
  const entries: [tag: number, type: number, values: ArrayLike<number>][] = [
    [TAG.width, LONG, [width]],
    [TAG.height, LONG, [height]],
    [TAG.bitsPerSample, SHORT, Array(channels).fill(8)],
    [TAG.compression, SHORT, [1]],
    [TAG.photometric, SHORT, [2]],
    [TAG.stripOffsets, LONG, starts.map((y) => 8 + y * row)],
    [TAG.samplesPerPixel, SHORT, [channels]],
    [TAG.rowsPerStrip, LONG, [rowsPerStrip]],
    [TAG.stripByteCounts, LONG, starts.map((y) => Math.min(rowsPerStrip, height - y) * row)],
  ]
  if (channels === 4) entries.push([TAG.extraSamples, SHORT, [2]])
  if (icc) entries.push([TAG.iccProfile, UNDEFINED, icc])
  const ifd = ifdBytes(entries, end)
  const file = Buffer.allocUnsafe(end + ifd.length)
  file.write('II*\0', 'latin1')
  file.writeUInt32LE(end, 4)
  if (stride === row) file.set(pixels, 8)
  else for (let y = 0; y < height; y++) file.set(pixels.subarray(y * stride, y * stride + row), 8 + y * row)
  file.set(ifd, end)
  return file
}

/** An IFD and its values, little-endian, to stand at `at`. */
function ifdBytes(entries: [tag: number, type: number, values: ArrayLike<number>][], at: number): Buffer {
  const table = Buffer.alloc(2 + 12 * entries.length + 4)
  const parts = [table]
  let length = table.length
  table.writeUInt16LE(entries.length)
  for (const [i, [tag, type, numbers]] of entries.entries()) {
    const size = SIZES[type]!
    const bytes = Buffer.alloc(Math.max(4, size * numbers.length))
    for (let n = 0; n < numbers.length; n++) bytes.writeUIntLE(numbers[n]!, n * size, size)
    const entry = 2 + 12 * i
    table.writeUInt16LE(tag, entry)
    table.writeUInt16LE(type, entry + 2)
    table.writeUInt32LE(numbers.length, entry + 4)
    if (bytes.length === 4) bytes.copy(table, entry + 8)
    else {
      table.writeUInt32LE(at + length, entry + 8)
      parts.push(bytes)
      length += bytes.length
    }
  }
  return Buffer.concat(parts)
}
