import { expect, test } from 'bun:test'
import sharp from 'sharp'
import { readFacts } from '../../src/imaging/photo/exif.ts'
import { readRaw } from '../../src/imaging/photo/raw.ts'
import { type ExifFacts, quarters } from '../support/photo-fixtures.ts'
import { arw, cr2, cr3, dng, nef, orf, type RawParts, raf, rw2 } from '../support/raw-fixtures.ts'
import { photoWorkshop } from './photo-support.ts'

const { save, render, failure, shown } = photoWorkshop()

const facts: ExifFacts = {
  make: 'Canon',
  model: 'Canon EOS R5',
  orientation: 6,
  iso: 800,
  exposureTime: [1, 125],
  dateTimeOriginal: '2024:01:15 18:30:00',
  offset: '+08:00',
  gps: { latitude: -31.23037, longitude: 121.4737 },
}
const parts: RawParts = { preview: await quarters(160, 120), thumbnail: await quarters(32, 24), facts }
const FORMATS: [string, (parts: RawParts) => Buffer | Promise<Buffer>][] = [
  ['DNG', dng],
  ['CR2', cr2],
  ['CR3', cr3],
  ['NEF', nef],
  ['ARW', arw],
  ['RAF', raf],
  ['ORF', orf],
  ['RW2', rw2],
]

test.each(FORMATS)('%s: its largest preview, turned as the file says, and what it says', async (_, make) => {
  const result = await render(save(await make(parts)), { only: ['display'] })
  expect(result).toMatchObject({ width: 120, height: 160 })
  expect(result.exif).toEqual({ camera: 'Canon EOS R5', iso: 800, shutterSpeed: '1/125' })
  expect(result.place).toEqual({ latitude: -31.23037, longitude: 121.4737 })
  expect([result.takenAt, result.takenOffset]).toEqual(['2024-01-15T10:30:00.000Z', 480])
  expect(await shown(result, 'display')).toEqual(['white', 'red', 'black', 'blue'])
})

test('a damaged preview gives way to the next smaller one', async () => {
  const damaged = { ...parts, preview: parts.preview.subarray(0, parts.preview.length / 2) }
  const { width, height } = await render(save(nef(damaged)), { only: ['display'] })
  expect([width, height]).toEqual([24, 32])
})

test('a file without a preview is refused with a code of its own', async () => {
  const nothing = { ...parts, preview: Buffer.from('no jpeg'), thumbnail: Buffer.from('none') }
  for (const make of [nef, dng]) expect(await failure(save(make(nothing)))).toBe('NO_PREVIEW')
})

test('the tiles of a lossy DNG are no preview', async () => {
  const raw = readRaw(dng(parts, await quarters(512, 512)))
  expect(raw?.previews.map(({ width }) => width)).toEqual([160, 32])
})

test('a TIFF of a scanner, with its own tags of a camera, is no RAW file', async () => {
  const tiff = await sharp(parts.preview)
    .tiff()
    .withExif({ IFD0: { Make: 'Nikon', Model: 'Coolscan' } })
    .toBuffer()
  expect(readRaw(tiff)).toBeUndefined()
})

/** Every byte of the structure in turn, and every length at which the file could end. */
test.each(FORMATS)('%s: damage is never an error of this code', async (_, make) => {
  const file = await make({ ...parts, preview: parts.thumbnail })
  for (let at = 0; at < Math.min(file.length, 700); at++) {
    const damaged = Buffer.from(file)
    damaged[at] = 0xff
    for (const bytes of [damaged, file.subarray(0, at)]) {
      const raw = readRaw(bytes)
      if (at % 16 === 0 && raw?.metadata) readFacts([raw.metadata])
    }
  }
})
