/**
 * One photo for each way in which a file carries a place, a serial number or a name, and what to look for in the answers to
 * people who must not learn them.
 */
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { heicWith, internationalText, pngWith, webpWith, withSecondImage } from './photo-containers.ts'
import { type ExifFacts, exifBlock, jpegWith, twoColours, xmpPacket } from './photo-fixtures.ts'
import { type Entry, tiffOf } from './tiff.ts'

/** A place of which no part looks like a year, a size, a count, or the seconds of a time. */
const PLACE = { latitude: 78.853417, longitude: 123.402261, altitude: 977.31 }
const CITY = 'Qvortheim'
const COUNTRY = 'Zembelland'
const OWNER = 'Ottilie Brandvold'
const SERIAL = 'SN7731904456'
const LENS_SERIAL = 'LS5520917338'
const NOTE = 'MN-Qx81723-internal'

export interface PrivatePhoto {
  name: string
  fileName: string
  file: Buffer
  /** The needles that the file itself has, so that the search is known to find them. */
  carries: (keyof typeof NEEDLES)[]
}

const text = (value: string): Buffer[] => {
  const utf16 = Buffer.from(value, 'utf16le')
  return [Buffer.from(value), utf16, Buffer.from(utf16).swap16()]
}
/** The last number of degrees, minutes and seconds as EXIF stores it, in both orders of bytes. */
const rational = (numerator: number, denominator: number): Buffer[] => {
  const little = Buffer.alloc(8)
  little.writeUInt32LE(numerator)
  little.writeUInt32LE(denominator, 4)
  const big = Buffer.alloc(8)
  big.writeUInt32BE(numerator)
  big.writeUInt32BE(denominator, 4)
  return [little, big]
}
const double = (value: number): Buffer[] => {
  const little = Buffer.alloc(8)
  little.writeDoubleLE(value)
  return [little, Buffer.from(little).swap64()]
}

/** Seconds to a ten-thousandth: what is left of the degrees after degrees and minutes. */
const seconds = (degrees: number) => Math.round(degrees * 36_000_000) % 600_000
const minutes = (degrees: number) => (degrees % 1) * 60

/**
 * The forms of each secret. Two decimals of the place may be published, so the numbers begin with three; minutes begin with four,
 * because the times in answers have three.
 */
export const NEEDLES = {
  latitude: [
    ...text('78.853'),
    ...text(minutes(PLACE.latitude).toFixed(5).slice(0, -1)),
    ...rational(seconds(PLACE.latitude), 10_000),
    ...double(PLACE.latitude),
  ],
  longitude: [
    ...text('123.402'),
    ...text(minutes(PLACE.longitude).toFixed(5).slice(0, -1)),
    ...rational(seconds(PLACE.longitude), 10_000),
    ...double(PLACE.longitude),
  ],
  altitude: [...text('977.31'), ...rational(97_731, 100)],
  city: text(CITY),
  country: text(COUNTRY),
  owner: [...text(OWNER), ...text('Brandvold')],
  serial: [...text(SERIAL), ...text(SERIAL.slice(2))],
  lensSerial: [...text(LENS_SERIAL), ...text(LENS_SERIAL.slice(2))],
  note: text(NOTE),
}

/** Words that lead a search to the photos if what their files say can be searched. */
export const SECRET_WORDS = [CITY, COUNTRY, 'Ottilie', 'Brandvold', SERIAL, LENS_SERIAL, '78.853', NOTE]

/** The secrets that these bytes have, without regard to the case of letters. */
export function secretsIn(bytes: Uint8Array): string[] {
  const whole = Buffer.from(bytes)
  const lower = (part: Buffer) => part.toString('latin1').toLowerCase()
  const folded = lower(whole)
  return Object.entries(NEEDLES)
    .filter(([, forms]) => forms.some((form) => whole.includes(form) || folded.includes(lower(form))))
    .map(([name]) => name)
}

const FACTS: ExifFacts = {
  make: 'Canon',
  model: 'EOS R5',
  lens: 'RF 24-70mm F2.8',
  dateTimeOriginal: '2024:01:15 18:30:00',
  offset: '+08:00',
  gps: PLACE,
  serial: SERIAL,
  lensSerial: LENS_SERIAL,
  owner: OWNER,
  artist: OWNER,
  copyright: `(c) ${OWNER}`,
  makerNote: NOTE,
  // XPAuthor, in UTF-16.
  entries: [{ tag: 0x9c9d, type: 'byte', value: [...Buffer.from(`${OWNER}\0`, 'utf16le')] }],
}
const EXIF_CARRIES: PrivatePhoto['carries'] = [
  'latitude',
  'longitude',
  'altitude',
  'owner',
  'serial',
  'lensSerial',
  'note',
]

/** 78,51.20502N: degrees and minutes, as XMP writes a place. */
const xmpAngle = (degrees: number, letter: string) =>
  `${Math.floor(degrees)},${minutes(degrees).toFixed(5)}${letter}`
const XMP = {
  'exif:GPSLatitude': xmpAngle(PLACE.latitude, 'N'),
  'exif:GPSLongitude': xmpAngle(PLACE.longitude, 'E'),
  'exif:GPSAltitude': '97731/100',
  'photoshop:City': CITY,
  'photoshop:Country': COUNTRY,
  'aux:SerialNumber': SERIAL,
  'aux:LensSerialNumber': LENS_SERIAL,
  'aux:OwnerName': OWNER,
  'dc:creator': `<rdf:Seq><rdf:li>${OWNER}</rdf:li></rdf:Seq>`,
}
const XMP_CARRIES: PrivatePhoto['carries'] = [
  'latitude',
  'longitude',
  'city',
  'country',
  'serial',
  'lensSerial',
  'owner',
]

export async function privatePhotos(): Promise<PrivatePhoto[]> {
  const exif = exifBlock(FACTS)
  const xmp = xmpPacket(XMP)
  const inner = await jpegWith({ exif, xmp })
  const jpeg = (name: string, file: Buffer, carries: PrivatePhoto['carries']): PrivatePhoto => ({
    name,
    fileName: `${name.replaceAll(' ', '-')}.jpg`,
    file,
    carries,
  })
  const iptc = { city: CITY, country: COUNTRY, location: CITY, byline: OWNER }
  const comment = Buffer.from(`${OWNER} ${SERIAL} 78.853417 123.402261`)
  return [
    jpeg('EXIF', await jpegWith({ exif }), EXIF_CARRIES),
    jpeg('XMP', await jpegWith({ xmp }), XMP_CARRIES),
    jpeg('extended XMP', await extendedXmp(), ['latitude', 'city', 'owner', 'serial']),
    jpeg('IPTC', await jpegWith({ iptc }), ['city', 'country', 'owner']),
    jpeg(
      'big-endian EXIF, colour profile, comment and unknown segments',
      await jpegWith({
        exif: bigEndianGps(),
        icc: await signedProfile(),
        segments: [
          [0xfe, comment],
          [0xe9, comment],
          [0xec, comment],
        ],
      }),
      ['latitude', 'longitude', 'owner', 'serial'],
    ),
    jpeg('second image', await withSecondImage(inner), EXIF_CARRIES),
    jpeg(
      'EXIF thumbnail',
      await jpegWith({ exif: exifBlock({ make: 'Canon', thumbnail: inner }) }),
      EXIF_CARRIES,
    ),
    jpeg('Motion Photo', await motionPhoto(), ['latitude', 'longitude', 'serial']),
    {
      name: 'PNG',
      fileName: 'a.png',
      file: await pngWith([
        ['eXIf', exif],
        ['iTXt', internationalText('XML:com.adobe.xmp', xmp)],
        ['tEXt', Buffer.concat([Buffer.from('Author\0'), comment])],
        ['zTXt', Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(comment)])],
      ]),
      carries: [...EXIF_CARRIES, 'city'],
    },
    { name: 'WebP', fileName: 'a.webp', file: await webpWith(exif, xmp), carries: [...EXIF_CARRIES, 'city'] },
    { name: 'AVIF', fileName: 'a.avif', file: await avifWith(), carries: ['owner', 'city'] },
    { name: 'HEIC', fileName: 'a.heic', file: heicWith(exif, xmp), carries: [...EXIF_CARRIES, 'city'] },
    { name: 'TIFF', fileName: 'a.tif', file: tiff(), carries: [...EXIF_CARRIES, 'city'] },
    { name: 'DNG', fileName: 'a.dng', file: await dng(inner), carries: [...EXIF_CARRIES, 'city'] },
  ]
}

/** A GPS block whose numbers are big-endian, as cameras of some makers write all of EXIF. */
function bigEndianGps(): Buffer {
  const block = Buffer.alloc(8 + 2 + 12 + 4 + 2 + 48 + 4 + 48)
  let at = block.write('MM\0*', 'latin1')
  at = block.writeUInt32BE(8, at)
  const entry = (tag: number, type: number, count: number, value: Buffer) => {
    at = block.writeUInt16BE(tag, at)
    at = block.writeUInt16BE(type, at)
    at = block.writeUInt32BE(count, at)
    at += value.copy(block, at)
  }
  const offset = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes
  }
  const angle = (degrees: number) => {
    const numbers = [Math.floor(degrees), 1, Math.floor(minutes(degrees)), 1, seconds(degrees), 10_000]
    for (const number of numbers) at = block.writeUInt32BE(number, at)
  }
  at = block.writeUInt16BE(1, at)
  entry(0x8825, 4, 1, offset(26))
  at += 4
  at = block.writeUInt16BE(4, at)
  entry(1, 2, 2, Buffer.from('N\0\0\0'))
  entry(2, 5, 3, offset(80))
  entry(3, 2, 2, Buffer.from('E\0\0\0'))
  entry(4, 5, 3, offset(104))
  at = 80
  angle(PLACE.latitude)
  angle(PLACE.longitude)
  return block
}

async function extendedXmp(): Promise<Buffer> {
  const extended = xmpPacket(XMP)
  return jpegWith({ xmp: xmpPacket({ 'xmp:Rating': '5' }, { extended: true }), extendedXmp: extended })
}

/** The profile of a display that is named after its owner. */
async function signedProfile(): Promise<Buffer> {
  const { icc } = await sharp(await twoColours(8, 8).withIccProfile('p3').jpeg().toBuffer()).metadata()
  const tags = icc!.readUInt32BE(128)
  for (let i = 0; i < tags; i++) {
    const entry = 132 + 12 * i
    if (icc!.toString('latin1', entry, entry + 4) !== 'cprt') continue
    const [start, size] = [icc!.readUInt32BE(entry + 4), icc!.readUInt32BE(entry + 8)]
    icc!.write(OWNER.slice(0, size - 8), start + 8, 'latin1')
    if (OWNER.length <= size - 8) return icc!
  }
  // No tag has room for the name: it stands behind the profile's end.
  const longer = Buffer.concat([icc!, Buffer.from(OWNER)])
  longer.writeUInt32BE(longer.length, 0)
  return longer
}

/** A JPEG with a video behind its end, whose boxes name the place and the device. */
async function motionPhoto(): Promise<Buffer> {
  const box = (type: string, content: Buffer) => {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(8 + content.length)
    head.write(type, 4, 'latin1')
    return Buffer.concat([head, content])
  }
  const place = Buffer.from(`\0\x1c\x15\xc7+78.8534+123.4023+977.310/`, 'latin1')
  const udta = box('udta', Buffer.concat([box('\xa9xyz', place), box('cprt', Buffer.from(SERIAL))]))
  const video = Buffer.concat([box('ftyp', Buffer.from('isom\0\0\x02\0isommp42')), box('moov', udta)])
  return jpegWith({ xmp: xmpPacket({ 'xmp:MicroVideoOffset': String(video.length) }), after: video })
}

/** Exif and XMP as items of the container, which HEIC shares. */
const avifWith = (): Promise<Buffer> =>
  twoColours(96, 64)
    .withExif({ IFD0: { Artist: OWNER, Copyright: OWNER }, IFD2: { BodySerialNumber: SERIAL } })
    .withXmp(xmpPacket(XMP))
    .avif({ effort: 0 })
    .toBuffer()

const gps: Entry[] = [
  { tag: 1, type: 'ascii', value: 'N' },
  { tag: 2, type: 'rational', value: angleOf(PLACE.latitude) },
  { tag: 3, type: 'ascii', value: 'E' },
  { tag: 4, type: 'rational', value: angleOf(PLACE.longitude) },
  { tag: 6, type: 'rational', value: [[97_731, 100]] },
]

function angleOf(degrees: number): [number, number][] {
  return [
    [Math.floor(degrees), 1],
    [Math.floor(minutes(degrees)), 1],
    [seconds(degrees), 10_000],
  ]
}

/** What the first IFD of a TIFF and of a DNG says beside the picture. */
const tiffFacts = (): Entry[] => [
  { tag: 0x010f, type: 'ascii', value: 'Canon' },
  { tag: 0x0110, type: 'ascii', value: 'EOS R5' },
  { tag: 0x013b, type: 'ascii', value: OWNER },
  { tag: 0x8298, type: 'ascii', value: `(c) ${OWNER}` },
  { tag: 0x02bc, type: 'byte', value: [...Buffer.from(xmpPacket(XMP))] },
  { tag: 0x8825, type: 'ifd', value: [gps] },
  {
    tag: 0x8769,
    type: 'ifd',
    value: [
      [
        { tag: 0xa430, type: 'ascii', value: OWNER },
        { tag: 0xa431, type: 'ascii', value: SERIAL },
        { tag: 0xa435, type: 'ascii', value: LENS_SERIAL },
        { tag: 0x927c, type: 'undefined', value: Buffer.from(NOTE) },
      ],
    ],
  },
]

function tiff(): Buffer {
  const pixels = Buffer.alloc(96 * 64 * 3, 0x55)
  return tiffOf([
    [
      { tag: 0x0100, type: 'long', value: [96] },
      { tag: 0x0101, type: 'long', value: [64] },
      { tag: 0x0102, type: 'short', value: [8, 8, 8] },
      { tag: 0x0103, type: 'short', value: [1] },
      { tag: 0x0106, type: 'short', value: [2] },
      { tag: 0x0111, type: 'blob', value: [pixels] },
      { tag: 0x0115, type: 'short', value: [3] },
      { tag: 0x0116, type: 'long', value: [64] },
      { tag: 0x0117, type: 'long', value: [pixels.length] },
      ...tiffFacts(),
    ],
  ])
}

/** @param preview the JPEG that the photo is shown by; cameras write EXIF into it too */
async function dng(preview: Buffer): Promise<Buffer> {
  return tiffOf([
    [
      { tag: 0x00fe, type: 'long', value: [1] },
      { tag: 0x0100, type: 'long', value: [96] },
      { tag: 0x0101, type: 'long', value: [64] },
      { tag: 0x0102, type: 'short', value: [8, 8, 8] },
      { tag: 0x0103, type: 'short', value: [7] },
      { tag: 0x0106, type: 'short', value: [6] },
      { tag: 0x0111, type: 'blob', value: [preview] },
      { tag: 0x0115, type: 'short', value: [3] },
      { tag: 0x0116, type: 'long', value: [64] },
      { tag: 0x0117, type: 'long', value: [preview.length] },
      ...tiffFacts(),
      { tag: 0xc612, type: 'byte', value: [1, 4, 0, 0] },
      { tag: 0xc614, type: 'ascii', value: 'Canon EOS R5' },
      { tag: 0xc62f, type: 'ascii', value: SERIAL },
      { tag: 0xc634, type: 'byte', value: [...Buffer.from(`Adobe\0MakN${NOTE}`)] },
      { tag: 0xc68b, type: 'ascii', value: `${OWNER}.cr3` },
    ],
  ])
}
