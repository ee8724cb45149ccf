/** Small real photos, and ways to put metadata into them. */
import sharp from 'sharp'
import { type Entry, ifdOf, tiffOf } from './tiff.ts'

export interface ExifFacts {
  make?: string
  model?: string
  lens?: string
  iso?: number
  fNumber?: [number, number]
  exposureTime?: [number, number]
  focalLength?: [number, number]
  orientation?: number
  /** `2024:01:15 18:30:00` */
  dateTimeOriginal?: string
  /** `+08:00` */
  offset?: string
  gps?: { latitude?: number; longitude?: number; altitude?: number; entries?: Entry[] }
  /** Of the camera. */
  serial?: string
  lensSerial?: string
  owner?: string
  artist?: string
  copyright?: string
  software?: string
  /** A text in the maker note. */
  makerNote?: string
  /** A JPEG in IFD1. */
  thumbnail?: Uint8Array
  /** Further entries of IFD0 and of the Exif IFD. */
  entries?: Entry[]
  exifEntries?: Entry[]
}

/** A TIFF block with these facts, as EXIF stores it: without the six bytes `Exif\0\0` that stand before it in a JPEG. */
export function exifBlock(facts: ExifFacts): Buffer {
  const second: Entry[] = facts.thumbnail
    ? [
        { tag: 0x0103, type: 'short', value: [6] },
        { tag: 0x0201, type: 'blob', value: [facts.thumbnail] },
        { tag: 0x0202, type: 'long', value: [facts.thumbnail.length] },
      ]
    : []
  const first = exifEntries(facts)
  return tiffOf(second.length > 0 ? [first, second] : [first])
}

/** The entries of IFD0, with the Exif and the GPS IFD in them; or those of the Exif IFD alone. */
export function exifEntries(facts: ExifFacts, which: 'all' | 'exif' = 'all'): Entry[] {
  const exif = ifdOf({
    ascii: [
      [0x9003, facts.dateTimeOriginal],
      [0x9011, facts.offset],
      [0xa430, facts.owner],
      [0xa431, facts.serial],
      [0xa434, facts.lens],
      [0xa435, facts.lensSerial],
      [0x927c, facts.makerNote],
    ],
    short: [[0x8827, facts.iso]],
    rational: [
      [0x829a, facts.exposureTime && [facts.exposureTime]],
      [0x829d, facts.fNumber && [facts.fNumber]],
      [0x920a, facts.focalLength && [facts.focalLength]],
    ],
  })
  exif.push(...(facts.exifEntries ?? []))
  if (which === 'exif') return exif
  const first = ifdOf({
    ascii: [
      [0x010f, facts.make],
      [0x0110, facts.model],
      [0x0131, facts.software],
      [0x013b, facts.artist],
      [0x8298, facts.copyright],
    ],
    short: [[0x0112, facts.orientation]],
  })
  const gps = facts.gps ? gpsEntriesOf(facts.gps) : []
  first.push(...(facts.entries ?? []))
  if (exif.length > 0) first.push({ tag: 0x8769, type: 'ifd', value: [exif] })
  if (gps.length > 0) first.push({ tag: 0x8825, type: 'ifd', value: [gps] })
  return first
}

/** The entries of the GPS IFD. */
export function gpsEntriesOf({
  latitude,
  longitude,
  altitude,
  entries = [],
}: NonNullable<ExifFacts['gps']>): Entry[] {
  const all: Entry[] = [...entries]
  if (latitude !== undefined) {
    all.push({ tag: 1, type: 'ascii', value: latitude < 0 ? 'S' : 'N' })
    all.push({ tag: 2, type: 'rational', value: degrees(latitude) })
  }
  if (longitude !== undefined) {
    all.push({ tag: 3, type: 'ascii', value: longitude < 0 ? 'W' : 'E' })
    all.push({ tag: 4, type: 'rational', value: degrees(longitude) })
  }
  if (altitude !== undefined) {
    all.push({ tag: 5, type: 'byte', value: [altitude < 0 ? 1 : 0] })
    all.push({ tag: 6, type: 'rational', value: [[Math.round(Math.abs(altitude) * 100), 100]] })
  }
  return all
}

/** Degrees, minutes and seconds to a ten-thousandth. */
function degrees(value: number): [number, number][] {
  const seconds = Math.round(Math.abs(value) * 3600 * 10_000)
  const whole = Math.floor(seconds / 36_000_000)
  const minutes = Math.floor((seconds - whole * 36_000_000) / 600_000)
  return [
    [whole, 1],
    [minutes, 1],
    [seconds - whole * 36_000_000 - minutes * 600_000, 10_000],
  ]
}

export interface JpegMetadata {
  /** A block of `exifBlock`. */
  exif?: Uint8Array
  /** A whole XMP packet. */
  xmp?: string
  /** The part of the XMP that stands in APP1 segments of their own. `xmp` must have its GUID, as `xmpPacket` writes it. */
  extendedXmp?: string
  iptc?: IptcFacts
  icc?: Uint8Array
  /** Further segments: marker (such as 0xe2) and content. */
  segments?: [number, Uint8Array][]
  /** What stands behind the end of the picture. */
  after?: Uint8Array
}

/** A JPEG with metadata. Without `jpeg` it is a picture of 96 × 64: red on the left, blue on the right. */
export async function jpegWith(metadata: JpegMetadata, jpeg?: Uint8Array): Promise<Buffer> {
  const picture = Buffer.from(jpeg ?? (await picture96()))
  const segments: Buffer[] = []
  const app1 = (head: string, content: Uint8Array | string) =>
    segments.push(segment(0xe1, Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(content as string)])))
  if (metadata.exif) app1('Exif\0\0', metadata.exif)
  if (metadata.xmp !== undefined) app1('http://ns.adobe.com/xap/1.0/\0', metadata.xmp)
  if (metadata.extendedXmp !== undefined) {
    const content = Buffer.from(metadata.extendedXmp)
    const head = Buffer.alloc(40)
    head.write(EXTENDED_GUID, 'latin1')
    head.writeUInt32BE(content.length, 32)
    app1('http://ns.adobe.com/xmp/extension/\0', Buffer.concat([head, content]))
  }
  if (metadata.iptc) segments.push(segment(0xed, iptcBlock(metadata.iptc)))
  if (metadata.icc) {
    const head = Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1')
    segments.push(segment(0xe2, Buffer.concat([head, metadata.icc])))
  }
  for (const [marker, content] of metadata.segments ?? []) segments.push(segment(marker, content))
  return Buffer.concat([
    picture.subarray(0, 2),
    ...segments,
    picture.subarray(2),
    ...(metadata.after ? [metadata.after] : []),
  ])
}

function segment(marker: number, content: Uint8Array): Buffer {
  if (content.length > 65_533) throw new Error('a segment holds 65,533 bytes at most')
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(content.length + 2, 2)
  return Buffer.concat([head, content])
}

/** A JPEG of 96 × 64: red on the left, blue on the right. */
export const picture96 = (): Promise<Buffer> => twoColours(96, 64).jpeg({ quality: 90 }).toBuffer()

/** Red on the left, blue on the right. */
export const twoColours = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#00f' }, limitInputPixels: false }).composite([
    {
      input: { create: { width: Math.floor(width / 2), height, channels: 3, background: '#f00' } },
      left: 0,
      top: 0,
    },
  ])

/** A GUID of the extended XMP. It is not the real MD5, which no reader needs. */
export const EXTENDED_GUID = '0123456789ABCDEF0123456789ABCDEF'

/**
 * An XMP packet with these properties, such as `{ 'photoshop:City': 'Oslo' }`.
 * @param extended whether the packet says that an extended one follows
 */
export function xmpPacket(properties: Record<string, string>, { extended = false } = {}): string {
  const all = extended ? { ...properties, 'xmpNote:HasExtendedXMP': EXTENDED_GUID } : properties
  const elements = Object.entries(all)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('')
  return (
    '<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">' +
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""' +
    ' xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"' +
    ' xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" xmlns:exifEX="http://cipa.jp/exif/1.0/"' +
    ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpNote="http://ns.adobe.com/xmp/note/"' +
    ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"' +
    ' xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"' +
    ` xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/">${elements}</rdf:Description></rdf:RDF></x:xmpmeta>` +
    '<?xpacket end="w"?>'
  )
}

export interface IptcFacts {
  city?: string
  country?: string
  location?: string
  byline?: string
  /** `20240115` */
  date?: string
  /** `183000+0800` */
  time?: string
}

/** The content of an APP13 segment. */
export function iptcBlock(facts: IptcFacts): Buffer {
  const dataset = (record: number, number: number, value: string) => {
    const text = Buffer.from(value)
    const head = Buffer.from([0x1c, record, number, 0, 0])
    head.writeUInt16BE(text.length, 3)
    return Buffer.concat([head, text])
  }
  const records: [number, string | undefined][] = [
    [55, facts.date],
    [60, facts.time],
    [80, facts.byline],
    [90, facts.city],
    [92, facts.location],
    [101, facts.country],
  ]
  const data = Buffer.concat([
    dataset(1, 90, '\x1b%G'),
    ...records.flatMap(([number, value]) => (value === undefined ? [] : [dataset(2, number, value)])),
  ])
  const head = Buffer.concat([Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0', 'latin1'), Buffer.alloc(4)])
  head.writeUInt32BE(data.length, head.length - 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)])
}

/** Four quarters: red, blue; white, black. */
export async function quarters(width: number, height: number): Promise<Buffer> {
  const part = (background: string) => ({
    create: { width: width / 2, height: height / 2, channels: 3 as const, background },
  })
  return await sharp({ create: { width, height, channels: 3, background: '#000' } })
    .composite([
      { input: part('#f00'), left: 0, top: 0 },
      { input: part('#00f'), left: width / 2, top: 0 },
      { input: part('#fff'), left: 0, top: height / 2 },
    ])
    .jpeg({ quality: 90 })
    .toBuffer()
}
