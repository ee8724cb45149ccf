import { describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { thumbHashToRGBA } from 'thumbhash'
import { checkedFacts, checkedRenditions } from '../../src/imaging/photo/answer.ts'
import { decodeBase, encode } from '../../src/imaging/photo/renditions.ts'
import { openSource } from '../../src/imaging/photo/source.ts'
import { renderPhoto } from '../../src/imaging/photo.ts'
import { failureOf } from '../support/failure.ts'
import { exifBlock, jpegWith, quarters, twoColours, xmpPacket } from '../support/photo-fixtures.ts'
import { nef } from '../support/raw-fixtures.ts'
import { photoWorkshop, SIZES } from './photo-support.ts'
import { processesOf } from './support.ts'

const { dir, save, render, read, shown, failure } = photoWorkshop()
const fixture = (name: string) => join(import.meta.dir, '../fixtures/photos', name)
const INITIAL = ['red', 'blue', 'white', 'black']
const DISPLAY = { name: 'display', step: 'optimization', format: 'jpeg', quality: 85 } as const

const picture = await quarters(400, 300)
const gif = await sharp(await quarters(8, 8))
  .gif()
  .toBuffer()

describe('a JPEG', () => {
  const full = async () =>
    await jpegWith(
      {
        exif: exifBlock({
          make: 'Maker',
          model: 'Secret Model',
          serial: 'Secret Serial',
          gps: { latitude: 31.23037, longitude: 121.4737 },
          thumbnail: await quarters(32, 24),
        }),
        xmp: xmpPacket({ 'photoshop:City': 'Secret City' }, { extended: true }),
        extendedXmp: xmpPacket({ 'photoshop:City': 'Secret Extension' }),
        iptc: { byline: 'Secret Name' },
        icc: (await sharp(await sharp(picture).withIccProfile('p3').toBuffer()).metadata()).icc!,
        segments: [[0xfe, Buffer.from('Secret Comment')]],
        after: Buffer.from('Secret Film'),
      },
      picture,
    )

  test('five renditions of their sizes without a byte of metadata, and each step said as it begins', async () => {
    const steps: string[] = []
    const result = await render(save(await full()), { onStep: (step) => steps.push(step) })
    expect(steps).toEqual(['exif_extraction', 'generating_thumbnails', 'optimization'])
    expect(result).toMatchObject({ width: 400, height: 300, exif: { camera: 'Maker Secret Model' } })
    expect(result.place).toMatchObject({ latitude: 31.23037, city: expect.stringMatching(/^Secret/) })
    expect(result.renditions.map(({ name, width, height }) => [name, width, height])).toEqual([
      ['thumb_small', 24, 18],
      ['thumb_medium', 48, 36],
      ['thumb_large', 96, 72],
      ['display', 240, 180],
      ['webp', 240, 180],
    ])
    for (const { name, path, width, height, size } of result.renditions) {
      const bytes = read(result, name)
      expect(bytes.length).toBe(size)
      expect(bytes.toString('latin1')).not.toMatch(/Secret|Exif|EXIF|XMP|http|ICC|8BIM|MPF/)
      const { format, exif, xmp, iptc, icc, ...metadata } = await sharp(bytes).metadata()
      expect([exif, xmp, iptc, icc]).toEqual([undefined, undefined, undefined, undefined])
      expect(metadata).toMatchObject({ width, height, space: 'srgb' })
      expect([path.slice(-4), format]).toEqual(name === 'webp' ? ['webp', 'webp'] : ['.jpg', 'jpeg'])
      expect(await shown(result, name)).toEqual(INITIAL)
    }
    const { w, h, rgba } = thumbHashToRGBA(Buffer.from(result.placeholder, 'base64'))
    expect(w / h).toBeCloseTo(4 / 3, 0)
    expect(rgba[3]).toBe(255)
  })

  test('a watermark: a second set, of the same sizes; the first one is as without it', async () => {
    const input = save(
      await sharp({ create: { width: 400, height: 300, channels: 3, background: '#888' } })
        .png()
        .toBuffer(),
    )
    /** The lowest and the highest grey of a half of the display picture. */
    const greys = async (path: string, half: 'upper' | 'lower') => {
      const picture = await sharp(path)
        .greyscale()
        .extract({ left: 0, top: half === 'upper' ? 0 : 90, width: 240, height: 90 })
        .toBuffer()
      const { min, max } = (await sharp(picture).stats()).channels[0]!
      return [min, max]
    }
    // Chinese and markup, which stands for itself.
    const watermark = { text: '水印 & <b>"©', position: 'bottom_right', opacity: 100, size: 80 } as const
    const { renditions } = await render(input, { watermark })
    expect(renditions.map(({ name, marked }) => [name, marked ?? false])).toEqual([
      ...renditions.slice(0, 5).map(({ name }) => [name, false]),
      ...renditions.slice(0, 5).map(({ name }) => [name, true]),
    ])
    const [clean, marked] = renditions.filter(({ name }) => name === 'display')
    expect([marked!.width, marked!.height]).toEqual([clean!.width, clean!.height])
    for (const half of ['upper', 'lower'] as const) expect(await greys(clean!.path, half)).toEqual([136, 136])
    const [darkest, brightest] = await greys(marked!.path, 'lower')
    expect([darkest! < 60, brightest! > 220]).toEqual([true, true])
    expect(await greys(marked!.path, 'upper')).toEqual([136, 136])
    const only = await render(input, {
      watermark: { ...watermark, position: 'top_left' },
      onlyMarked: true,
      only: ['display'],
    })
    expect(only.renditions.map(({ name, marked }) => [name, marked])).toEqual([['display', true]])
    expect((await greys(only.renditions[0]!.path, 'upper'))[1]).toBeGreaterThan(220)
  })

  test('only the renditions that are asked for, and no step without one', async () => {
    const steps: string[] = []
    const only = ['webp'] as const
    const { renditions } = await render(save(picture), { only, onStep: (step) => steps.push(step) })
    expect(renditions.map(({ name }) => name)).toEqual(['webp'])
    expect(steps).toEqual(['exif_extraction', 'optimization'])
  })

  test('is never enlarged', async () => {
    const { renditions } = await render(save(await quarters(40, 30)))
    expect(renditions.map(({ width }) => width)).toEqual([24, 40, 40, 40, 40])
  })

  test('a thumbnail may be larger than the display size', async () => {
    const thumbs = { thumb_small: 24, thumb_medium: 48, thumb_large: 380 }
    const { renditions } = await render(save(picture), { thumbs })
    expect(renditions.map(({ width }) => width)).toEqual([24, 48, 380, 240, 240])
  })
})

/** What the quarters become, by the orientation of EXIF. */
const TURNED: Record<number, string[]> = {
  1: ['red', 'blue', 'white', 'black'],
  2: ['blue', 'red', 'black', 'white'],
  3: ['black', 'white', 'blue', 'red'],
  4: ['white', 'black', 'red', 'blue'],
  5: ['red', 'white', 'blue', 'black'],
  6: ['white', 'red', 'black', 'blue'],
  7: ['black', 'blue', 'white', 'red'],
  8: ['blue', 'black', 'red', 'white'],
}

describe('orientation', () => {
  /** In this process, because these files are our own. */
  const inspected = async (file: Uint8Array) => {
    const source = openSource(save(file))
    const opened = await source.pictures[0]!()
    const base = await decodeBase(opened, [{ ...DISPLAY, box: { width: 200, height: 200 } }])
    const quarter = (x: number, y: number) => {
      const at = (Math.floor(y * base.height) * base.width + Math.floor(x * base.width)) * base.channels
      return [...base.data.subarray(at, at + 3)].map((value) => (value > 127 ? 1 : 0)).join('')
    }
    const NAMES: Record<string, string> = { '100': 'red', '001': 'blue', '111': 'white', '000': 'black' }
    return {
      size: [opened.width, opened.height],
      base: [base.width, base.height],
      colours: [quarter(0.25, 0.25), quarter(0.75, 0.25), quarter(0.25, 0.75), quarter(0.75, 0.75)].map(
        (bits) => NAMES[bits] ?? bits,
      ),
    }
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    '%d, of a JPEG and of the preview of a RAW file',
    async (orientation) => {
      const preview = picture
      const size = orientation < 5 ? [400, 300] : [300, 400]
      const base = orientation < 5 ? [200, 150] : [150, 200]
      const expected = { size, base, colours: TURNED[orientation]! }
      const jpeg = await jpegWith({ exif: exifBlock({ orientation }) }, picture)
      expect(await inspected(jpeg)).toEqual(expected)
      // The preview's own orientation does not count.
      const parts = { thumbnail: await quarters(32, 24), facts: { orientation } }
      const turned = await jpegWith({ exif: exifBlock({ orientation: 3 }) }, preview)
      expect(await inspected(nef({ ...parts, preview: turned }))).toEqual(expected)
    },
  )

  test('one that does not exist', async () => {
    const jpeg = await jpegWith({ exif: exifBlock({ orientation: 42 }) }, picture)
    expect((await inspected(jpeg)).colours).toEqual(TURNED[1]!)
  })
})

describe('colours', () => {
  /** The middle of a rendition that is made in this process, because these files are our own. */
  const middle = async (file: Uint8Array, format: 'jpeg' | 'webp' = 'jpeg') => {
    const spec = { ...DISPLAY, format, box: { width: 320, height: 180 } }
    const base = await decodeBase(await openSource(save(file)).pictures[0]!(), [spec])
    const made = await encode(base, spec)
    const { data, info } = await sharp(made.data).raw().toBuffer({ resolveWithObject: true })
    const at = (Math.floor(info.height / 2) * info.width + Math.floor(info.width / 2)) * info.channels
    return [...data.subarray(at, at + info.channels)]
  }
  const flat = (
    background: string | { r: number; g: number; b: number; alpha: number },
    channels: 3 | 4 = 3,
  ) => sharp({ create: { width: 32, height: 32, channels, background } })
  const near = (values: number[], expected: number[]) => {
    expect(values.length).toBe(expected.length)
    for (const [i, value] of values.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(5)
  }

  test('of Display P3 become those of sRGB', async () => {
    // This green is within sRGB; its numbers in Display P3 are others.
    const p3 = await flat('#40a060').withIccProfile('p3').jpeg({ quality: 100 }).toBuffer()
    const { data } = await sharp(p3, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true })
    expect(Math.abs(data[0]! - 0x40)).toBeGreaterThan(10)
    near(await middle(p3), [0x40, 0xa0, 0x60])
  })

  test('of a CMYK JPEG', async () => {
    const cmyk = await flat('#d02020').toColourspace('cmyk').withIccProfile('cmyk').jpeg().toBuffer()
    const [red, green, blue] = await middle(cmyk)
    expect(red!).toBeGreaterThan(150)
    expect(Math.max(green!, blue!)).toBeLessThan(90)
  })

  test('of 16 bits per channel', async () => {
    const deep = await flat('#40a060').toColourspace('rgb16').png().toBuffer()
    expect((await sharp(deep).metadata()).depth).toBe('ushort')
    near(await middle(deep), [0x40, 0xa0, 0x60])
  })

  test('of a grey picture', async () => {
    near(await middle(await flat('#808080').toColourspace('b-w').jpeg().toBuffer()), [128, 128, 128])
  })

  test('transparency is white in a JPEG and stays in a WebP', async () => {
    const clear = await flat({ r: 255, g: 0, b: 0, alpha: 0.5 }, 4).png().toBuffer()
    near(await middle(clear), [255, 127, 127])
    near(await middle(clear, 'webp'), [255, 0, 0, 128])
    const grey = await flat({ r: 0, g: 0, b: 0, alpha: 0 }, 4).toColourspace('b-w').png().toBuffer()
    near(await middle(grey), [255, 255, 255])
  })
})

describe('formats', () => {
  test('PNG with the name of a JPEG', async () => {
    const result = await render(save(await sharp(picture).png().toBuffer(), 'photo.jpg'), {
      only: ['display'],
    })
    expect([result.width, result.height]).toEqual([400, 300])
    expect(await shown(result, 'display')).toEqual(INITIAL)
  })

  test('HEIC of an iPhone: tiles, turned by irot alone, with the facts of its Exif item', async () => {
    const result = await render(fixture('iphone.heic'))
    expect([result.width, result.height, result.takenAt]).toEqual([120, 160, '2024-01-15T10:30:00.000Z'])
    expect(result.exif).toMatchObject({ camera: 'Apple iPhone 15 Pro', iso: 80 })
    expect(result.place).toEqual({
      latitude: 31.23037,
      longitude: 121.4737,
      altitude: 12.5,
      city: 'Heic City',
    })
    for (const name of ['display', 'webp'] as const) {
      expect(await shown(result, name)).toEqual(TURNED[6]!)
      expect(read(result, name).toString('latin1')).not.toMatch(/Heic|HEIC|Exif|EXIF/)
    }
    // Its Display P3 has been converted: this is its red, which is beyond sRGB.
    const { data } = await sharp(read(result, 'display')).raw().toBuffer({ resolveWithObject: true })
    const at = (40 * 120 + 90) * 3
    expect(data[at]!).toBeGreaterThan(250)
    expect(Math.max(data[at + 1]!, data[at + 2]!)).toBeLessThan(5)
  })

  test('HEIC with ten bits per channel, mirrored by imir', async () => {
    const result = await render(fixture('ten-bit.heic'), { only: ['display'] })
    expect(await shown(result, 'display')).toEqual(TURNED[2]!)
  })
})

describe('bad files', () => {
  test.each([
    ['a JPEG that ends too early', picture.subarray(0, picture.length / 2)],
    ['a GIF', gif],
  ])('%s is UNREADABLE', async (_, file) => {
    expect(await failure(save(file))).toBe('UNREADABLE')
  })

  test('a JPEG without its end marker is whole; one that ends earlier is damaged, even if a harmless mistake comes first', async () => {
    const spec = { ...DISPLAY, box: { width: 200, height: 200 } }
    const decoded = async (file: Uint8Array) => {
      const base = await decodeBase(await openSource(save(file)).pictures[0]!(), [spec])
      return [base.width, base.height]
    }
    const progressive = await sharp(picture).jpeg({ progressive: true }).toBuffer()
    for (const jpeg of [picture, progressive]) {
      expect(await decoded(jpeg.subarray(0, -2))).toEqual([200, 150])
      await expect(decoded(jpeg.subarray(0, -3))).rejects.toThrow('premature end')
    }
    const mistaken = Buffer.from(picture)
    mistaken[mistaken.indexOf(Buffer.from([0xff, 0xda])) + 12] = 0
    expect(await decoded(mistaken)).toEqual([200, 150])
    await expect(decoded(mistaken.subarray(0, mistaken.length / 2))).rejects.toThrow('premature end')
  })

  test('a JPEG of 30,000 × 30,000 pixels is refused before memory is taken', async () => {
    const large = Buffer.from(picture)
    const frame = large.indexOf(Buffer.from([0xff, 0xc0]))
    large.writeUInt16BE(30_000, frame + 5)
    large.writeUInt16BE(30_000, frame + 7)
    expect(await failure(save(large), { limits: { memoryMiB: 128, cpuSeconds: 3 } })).toBe('TOO_MANY_PIXELS')
  })
})

test('an abort ends the child; what it has written by then is in the folder of the caller, who deletes it', async () => {
  const controller = new AbortController()
  const input = save(await twoColours(3000, 2000).jpeg().toBuffer())
  const output = mkdtempSync(join(dir, 'aborted-'))
  const onStep = () => controller.abort(new Error('enough'))
  const error = await failureOf(
    renderPhoto({ input, output, ...SIZES, onStep }, { signal: controller.signal }),
  )
  expect(error.message).toBe('enough')
  expect(processesOf(input)).toEqual([])
  const written = readdirSync(output)
  await Bun.sleep(200)
  expect(readdirSync(output)).toEqual(written)
})

describe('a false answer of the child', () => {
  const answer = {
    width: 4,
    height: 3,
    placeholder: 'AAAAAAAA',
    exif: {},
    place: {},
    takenAt: null,
    takenOffset: null,
  }

  test('values out of range, and texts that are none, are dropped', () => {
    const facts = checkedFacts({
      ...answer,
      exif: { camera: 'a\u0001b', lens: 5 as never, iso: -1, aperture: 'x'.repeat(999), other: 'x' } as never,
      place: { latitude: 91, longitude: 1, altitude: 5, city: '\0' },
      takenAt: 'never',
      takenOffset: 5000,
    })
    expect(facts.exif).toEqual({ aperture: 'x'.repeat(200) })
    expect(facts).toMatchObject({ place: {}, takenAt: null, takenOffset: null })
    expect(
      checkedFacts({ ...answer, takenAt: '2024-01-01T00:00:00Z', takenOffset: Number.NaN }),
    ).toMatchObject({
      takenAt: '2024-01-01T00:00:00.000Z',
      takenOffset: null,
    })
    for (const takenAt of ['+010000-01-01T11:59:59.000Z', '-000001-01-01T00:00:00.000Z'])
      expect(checkedFacts({ ...answer, takenAt, takenOffset: -720 })).toMatchObject({
        takenAt: null,
        takenOffset: null,
      })
  })

  test.each([
    { width: -1 },
    { height: 1.5 },
    { width: 1e9 },
    { placeholder: 'x'.repeat(5000) },
    { placeholder: '<script>' },
  ])('is refused: %p', (part) => {
    expect(() => checkedFacts({ ...answer, ...part })).toThrow('something else than a photo')
  })

  test('facts that are no objects say nothing', () => {
    const facts = checkedFacts({ ...answer, exif: null as never, place: 'x' as never })
    expect(facts).toMatchObject({ exif: {}, place: {} })
  })

  test('files that are missing, of another kind, or links are refused', async () => {
    const output = mkdtempSync(join(dir, 'links-'))
    const specs = [{ ...DISPLAY, box: { width: 9, height: 9 } }]
    const renditions = [{ name: 'display' as const, width: 4, height: 3 }]
    const check = () => checkedRenditions({ renditions }, specs, output)
    await expect(check()).rejects.toThrow('something else than a photo')
    symlinkSync(save(picture), join(output, 'display.jpg'))
    await expect(check()).rejects.toThrow('something else than a photo')
    writeFileSync(join(output, 'other.jpg'), 'no picture')
    renameSync(join(output, 'other.jpg'), join(output, 'display.jpg'))
    await expect(check()).rejects.toThrow('something else than a photo')
    await expect(checkedRenditions({ renditions: 'x' as never }, specs, output)).rejects.toThrow(
      'something else',
    )
  })
})
