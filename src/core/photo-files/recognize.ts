/** Photo formats that file-type does not tell apart by a file's first bytes. */

/** The names of formats by which `recognizePhoto` answers. */
export type RecognizedPhoto =
  | 'png'
  | 'tiff'
  | 'heic'
  | 'heif'
  | 'avif'
  | 'dng'
  | 'cr2'
  | 'cr3'
  | 'nef'
  | 'arw'
  | 'orf'
  | 'rw2'

/** @param head the first bytes of the file */
export function recognizePhoto(head: Uint8Array): RecognizedPhoto | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  const at = (offset: number, text: string) =>
    bytes.subarray(offset, offset + text.length).toString('latin1') === text
  // file-type reads on to the first pixels, which a large colour profile moves behind these bytes.
  if (at(0, '\x89PNG\r\n\x1a\n')) return 'png'
  if (at(4, 'ftyp')) return ofBrands(bytes)
  if (at(0, 'IIRO') || at(0, 'IIRS') || at(0, 'MMOR')) return 'orf'
  if (at(0, 'IIU\0')) return 'rw2'
  // BigTIFF, which scanners and editors write too.
  if (at(0, 'II+\0') || at(0, 'MM\0+')) return 'tiff'
  if (!at(0, 'II*\0') && !at(0, 'MM\0*')) return undefined
  return at(8, 'CR\x02') ? 'cr2' : ofFirstDirectory(bytes)
}

const BRANDS: Record<string, RecognizedPhoto> = {
  'crx ': 'cr3',
  avif: 'avif',
  avis: 'avif',
  heic: 'heic',
  heix: 'heic',
  heim: 'heic',
  heis: 'heic',
  hevc: 'heic',
  hevx: 'heic',
  hevm: 'heic',
  hevs: 'heic',
  mif1: 'heif',
  msf1: 'heif',
}

/** ISO/IEC 14496-12, 4.3: the major brand, a version, and the compatible brands. `mif1` alone does not name the codec. */
function ofBrands(bytes: Buffer): RecognizedPhoto | undefined {
  const end = Math.min(bytes.readUInt32BE(0), bytes.byteLength)
  const brandAt = (offset: number) => BRANDS[bytes.subarray(offset, offset + 4).toString('latin1')]
  let found = brandAt(8)
  for (let offset = 16; found === 'heif' && offset + 4 <= end; offset += 4) found = brandAt(offset) ?? found
  return found
}

const NEW_SUBFILE_TYPE = 254
const MAKE = 271
const SUB_IFDS = 330
const DNG_VERSION = 50706
const REDUCED_IMAGE = 1

/**
 * The first directory of a TIFF (TIFF 6.0, section 2). A DNG says so. In the RAW files of Nikon and Sony it describes a
 * reduced picture, with others in sub-directories; their ordinary TIFF files begin with the picture itself.
 */
function ofFirstDirectory(bytes: Buffer): RecognizedPhoto {
  const little = bytes[0] === 0x49
  const short = (offset: number) => (little ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset))
  const long = (offset: number) => (little ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset))
  if (bytes.byteLength < 8) return 'tiff'
  const directory = long(4)
  if (directory + 2 > bytes.byteLength) return 'tiff'
  const count = short(directory)
  let isReduced = false
  let hasOthers = false
  let make = ''
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + 12 * i
    if (entry + 12 > bytes.byteLength) break
    const tag = short(entry)
    if (tag === DNG_VERSION) return 'dng'
    if (tag === NEW_SUBFILE_TYPE) isReduced = long(entry + 8) === REDUCED_IMAGE
    if (tag === SUB_IFDS) hasOthers = true
    if (tag === MAKE)
      make = bytes
        .subarray(long(entry + 8), long(entry + 8) + 5)
        .toString('latin1')
        .toUpperCase()
  }
  if (!isReduced || !hasOthers) return 'tiff'
  if (make === 'NIKON') return 'nef'
  return make.startsWith('SONY') ? 'arw' : 'tiff'
}
