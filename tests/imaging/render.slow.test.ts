import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { drawPlaceholder } from '../../src/imaging/placeholder.ts'
import { renderPreview } from '../../src/imaging/render.ts'
import { failureOf } from '../support/failure.ts'
import { BOX, coloursAt, fixture, fixturePath, onePage, processesOf, textPdf, workshop } from './support.ts'

const { dir, save, render, failure, leftovers } = workshop()

/** Four seconds, 160 × 90: the left half red, the right half blue. */
const SIDES: [number, number][] = [
  [0.2, 0.5],
  [0.8, 0.5],
]

describe('a video', () => {
  test.each(['h264.mp4', 'vp9.webm'])('%s', async (name) => {
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

  test('that begins with two seconds of black, with no other key frame, shows what follows', async () => {
    const { jpeg } = await render(fixturePath('black-first.mp4'), 'video')
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

  test('Chinese in a font that it does not bring is drawn', async () => {
    const file = save(textPdf('STSong-Light', 'UniGB-UCS2-H', 'GB1', '4F60597D'))
    const { jpeg } = await render(file, 'pdf')
    expect((await sharp(jpeg).stats()).channels[0]!.min).toBeLessThan(64)
  })

  test('Korean without a font fails, instead of a white picture', async () => {
    const file = save(textPdf('HYSMyeongJo-Medium', 'UniKS-UCS2-H', 'Korea1', 'C548B155'))
    expect(await failure(file, 'pdf')).toBe('UNREADABLE')
  })

  test('a page of 100,000 × 100,000 points', async () => {
    const page = onePage('1 0 0 rg 0 0 100000 100000 re f', { box: '0 0 100000 100000' })
    const { jpeg, ...preview } = await render(save(page), 'pdf')
    expect(preview).toEqual({ width: 360, height: 360, pages: 1 })
    expect(await coloursAt(jpeg, [[0.5, 0.5]])).toEqual(['red'])
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
    const input = fixturePath('h264.mp4')
    const rendering = failureOf(
      renderPreview({ input, kind: 'video', box: BOX, output }, { signal: controller.signal }),
    )
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
    const error = await failureOf(render(fixturePath('h264.mp4'), 'video', { signal: AbortSignal.abort() }))
    expect(error.name).toBe('AbortError')
    expect(leftovers()).toEqual([])
  })
})

test.each(['video', 'pdf', 'photo'] as const)(
  'the placeholder for a %s is a JPEG, the same each time',
  async (kind) => {
    const [first, second] = await Promise.all([drawPlaceholder(kind), drawPlaceholder(kind)])
    expect(first.equals(second)).toBe(true)
    expect(await sharp(first).metadata()).toMatchObject({ format: 'jpeg', width: 640, height: 360 })
  },
)
