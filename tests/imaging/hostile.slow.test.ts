import { describe, expect, test } from 'bun:test'
import type { SourceKind } from '../../src/imaging/protocol.ts'
import { fixture, fixturePath, onePage, patched, pdf, stream, workshop } from './support.ts'

const { dir, save, failure, leftovers } = workshop()

const cut = (name: string, share: number) => {
  const whole = fixture(name)
  return whole.subarray(0, Math.floor(whole.length * share))
}

describe('unreadable', () => {
  test.each<[string, SourceKind, () => string | Uint8Array]>([
    ['an empty file', 'video', () => ''],
    ['an empty file', 'pdf', () => ''],
    ['text', 'video', () => 'not a video at all\n'.repeat(100)],
    ['text', 'pdf', () => 'not a PDF at all\n'.repeat(100)],
    ['sound without pictures', 'video', () => fixture('audio-only.mp4')],
    ['a document that asks for a password', 'pdf', () => fixture('encrypted.pdf')],
    [
      'a document without pages',
      'pdf',
      () => pdf(['<</Type/Catalog/Pages 2 0 R>>', '<</Type/Pages/Kids[]/Count 0>>']),
    ],
    ['half a document', 'pdf', () => fixture('encrypted.pdf').subarray(0, 300)],
    ['a video', 'pdf', () => fixture('h264.mp4')],
    ['a document', 'video', () => onePage('0 0 9 9 re f')],
    [
      'a picture of 16384 × 16384 by its container',
      'video',
      () => patched(fixture('h264.mp4'), '00a0005a00480000', '4000400000480000'),
    ],
    [
      'a picture of 16383 × 16383 by its VP8 stream',
      'video',
      () => patched(fixture('vp8.webm'), '9d012aa0005a00', '9d012aff3fff3f'),
    ],
    [
      'a picture of 16384 × 16384 by its VP9 stream',
      'video',
      () => patched(fixture('vp9.webm'), '4983420009f00596', '49834203fff3fff6'),
    ],
  ])('%s, taken for a %s', async (_, kind, content) => {
    expect(await failure(save(content()), kind)).toBe('UNREADABLE')
  })

  test('a picture with another ending, a directory, nothing', async () => {
    const { drawPlaceholder } = await import('../../src/imaging/placeholder.ts')
    const picture = save(await drawPlaceholder('pdf'), 'picture.pdf')
    expect<string[]>(
      await Promise.all([
        failure(picture, 'pdf'),
        failure(picture, 'video'),
        failure(dir, 'pdf'),
        failure(`${dir}/nothing.mp4`, 'video'),
      ]),
    ).toEqual(Array<string>(4).fill('UNREADABLE'))
  })

  // A decoder that followed them would make a preview of the video that they name.
  test('lists of files', async () => {
    const video = fixturePath('h264.mp4')
    const lists = [
      `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://${video}\n#EXT-X-ENDLIST\n`,
      `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-MAP:URI="${video}"\n#EXTINF:5,\n/etc/passwd\n#EXT-X-ENDLIST\n`,
      `ffconcat version 1.0\nfile '${video}'\nfile '/etc/passwd'\n`,
      `<?xml version="1.0"?><MPD><Period><BaseURL>${video}</BaseURL></Period></MPD>`,
    ]
    const failures = await Promise.all(
      lists.map((list, index) => failure(save(list, `list-${index}.mp4`), 'video')),
    )
    expect(failures).toEqual(lists.map(() => 'UNREADABLE'))
  })
})

describe('cut off', () => {
  const RENDERED: string = expect.stringContaining('"width":160')

  // Its index ends at 46 %, its first picture at 73 %, and the picture at one second, which is taken, at 81 %.
  test('an mp4 whose index comes first', async () => {
    const shares = [0.01, 0.2, 0.45, 0.6, 0.8, 0.99]
    const results = await Promise.all(shares.map((share) => failure(save(cut('h264.mp4', share)), 'video')))
    expect(results).toEqual([...Array<string>(4).fill('UNREADABLE'), RENDERED, RENDERED])
  })

  test('an mp4 whose index comes last, and one in fragments', async () => {
    const cuts = [cut('rotated.mp4', 0.5), cut('rotated.mp4', 0.95), cut('fragmented.mp4', 0.6)]
    const results = await Promise.all(cuts.map((bytes) => failure(save(bytes), 'video')))
    expect(results).toEqual(['UNREADABLE', 'UNREADABLE', RENDERED])
  })

  // Its first cluster ends at 40 %.
  test('a webm', async () => {
    const results = await Promise.all(
      [0.1, 0.3, 0.5, 0.9].map((share) => failure(save(cut('vp8.webm', share)), 'video')),
    )
    expect(results).toEqual(['UNREADABLE', 'UNREADABLE', RENDERED, RENDERED])
  })
})

describe('too much', () => {
  test('a page that unpacks to 512 MB of nothing', async () => {
    expect(await failure(fixturePath('contents-512m.pdf'), 'pdf', { limits: { memoryMiB: 96 } })).toBe(
      'MEMORY',
    )
  })

  test('a form that draws itself twice', async () => {
    const form = stream(
      '/F Do /F Do',
      '/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>',
    )
    const file = save(onePage('/F Do', { resources: '/XObject<</F 5 0 R>>', objects: [form] }))
    expect(await failure(file, 'pdf', { limits: { memoryMiB: 96 } })).toBe('MEMORY')
  })

  test('400 million pixels, with half a second for them', async () => {
    const limits = { milliseconds: 500 }
    expect(await failure(fixturePath('picture-400m.pdf'), 'pdf', { limits })).toBe('BUSY')
  })

  test('400 million pixels, with a second of the processor for them', async () => {
    const limits = { milliseconds: 60_000, cpuSeconds: 1 }
    expect(await failure(fixturePath('picture-400m.pdf'), 'pdf', { limits })).toBe('TIMEOUT')
  })
})

test('nothing of all this is left', () => {
  expect(leftovers()).toEqual([])
})
