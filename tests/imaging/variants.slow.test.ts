/** Each form of the files that render.slow.test.ts has one example of. */
import { describe, expect, test } from 'bun:test'
import sharp from 'sharp'
import { coloursAt, fixture, fixturePath, onePage, patched, pdf, textPdf, workshop } from './support.ts'

const { save, render, failure } = workshop()

/** Four seconds, 160 × 90: the left half red, the right half blue. */
const SIDES: [number, number][] = [
  [0.2, 0.5],
  [0.8, 0.5],
]

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
  test.each(['vp8.webm', 'hevc.mp4', 'av1.mp4'])('%s', async (name) => {
    const { jpeg, ...preview } = await render(fixturePath(name), 'video')
    expect(preview).toEqual({ width: 160, height: 90, durationSeconds: 4 })
    expect(await coloursAt(jpeg, SIDES)).toEqual(['red', 'blue'])
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

  test('in fragments, without a duration in its header: it is that of its packets', async () => {
    const { jpeg, ...preview } = await render(fixturePath('fragmented.mp4'), 'video')
    expect(preview).toEqual({ width: 160, height: 90, durationSeconds: 4.2 })
    expect(await coloursAt(jpeg, SIDES)).toEqual(['red', 'blue'])
  })
})

describe('a PDF', () => {
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
    ['Chinese in GBK', 'SimSun', 'GBK-EUC-H', 'GB1', 'C4E3BAC3'],
    ['traditional Chinese', 'MSung-Light', 'UniCNS-UCS2-H', 'CNS1', '7E419AD4'],
    ['Japanese', 'HeiseiMin-W3', 'UniJIS-UCS2-H', 'Japan1', '65E5672C'],
  ])('%s in a font that it does not bring is drawn', async (_, font, encoding, ordering, text) => {
    const { jpeg } = await render(save(textPdf(font, encoding, ordering, text)), 'pdf')
    expect((await sharp(jpeg).stats()).channels[0]!.min).toBeLessThan(64)
  })

  test.each([['glyph numbers of an unknown font', 'Mystery', 'Identity-H', 'Identity', '0CEA0A75']])(
    '%s without a font fails, instead of a white picture',
    async (_, font, encoding, ordering, text) => {
      expect(await failure(save(textPdf(font, encoding, ordering, text)), 'pdf')).toBe('UNREADABLE')
    },
  )

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
