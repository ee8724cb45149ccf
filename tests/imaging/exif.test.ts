import { describe, expect, test } from 'bun:test'
import sharp from 'sharp'
import { readFacts } from '../../src/imaging/photo/exif.ts'
import {
  type ExifFacts,
  exifBlock,
  type JpegMetadata,
  jpegWith,
  xmpPacket,
} from '../support/photo-fixtures.ts'

const ofJpeg = async (metadata: JpegMetadata) => readFacts([await jpegWith(metadata)])
const ofExif = (facts: ExifFacts) => ofJpeg({ exif: exifBlock(facts) })
const ofXmp = (properties: Record<string, string>) => ofJpeg({ xmp: xmpPacket(properties) })

const FACTS: ExifFacts = {
  make: 'Canon',
  model: 'Canon EOS R5',
  lens: 'RF 24-70mm F2.8 L IS USM',
  iso: 800,
  fNumber: [28, 10],
  exposureTime: [10, 1250],
  focalLength: [50, 1],
  dateTimeOriginal: '2024:01:15 18:30:00',
  offset: '+08:00',
  gps: { latitude: 31.23037, longitude: -121.4737, altitude: 12.5 },
}
const KNOWN = {
  exif: {
    camera: 'Canon EOS R5',
    lens: 'RF 24-70mm F2.8 L IS USM',
    iso: 800,
    aperture: 'f/2.8',
    shutterSpeed: '1/125',
    focalLength: '50mm',
  },
  place: { latitude: 31.23037, longitude: -121.4737, altitude: 12.5 },
  takenAt: '2024-01-15T10:30:00.000Z',
  takenOffset: 480,
}
const NOTHING = { exif: {}, place: {}, takenAt: null, takenOffset: null }

test('all facts of a JPEG', async () => {
  expect(await ofExif(FACTS)).toEqual(KNOWN)
})

describe('the same block in', () => {
  const block = exifBlock(FACTS)
  const pixel = sharp({ create: { width: 8, height: 8, channels: 3, background: '#f00' } })

  test('a PNG', async () => {
    const png = await pixel.clone().png().toBuffer()
    const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from('eXIf'), block, Buffer.alloc(4)])
    chunk.writeUInt32BE(block.length)
    chunk.writeUInt32BE(Bun.hash.crc32(chunk.subarray(4, -4)), chunk.length - 4)
    expect(readFacts([Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)])])).toEqual(KNOWN)
  })

  test('a WebP', async () => {
    const webp = await pixel
      .clone()
      .webp()
      .withExif({ IFD0: { Make: 'x' } })
      .toBuffer()
    const at = webp.indexOf('EXIF')
    const chunk = Buffer.concat([Buffer.from('EXIF'), Buffer.alloc(4), block, Buffer.alloc(block.length % 2)])
    chunk.writeUInt32LE(block.length, 4)
    const all = Buffer.concat([webp.subarray(0, at), chunk])
    all.writeUInt32LE(all.length - 8, 4)
    expect(readFacts([all])).toEqual(KNOWN)
  })

  test('a TIFF, whose own structure it is', () => {
    expect(readFacts([block])).toEqual(KNOWN)
  })
})

test.each([
  ['Canon', 'Canon EOS R5', 'Canon EOS R5'],
  ['NIKON CORPORATION', 'NIKON D850', 'NIKON D850'],
  ['SONY', 'ILCE-7M3', 'SONY ILCE-7M3'],
  ['Apple', 'iPhone 15 Pro', 'Apple iPhone 15 Pro'],
  [undefined, 'X100', 'X100'],
  ['FUJIFILM', undefined, 'FUJIFILM'],
  ['  FUJIFILM  ', '  X-T4 ', 'FUJIFILM X-T4'],
])('the camera of %p and %p is %p', async (make, model, camera) => {
  const facts = await ofExif({ ...(make && { make }), ...(model && { model }) })
  expect(facts.exif.camera).toBe(camera)
})

test.each([
  [[1, 8000], '1/8000'],
  [[10, 600], '1/60'],
  [[1, 2], '1/2'],
  [[3, 10], '0.3s'],
  [[6, 10], '0.6s'],
  [[1, 1], '1s'],
  [[2, 1], '2s'],
  [[25, 10], '2.5s'],
  [[30, 1], '30s'],
  [[0, 1], undefined],
  [[1, 0], undefined],
] as [[number, number], string | undefined][])(
  'an exposure of %p is %p',
  async (exposureTime, shutterSpeed) => {
    expect((await ofExif({ exposureTime })).exif.shutterSpeed).toBe(shutterSpeed)
  },
)

test('apertures and focal lengths lose no digit that matters', async () => {
  const { exif } = await ofExif({ fNumber: [8, 1], focalLength: [4250, 1000] })
  expect(exif).toEqual({ aperture: 'f/8', focalLength: '4.3mm' })
  expect((await ofExif({ fNumber: [0, 1], focalLength: [0, 0], iso: 65_535 })).exif).toEqual({})
})

describe('the ISO speed', () => {
  const short = (tag: number, ...value: number[]) => ({ tag, type: 'short' as const, value })
  const long = (tag: number, value: number) => ({ tag, type: 'long' as const, value: [value] })
  test.each([
    ['two values', [short(0x8827, 200, 100)], 200],
    ['two values, of which one is none', [short(0x8827, 200, 0)], 200],
    [
      'more than its field holds, as a recommended exposure index',
      [short(0x8827, 65_535), long(0x8832, 102_400)],
      102_400,
    ],
    ['as a standard output sensitivity', [short(0x8827, 65_535), long(0x8831, 204_800)], 204_800],
    ['as an ISO speed alone', [long(0x8833, 409_600)], 409_600],
    ['zero', [short(0x8827, 0)], undefined],
  ])('%s', async (_, exifEntries, iso) => {
    expect((await ofExif({ exifEntries })).exif.iso).toBe(iso)
  })
})

describe('the time', () => {
  test.each([
    ['2024:01:15 18:30:00', '+08:00', '2024-01-15T10:30:00.000Z', 480],
    ['2024:01:15 18:30:00', '-03:30', '2024-01-15T22:00:00.000Z', -210],
    ['2024:02:29 18:30:00', undefined, '2024-02-29T18:30:00.000Z', null],
    ['2024:01:15 18:30:00', '+25:00', '2024-01-15T18:30:00.000Z', null],
    ['2024:01:15 18:30:00', 'nowhere', '2024-01-15T18:30:00.000Z', null],
    ['2023:02:29 18:30:00', '+08:00', null, null],
    ['2024:13:01 00:00:00', undefined, null, null],
    ['2024:01:15 24:00:00', undefined, null, null],
    ['2024:01:15 18:60:00', undefined, null, null],
    ['0000:00:00 00:00:00', undefined, null, null],
    ['0001:01:01 00:00:00', undefined, null, null],
    ['    :  :     :  :  ', undefined, null, null],
    ['yesterday', undefined, null, null],
  ])('%p with %p', async (dateTimeOriginal, offset, takenAt, takenOffset) => {
    const facts = await ofExif({ dateTimeOriginal, ...(offset && { offset }) })
    expect([facts.takenAt, facts.takenOffset]).toEqual([takenAt, takenOffset])
  })

  test('of XMP and of IPTC, where EXIF says nothing', async () => {
    const xmp = await ofXmp({ 'photoshop:DateCreated': '2024-01-15T18:30:00.25+08:00' })
    expect([xmp.takenAt, xmp.takenOffset]).toEqual(['2024-01-15T10:30:00.000Z', 480])
    const iptc = await ofJpeg({ iptc: { date: '20240115', time: '183000+0800' } })
    expect([iptc.takenAt, iptc.takenOffset]).toEqual(['2024-01-15T10:30:00.000Z', 480])
    const day = await ofXmp({ 'xmp:CreateDate': '2024-01-15' })
    expect([day.takenAt, day.takenOffset]).toEqual(['2024-01-15T00:00:00.000Z', null])
  })
})

describe('the place', () => {
  const rational = (tag: number, value: [number, number][]) => ({ tag, type: 'rational' as const, value })
  const ascii = (tag: number, value: string) => ({ tag, type: 'ascii' as const, value })
  const at = (degrees: [number, number][], reference = 'N') => [
    ascii(1, reference),
    rational(2, degrees),
    ascii(3, 'E'),
    rational(4, [
      [10, 1],
      [0, 1],
      [0, 1],
    ]),
  ]

  test.each([
    ['latitude alone', { latitude: 31 }],
    ['longitude alone', { longitude: 121 }],
    ['a latitude of 91', { latitude: 91, longitude: 10 }],
    ['a longitude of 181', { latitude: 10, longitude: -181 }],
    ['zero and zero, as receivers without a position write', { latitude: 0, longitude: 0 }],
    [
      'no number',
      {
        entries: at([
          [0, 0],
          [0, 0],
          [0, 0],
        ]),
      },
    ],
    [
      '61 minutes',
      {
        entries: at([
          [10, 1],
          [61, 1],
          [0, 1],
        ]),
      },
    ],
    [
      'no hemisphere',
      {
        entries: at([
          [10, 1],
          [0, 1],
          [0, 1],
        ]).slice(1),
      },
    ],
    [
      'a hemisphere of the other direction',
      {
        entries: at(
          [
            [10, 1],
            [0, 1],
            [0, 1],
          ],
          'E',
        ),
      },
    ],
    ['nothing in it', { entries: at([]) }],
  ])('%s: none', async (_, gps) => {
    expect((await ofExif({ gps })).place).toEqual({})
  })

  test('on the equator, in decimal degrees, and below the sea', async () => {
    expect((await ofExif({ gps: { latitude: 0, longitude: 10.5, altitude: -3 } })).place).toEqual({
      latitude: 0,
      longitude: 10.5,
      altitude: -3,
    })
    const decimal = at([[125, 10]], 'S')
    expect((await ofExif({ gps: { entries: decimal } })).place).toEqual({ latitude: -12.5, longitude: 10 })
  })

  test('of XMP, when EXIF has none', async () => {
    const { place } = await ofXmp({ 'exif:GPSLatitude': '59,54.5N', 'exif:GPSLongitude': '10,45,30W' })
    expect(place).toEqual({ latitude: 59.9083333, longitude: -10.7583333 })
    const wrong = { 'exif:GPSLatitude': '95,0N', 'exif:GPSLongitude': '10,45E' }
    expect((await ofXmp(wrong)).place).toEqual({})
  })

  test('names of XMP, and those of IPTC where XMP has none', async () => {
    const xmp = xmpPacket({ 'photoshop:City': '東京', 'Iptc4xmpCore:Location': '渋谷' })
    const iptc = { city: 'Bergen', country: 'Norge' }
    expect((await ofJpeg({ xmp, iptc })).place).toEqual({ name: '渋谷', city: '東京', country: 'Norge' })
  })
})

test('the camera of XMP, where EXIF says nothing', async () => {
  const { exif } = await ofXmp({
    'tiff:Make': 'Leica Camera AG',
    'tiff:Model': 'LEICA Q2',
    'aux:Lens': 'Summilux',
    'exif:FNumber': '17/10',
    'exif:ExposureTime': '1/60',
    'exif:FocalLength': '28/1',
    'exif:ISOSpeedRatings': '<rdf:Seq><rdf:li>200</rdf:li></rdf:Seq>',
  })
  expect(exif).toEqual({
    camera: 'LEICA Q2',
    lens: 'Summilux',
    iso: 200,
    aperture: 'f/1.7',
    shutterSpeed: '1/60',
    focalLength: '28mm',
  })
})

describe('garbage', () => {
  test.each([
    ['bytes after NUL are no part of a text', 'X100\0\x01secret', 'X100'],
    ['a control character', 'X\x01100', undefined],
    ['bytes that are no text', 'X\uFFFD\uFFFD', undefined],
    ['nothing but NUL', '\0\0\0', undefined],
    ['nothing but space', '   ', undefined],
    ['too long', 'x'.repeat(5000), 'x'.repeat(200)],
  ])('%s', async (_, model, camera) => {
    expect((await ofExif({ model })).exif.camera).toBe(camera)
  })

  test('random blocks, and blocks that are cut or changed, are read without an error', async () => {
    const block = exifBlock({ ...FACTS, makerNote: 'note' })
    for (let at = 0; at < block.length; at += 3) {
      const changed = Buffer.from(block)
      changed.writeUInt8(0xff, at)
      for (const exif of [changed, block.subarray(0, at)]) {
        const facts = await ofJpeg({ exif })
        expect(JSON.stringify(facts)).not.toMatch(/\\u00|NaN|null,"longitude/)
      }
    }
  })

  test('XMP that is no XML, that refers to other documents, or that is very long', async () => {
    expect(await ofJpeg({ xmp: '<x:xmpmeta><broken' })).toEqual(NOTHING)
    const external = `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>${xmpPacket({ 'photoshop:City': '&e;' })}`
    expect((await ofJpeg({ xmp: external })).place).toEqual({})
    const laughs = `<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "${'&a;'.repeat(100)}"><!ENTITY c "${'&b;'.repeat(100)}">]>`
    expect((await ofJpeg({ xmp: laughs + xmpPacket({ 'photoshop:City': '&c;' }) })).place).toEqual({})
  })
})
