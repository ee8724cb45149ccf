import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { placeholder } from '../../src/imaging/placeholder.ts'
import { renderPreview } from '../../src/imaging/render.ts'
import {
  BOX,
  coloursAt,
  fixture,
  fixturePath,
  onePage,
  patched,
  pdf,
  processesOf,
  workshop,
} from './support.ts'

const { dir, save, render, failure, leftovers } = workshop()

/** Four seconds, 160 × 90: the left half red, the right half blue. */
const SIDES: [number, number][] = [
  [0.2, 0.5],
  [0.8, 0.5],
]

/** Two large characters, in a font that is only named. */
const textPdf = (font: string, encoding: string, ordering: string, text: string): Buffer =>
  onePage(`BT /F 100 Tf 20 60 Td <${text}> Tj ET`, {
    resources: '/Font<</F 5 0 R>>',
    objects: [
      `<</Type/Font/Subtype/Type0/BaseFont/${font}/Encoding/${encoding}/DescendantFonts[6 0 R]>>`,
      `<</Type/Font/Subtype/CIDFontType0/BaseFont/${font}/DW 1000/FontDescriptor 7 0 R` +
        `/CIDSystemInfo<</Registry(Adobe)/Ordering(${ordering})/Supplement 2>>>>`,
      `<</Type/FontDescriptor/FontName/${font}/Flags 6/FontBBox[-25 -254 1000 880]/ItalicAngle 0` +
        '/Ascent 880/Descent -120/CapHeight 880/StemV 93>>',
    ].map((object) => Buffer.from(object)),
  })

const [RED, BLUE, WHITE, BLACK] = ['red', 'blue', 'white', 'black'] as const
/** ISO/IEC 14496-12, 6.2.2: a, b, c and d of the matrix, and the corners that it shows, line by line. */
const MATRICES: Record<string, [number, number, number, number, string[]]> = {
  'as it is': [1, 0, 0, 1, [RED, BLUE, WHITE, BLACK]],
  'turned to the right': [0, 1, -1, 0, [WHITE, RED, BLACK, BLUE]],
  'upside down': [-1, 0, 0, -1, [BLACK, WHITE, BLUE, RED]],
  'turned to the left': [0, -1, 1, 0, [BLUE, BLACK, RED, WHITE]],
  'left and right exchanged': [-1, 0, 0, 1, [BLUE, RED, BLACK, WHITE]],
  'top and bottom exchanged': [1, 0, 0, -1, [WHITE, BLACK, RED, BLUE]],
  'along one diagonal': [0, 1, 1, 0, [RED, WHITE, BLUE, BLACK]],
  'along the other diagonal': [0, -1, -1, 0, [BLACK, BLUE, WHITE, RED]],
}

describe('a video', () => {
  test.each(['h264.mp4', 'vp8.webm', 'vp9.webm', 'hevc.mp4', 'av1.mp4'])('%s', async (name) => {
    const { jpeg, ...preview } = await render(fixturePath(name), 'video')
    expect(preview).toEqual({ width: 160, height: 90, durationSeconds: 4 })
    expect(await coloursAt(jpeg, SIDES)).toEqual(['red', 'blue'])
  })

  test('is turned as its file says, and fits all the same', async () => {
    const { jpeg, ...preview } = await render(fixturePath('rotated.mp4'), 'video')
    expect(preview).toEqual({ width: 203, height: 360, durationSeconds: 4 })
    // FFmpeg itself shows this for the file.
    expect(
      await coloursAt(jpeg, [
        [0.5, 0.2],
        [0.5, 0.8],
      ]),
    ).toEqual(['blue', 'red'])
  })

  test.each(['interlaced.mp4', 'described.mp4'])('%s: fields and unusual colours', async (name) => {
    const { jpeg, ...preview } = await render(fixturePath(name), 'video')
    expect(preview).toEqual({ width: 160, height: 96, durationSeconds: 4 })
    expect(await coloursAt(jpeg, SIDES)).toEqual(['red', 'blue'])
  })

  test.each(Object.entries(MATRICES))(
    'is shown by its display matrix: %s',
    async (_, [a, b, c, d, shown]) => {
      const fixed = (value: number) => (value < 0 ? 'ffff0000' : `000${value}0000`)
      const matrix = (m: number[]) =>
        `${fixed(m[0]!)}${fixed(m[1]!)}00000000${fixed(m[2]!)}${fixed(m[3]!)}00000000`
      // Only the track's matrix, which its size follows.
      const rest = '00000000000000004000000000a0000000600000'
      const file = patched(fixture('quarters.mp4'), matrix([1, 0, 0, 1]) + rest, matrix([a, b, c, d]) + rest)
      const { jpeg, width, height } = await render(save(file), 'video')
      expect([width, height]).toEqual(a === 0 ? [96, 160] : [160, 96])
      const corners = await coloursAt(jpeg, [
        [0.2, 0.2],
        [0.8, 0.2],
        [0.2, 0.8],
        [0.8, 0.8],
      ])
      expect(corners).toEqual(shown)
    },
  )

  test('that begins with two seconds of black, with no other key frame, shows what follows', async () => {
    const { jpeg } = await render(fixturePath('black-first.mp4'), 'video')
    expect(await coloursAt(jpeg, SIDES)).toEqual(['red', 'blue'])
  })

  test('in fragments, without a duration', async () => {
    const { jpeg, ...preview } = await render(fixturePath('fragmented.mp4'), 'video')
    expect(preview).toEqual({ width: 160, height: 90 })
    expect(await coloursAt(jpeg, SIDES)).toEqual(['red', 'blue'])
  })

  test('is known by its content, not by its name', async () => {
    const preview = await render(save(fixture('vp9.webm'), '-v quiet; $(id) .mp4'), 'video')
    expect(preview.width).toBe(160)
  })
})

describe('a PDF', () => {
  test('its first page, on white, in our box', async () => {
    const file = save(onePage('1 0 0 rg 0 0 150 100 re f'))
    const { jpeg, ...preview } = await render(file, 'pdf')
    expect(preview).toEqual({ width: 540, height: 360, pages: 1 })
    expect(
      await coloursAt(jpeg, [
        [0.2, 0.8],
        [0.8, 0.8],
        [0.2, 0.2],
      ]),
    ).toEqual(['red', 'white', 'white'])
  })

  test('text in a font that it does not bring', async () => {
    const font = Buffer.from('<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>')
    const text = 'BT /F 300 Tf 20 20 Td (I) Tj ET'
    const { jpeg } = await render(
      save(onePage(text, { resources: '/Font<</F 5 0 R>>', objects: [font] })),
      'pdf',
    )
    expect((await sharp(jpeg).stats()).channels[0]!.min).toBeLessThan(64)
  })

  test.each([
    ['simplified Chinese', 'STSong-Light', 'UniGB-UCS2-H', 'GB1', '4F60597D'],
    ['Chinese in GBK', 'SimSun', 'GBK-EUC-H', 'GB1', 'C4E3BAC3'],
    ['traditional Chinese', 'MSung-Light', 'UniCNS-UCS2-H', 'CNS1', '7E419AD4'],
    ['Japanese', 'HeiseiMin-W3', 'UniJIS-UCS2-H', 'Japan1', '65E5672C'],
  ])('%s in a font that it does not bring is drawn', async (_, font, encoding, ordering, text) => {
    const { jpeg } = await render(save(textPdf(font, encoding, ordering, text)), 'pdf')
    expect((await sharp(jpeg).stats()).channels[0]!.min).toBeLessThan(64)
  })

  test.each([
    ['Korean', 'HYSMyeongJo-Medium', 'UniKS-UCS2-H', 'Korea1', 'C548B155'],
    ['glyph numbers of an unknown font', 'Mystery', 'Identity-H', 'Identity', '0CEA0A75'],
  ])('%s without a font fails, instead of a white picture', async (_, font, encoding, ordering, text) => {
    expect(await failure(save(textPdf(font, encoding, ordering, text)), 'pdf')).toBe('UNREADABLE')
  })

  test('a page of spaces is white, and no failure', async () => {
    const { jpeg } = await render(save(textPdf('STSong-Light', 'UniGB-UCS2-H', 'GB1', '00200020')), 'pdf')
    expect(await coloursAt(jpeg, [[0.5, 0.5]])).toEqual(['white'])
  })

  test('5,000 pages', async () => {
    const kids = Array.from({ length: 5000 }, (_, index) => `${index + 3} 0 R`).join(' ')
    const page = '<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>'
    const file = save(
      pdf([
        '<</Type/Catalog/Pages 2 0 R>>',
        `<</Type/Pages/Kids[${kids}]/Count 5000>>`,
        ...Array.from({ length: 5000 }, () => page),
      ]),
    )
    const { jpeg, ...preview } = await render(file, 'pdf')
    expect(preview).toEqual({ width: 278, height: 360, pages: 5000 })
    expect(await coloursAt(jpeg, [[0.5, 0.5]])).toEqual(['white'])
  })

  test.each([
    ['0 0 100000 100000', { width: 360, height: 360 }],
    ['0 0 100000 1', { width: 640, height: 1 }],
    ['0 0 1 100000', { width: 1, height: 360 }],
  ])('a page of %s points', async (box, size) => {
    const { jpeg, ...preview } = await render(
      save(onePage('1 0 0 rg 0 0 100000 100000 re f', { box })),
      'pdf',
    )
    expect(preview).toEqual({ ...size, pages: 1 })
    expect(await coloursAt(jpeg, [[0.5, 0.5]])).toEqual(['red'])
  })

  test('a picture of 400 million pixels in 1,400 bytes', async () => {
    const { jpeg } = await render(fixturePath('picture-400m.pdf'), 'pdf')
    expect(await coloursAt(jpeg, [[0.5, 0.5]])).toEqual(['black'])
  })
})

test('four at once', async () => {
  const file = save(onePage('1 0 0 rg 0 0 300 200 re f'))
  const previews = await Promise.all([
    render(fixturePath('h264.mp4'), 'video'),
    render(file, 'pdf'),
    render(fixturePath('vp9.webm'), 'video'),
    render(file, 'pdf'),
  ])
  expect(previews.map(({ width }) => width)).toEqual([160, 540, 160, 540])
  expect(leftovers()).toEqual([])
})

describe('aborted', () => {
  const aborted = async (ms: number) => {
    const controller = new AbortController()
    const output = join(dir, 'aborted.jpg')
    const rendering = renderPreview(
      { input: fixturePath('h264.mp4'), kind: 'video', box: BOX, output },
      { signal: controller.signal },
    ).catch((error) => error)
    await Bun.sleep(ms)
    const start = performance.now()
    controller.abort(new Error('enough'))
    const error = await rendering
    return { error, ms: performance.now() - start, output }
  }

  test.each([0, 60])('after %d ms, the child is gone within a second', async (ms) => {
    const result = await aborted(ms)
    expect(result.error.message).toBe('enough')
    expect(result.ms).toBeLessThan(1000)
    expect(existsSync(result.output)).toBe(false)
    expect(processesOf(fixturePath('h264.mp4'))).toEqual([])
    expect(leftovers()).toEqual([])
  })

  test('before it began, nothing is started', async () => {
    const error = await render(fixturePath('h264.mp4'), 'video', { signal: AbortSignal.abort() }).catch(
      (e) => e,
    )
    expect(error.name).toBe('AbortError')
    expect(leftovers()).toEqual([])
  })
})

test.each(['video', 'pdf'] as const)(
  'the placeholder for a %s is a JPEG, the same each time',
  async (kind) => {
    const [first, second] = await Promise.all([placeholder(kind), placeholder(kind)])
    expect(first.equals(second)).toBe(true)
    expect(await sharp(first).metadata()).toMatchObject({ format: 'jpeg', width: 640, height: 360 })
  },
)
