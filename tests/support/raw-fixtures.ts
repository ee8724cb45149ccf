/** RAW files in the layouts of several makers, with a JPEG for the preview and noise for the sensor's data. */
import { box } from './heif.ts'
import { type ExifFacts, exifBlock, exifEntries, gpsEntriesOf, jpegWith } from './photo-fixtures.ts'
import { type Entry, tiffOf } from './tiff.ts'

export interface RawParts {
  /** The largest preview. */
  preview: Buffer
  /** A smaller one. */
  thumbnail: Buffer
  facts?: ExifFacts
}

const short = (tag: number, ...value: number[]): Entry => ({ tag, type: 'short', value })
const long = (tag: number, ...value: number[]): Entry => ({ tag, type: 'long', value })
const blob = (tag: number, value: Uint8Array): Entry => ({ tag, type: 'blob', value: [value] })

/** Bytes that look like compressed data of a sensor. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    bytes[i] = state >> 16
  }
  return bytes
}

/** The JPEG as a lossless one of raw data, which is larger than any preview. */
export function lossless(jpeg: Buffer): Buffer {
  const bytes = Buffer.from(jpeg)
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]))
  bytes[frame + 1] = 0xc3
  bytes.writeUInt16BE(6000, frame + 5)
  bytes.writeUInt16BE(9000, frame + 7)
  return bytes
}

const jpegStrip = (jpeg: Buffer, compression: number): Entry[] => [
  short(0x0103, compression),
  blob(0x0111, jpeg),
  long(0x0117, jpeg.length),
]
const jpegOffset = (jpeg: Buffer): Entry[] => [
  short(0x0103, 6),
  blob(0x0201, jpeg),
  long(0x0202, jpeg.length),
]
const sensor = (data: Buffer, compression = 1): Entry[] => [
  long(0x00fe, 0),
  short(0x0103, compression),
  short(0x0106, 32_803),
  blob(0x0111, data),
  long(0x0117, data.length),
]
const ifds = (tag: number, value: Entry[][]): Entry => ({ tag, type: 'ifd', value })
const described = (facts: ExifFacts = {}) => exifEntries(facts)

/** `rawData` are those of a lossy DNG: JPEGs that a viewer would decode. */
export function dng({ preview, thumbnail, facts }: RawParts, rawData: Buffer = noise(5000)): Buffer {
  const version: Entry = { tag: 0xc612, type: 'byte', value: [1, 7, 0, 0] }
  const reduced = [long(0x00fe, 1), short(0x0106, 6)]
  return tiffOf([
    [
      ...described(facts),
      version,
      ...reduced,
      ...jpegStrip(thumbnail, 7),
      ifds(0x014a, [sensor(rawData, 7), [...reduced, ...jpegStrip(preview, 7)]]),
    ],
  ])
}

export function cr2({ preview, thumbnail, facts }: RawParts): Buffer {
  const header = Buffer.from('II*\0\x10\0\0\0CR\x02\0\0\0\0\0', 'latin1')
  const raw = lossless(preview)
  return tiffOf(
    [[...described(facts), ...jpegStrip(preview, 6)], jpegOffset(thumbnail), [], jpegStrip(raw, 6)],
    header,
  )
}

export const nef = ({ preview, thumbnail, facts }: RawParts): Buffer =>
  tiffOf([
    [
      ...described(facts),
      long(0x00fe, 1),
      ...jpegStrip(thumbnail, 6),
      ifds(0x014a, [jpegOffset(preview), sensor(noise(5000), 34_713)]),
    ],
  ])

export const arw = ({ preview, facts }: RawParts): Buffer =>
  tiffOf([
    [
      ...described(facts),
      long(0x00fe, 1),
      ...jpegOffset(preview),
      ifds(0x014a, [sensor(noise(5000), 32_767)]),
    ],
  ])

/** The preview is in the maker note. */
export const orf = ({ preview, thumbnail, facts }: RawParts): Buffer =>
  tiffOf(
    [
      [
        ...described({
          ...facts,
          exifEntries: [{ tag: 0x927c, type: 'undefined', value: Buffer.concat([noise(100), preview]) }],
        }),
        blob(0x0111, noise(5000)),
      ],
      jpegOffset(thumbnail),
    ],
    Buffer.from('IIRO\b\0\0\0', 'latin1'),
  )

export const rw2 = ({ preview, facts }: RawParts): Buffer =>
  tiffOf(
    [[...described(facts), { tag: 0x002e, type: 'undefined', value: preview }, blob(0x0111, noise(5000))]],
    Buffer.from('IIU\0\b\0\0\0', 'latin1'),
  )

/** The metadata are in the preview. */
export async function raf({ preview, facts }: RawParts): Promise<Buffer> {
  const jpeg = await jpegWith({ exif: exifBlock(facts ?? {}) }, preview)
  const head = Buffer.alloc(108)
  head.write('FUJIFILMCCD-RAW 0201FF383501X-T4', 'latin1')
  head.writeUInt32BE(head.length, 84)
  head.writeUInt32BE(jpeg.length, 88)
  return Buffer.concat([head, jpeg, noise(5000)])
}

export function cr3({ preview, thumbnail, facts = {} }: RawParts): Buffer {
  const { make, model, orientation, gps, ...rest } = facts
  const first = exifBlock({
    ...(make && { make }),
    ...(model && { model }),
    ...(orientation && { orientation }),
  })
  const canon = Buffer.from('85c0b687820f11e08111f4ce462b6a48', 'hex')
  const preview2 = Buffer.from('eaf42b5e1c984b88b9fbb7dc406e4d16', 'hex')
  const size = Buffer.alloc(4)
  size.writeUInt32BE(thumbnail.length)
  return Buffer.concat([
    box('ftyp', 'crx \0\0\0\x01crx isom'),
    box(
      'moov',
      box(
        'uuid',
        canon,
        box('CNCV', 'CanonCR3_001/00.09.00/00.00.00'),
        box('CMT1', first),
        box('CMT2', tiffOf([exifEntries(rest, 'exif')])),
        box('CMT3', noise(64)),
        box('CMT4', tiffOf([gps ? gpsEntriesOf(gps) : []])),
      ),
    ),
    box('uuid', preview2, Buffer.alloc(8), box('PRVW', Buffer.alloc(12), size, thumbnail)),
    box('mdat', preview, noise(5000)),
  ])
}
