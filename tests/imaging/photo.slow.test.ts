/** Photos of further formats, and further damage to photos, each in a child process. */
import { describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { renderPhoto } from '../../src/imaging/photo.ts'
import { quarters } from '../support/photo-fixtures.ts'
import { tiffOf } from '../support/tiff.ts'
import { photoWorkshop, SIZES } from './photo-support.ts'

const { dir, save, render, read, shown, failure } = photoWorkshop()
const INITIAL = ['red', 'blue', 'white', 'black']
const picture = await quarters(400, 300)
const heic = readFileSync(join(import.meta.dir, '../fixtures/photos/iphone.heic'))

describe('formats', () => {
  test.each([
    ['WebP', () => sharp(picture).webp().toBuffer()],
    ['TIFF', () => sharp(picture).tiff().toBuffer()],
    ['BigTIFF', () => sharp(picture).tiff({ bigtiff: true }).toBuffer()],
    ['AVIF', () => sharp(picture).avif({ effort: 0 }).toBuffer()],
  ])('%s', async (_, make) => {
    const result = await render(save(await make()), { only: ['display'] })
    expect([result.width, result.height]).toEqual([400, 300])
    expect(await shown(result, 'display')).toEqual(INITIAL)
  })

  test('TIFF with the layers of an editor, which are many times as large as the picture', async () => {
    const pixels = Buffer.alloc(64 * 48 * 3, 0x55)
    const layers = Buffer.alloc(30 * 1024 * 1024, 1)
    const tiff = tiffOf([
      [
        { tag: 0x0100, type: 'long', value: [64] },
        { tag: 0x0101, type: 'long', value: [48] },
        { tag: 0x0102, type: 'short', value: [8, 8, 8] },
        { tag: 0x0103, type: 'short', value: [1] },
        { tag: 0x0106, type: 'short', value: [2] },
        { tag: 0x010f, type: 'ascii', value: 'Canon' },
        { tag: 0x0111, type: 'blob', value: [pixels] },
        { tag: 0x0115, type: 'short', value: [3] },
        { tag: 0x0117, type: 'long', value: [pixels.length] },
        { tag: 0x935c, type: 'undefined', value: layers },
      ],
    ])
    const result = await render(save(tiff), { only: ['display'], limits: { memoryMiB: 512 } })
    expect([result.width, result.height, result.exif.camera]).toEqual([64, 48, 'Canon'])
  })

  test('of a WebP with a thousand pictures, the first', async () => {
    const [side, count] = [16, 1000]
    const pixels = Buffer.alloc(side * side * count * 3)
    for (let i = 0; i < pixels.length; i++)
      pixels[i] = i < side * side * 3 ? (i % 3 === 0 ? 255 : 0) : i % 251
    const raw = { width: side, height: side * count, channels: 3 as const, pageHeight: side }
    const webp = await sharp(pixels, { raw }).webp({ effort: 0 }).toBuffer()
    expect((await sharp(webp, { pages: -1 }).metadata()).pages).toBe(count)
    const result = await render(save(webp), { only: ['display', 'webp'] })
    expect([result.width, result.height]).toEqual([side, side])
    expect(await shown(result, 'display')).toEqual(['red', 'red', 'red', 'red'])
    expect((await sharp(read(result, 'webp')).metadata()).pages ?? 1).toBe(1)
  })
})

describe('bad files', () => {
  const half = Math.floor(picture.length / 2)
  const noise = Buffer.from(picture)
  for (let i = half; i < picture.length - 2; i++) noise[i] = (i * 7919) % 251
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('this is no photo')],
    ['a JPEG with other bytes in its picture', noise],
    ['the head of a JPEG', picture.subarray(0, 20)],
    ['a HEIC that ends too early', heic.subarray(0, heic.length - 300)],
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['a PNG without pixels', header(8, 8)],
  ])('%s is UNREADABLE', async (_, file) => {
    expect(await failure(save(file))).toBe('UNREADABLE')
  })

  test.each([
    ['PNG', header(30_000, 30_000)],
    ['HEIC', enlargedHeic(Buffer.from(heic))],
  ])('a %s of 30,000 × 30,000 pixels is refused before memory is taken', async (_, file) => {
    expect(await failure(save(file), { limits: { memoryMiB: 128, cpuSeconds: 3 } })).toBe('TOO_MANY_PIXELS')
  })

  test('harmless departures from the standard are no damage', async () => {
    const scan = picture.indexOf(Buffer.from([0xff, 0xda]))
    const frame = picture.indexOf(Buffer.from([0xff, 0xc0]))
    const extraneous = Buffer.concat([
      picture.subarray(0, frame),
      Buffer.from('odd'),
      picture.subarray(frame),
    ])
    const spectral = Buffer.from(picture)
    spectral[scan + 2 + 2 + 1 + 3 * 2 + 1] = 0
    for (const file of [extraneous, spectral]) {
      expect(await shown(await render(save(file), { only: ['display'] }), 'display')).toEqual(INITIAL)
    }
  })
})

test('a rendition that is larger than the limit, and a directory that can not be written', async () => {
  const display = { maxWidth: 2000, maxHeight: 2000, qualityJpg: 100, qualityWebp: 100 }
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 }
  const noisy = sharp({ create: { width: 1500, height: 1500, channels: 3, background: '#888', noise } })
  const input = save(await noisy.jpeg({ quality: 95 }).toBuffer())
  expect(await failure(input, { only: ['display'], display, limits: { fileMiB: 1 } })).toBe('MEMORY')
  // A directory stands where the file belongs. Whether another try may succeed is for the caller to decide.
  const output = mkdtempSync(join(dir, 'blocked-'))
  mkdirSync(join(output, 'display.jpg'))
  const blocked = renderPhoto({ input: save(picture), output, ...SIZES, only: ['display'] })
  await expect(blocked).rejects.toMatchObject({ code: 'CRASHED' })
})

/** A PNG with nothing behind its header. */
function header(width: number, height: number): Buffer {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000000000000008020000000000000000000000', 'hex')
  png.writeUInt32BE(width, 16)
  png.writeUInt32BE(height, 20)
  png.writeUInt32BE(Bun.hash.crc32(png.subarray(12, 29)), 29)
  const end = Buffer.from('0000000049444154 35af061e 0000000049454e44ae426082'.replaceAll(' ', ''), 'hex')
  return Buffer.concat([png.subarray(0, 33), end])
}

/** The sizes that the grid has, in its data and in its property. */
function enlargedHeic(heic: Buffer): Buffer {
  const size = Buffer.from('000000a000000078', 'hex')
  for (let at = heic.indexOf(size); at >= 0; at = heic.indexOf(size, at + 8)) {
    heic.writeUInt32BE(30_000, at)
    heic.writeUInt32BE(30_000, at + 4)
  }
  return heic
}
