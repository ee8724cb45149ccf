import { expect, test } from 'bun:test'
import { type MultipartFile, readMultipart, readMultipartFiles } from '../../src/http/multipart.ts'
import { UPLOAD_PACE } from '../../src/http/pace.ts'
import { mp4, rawForm } from '../support/files.ts'

const BODY = rawForm('b', mp4())
const PACE = { bytes: 1000, ms: 300 }
const request = (body: ReadableStream) =>
  new Request('http://x/', {
    method: 'POST',
    body,
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  })

test('a body that does not go on is given up, and so is its file', async () => {
  const body = new ReadableStream({ start: (controller) => controller.enqueue(BODY.subarray(0, 1000)) })
  let file: unknown
  const reading = readMultipart(
    request(body),
    'file',
    async (incoming) => {
      try {
        for await (const _ of incoming.body);
      } catch (error) {
        file = error
        throw error
      }
    },
    PACE,
  )
  await expect(reading).rejects.toMatchObject({ code: 'UPLOAD_TOO_SLOW' })
  expect(file).toBeInstanceOf(Error)
})

test('what is slow to be stored is not given up', async () => {
  const big = rawForm('b', mp4(1_000_000))
  let taken = 0
  const body = new ReadableStream({
    pull(controller) {
      if (taken >= big.byteLength) return controller.close()
      controller.enqueue(big.subarray(taken, taken + 50_000))
      taken += 50_000
    },
  })
  let size = 0
  const fields = await readMultipart(
    request(body),
    'file',
    async (incoming) => {
      await Bun.sleep(PACE.ms * 3)
      for await (const chunk of incoming.body) size += chunk.byteLength
    },
    PACE,
  )
  expect([size, fields.get('title')]).toEqual([1_000_000, 'raw'])
})

/** A body in pieces, with a pause before each. */
const inPieces = (whole: Uint8Array, piece: number, everyMs: number) => {
  let taken = 0
  return new ReadableStream({
    async pull(controller) {
      await Bun.sleep(everyMs)
      if (taken >= whole.byteLength) return controller.close()
      controller.enqueue(whole.subarray(taken, taken + piece))
      taken += piece
    },
  })
}
const swallow = async ({ body }: MultipartFile) => {
  for await (const _ of body);
}

test('a client that sends a byte now and then is cut off, however long its pauses are', async () => {
  const body = inPieces(BODY, 1, 20)
  const start = performance.now()
  const reading = readMultipart(request(body), 'file', swallow, { bytes: 1000, ms: 500 })
  await expect(reading).rejects.toMatchObject({ code: 'UPLOAD_TOO_SLOW' })
  expect(performance.now() - start).toBeGreaterThan(450)
})

test('a slow line that keeps the pace is not, though it takes many times as long', async () => {
  const whole = rawForm('b', mp4(20_000))
  const fields = await readMultipart(request(inPieces(whole, 500, 20)), 'file', swallow, {
    bytes: 1000,
    ms: 500,
  })
  expect(fields.get('title')).toBe('raw')
})

test('the pace of uploads lets 8 KB/s through, with pauses, and no byte every five seconds', () => {
  const perSecond = UPLOAD_PACE.bytes / (UPLOAD_PACE.ms / 1000)
  expect(perSecond).toBeLessThanOrEqual(8192 / 4)
  expect(perSecond).toBeGreaterThan(100)
  expect(UPLOAD_PACE.ms).toBeGreaterThanOrEqual(20_000)
  expect(UPLOAD_PACE.ms).toBeLessThanOrEqual(60_000)
})

const typed = (type: string) =>
  new Request('http://x/', { method: 'POST', body: BODY, headers: { 'content-type': type } })

test.each([
  ['of no characters', ''],
  ['of 201 characters', 'x'.repeat(201)],
  ['of 252 characters', 'x'.repeat(252)],
  ['of 253 characters', 'x'.repeat(253)],
  ['of 10,000 characters', 'x'.repeat(10_000)],
  ['of 253 characters in quotes', `"${'x'.repeat(253)}"`],
  ['beyond ASCII', '"bö"'],
  ['that is another', 'c'],
  ['with half of its quotes', '"'],
])('a boundary %s is refused as bad input', async (_, boundary) => {
  const reading = readMultipart(typed(`multipart/form-data; boundary=${boundary}`), 'file', swallow)
  await expect(reading).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
})

test.each(['b', '"b"', 'b; charset=utf-8', '"b" ; boundary=c'])(
  'a boundary %p is understood',
  async (text) => {
    const fields = await readMultipart(typed(`multipart/form-data; boundary=${text}`), 'file', swallow)
    expect(fields.get('title')).toBe('raw')
  },
)

/** Reads a body with these parts, and returns names and contents. */
async function parts(...texts: string[]) {
  const body = Buffer.from(`${texts.map((text) => `--b\r\n${text}\r\n`).join('')}--b--\r\n`, 'latin1')
  const files: unknown[] = []
  const fields = await readMultipart(
    new Request('http://x/', {
      method: 'POST',
      body,
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
    }),
    'file',
    async ({ filename, body }, known) => {
      const before = Object.fromEntries(known)
      const chunks: Uint8Array[] = []
      for await (const chunk of body) chunks.push(Buffer.from(chunk))
      files.push([filename, Buffer.concat(chunks).toString(), before])
    },
  )
  return { files, fields: Object.fromEntries(fields) }
}
const FILE = 'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\nfile'

test('filename* wins, fields before the file are known to it, other parts count for nothing', async () => {
  const utf8 = Buffer.from('Ž').toString('latin1')
  expect(
    await parts(
      `Content-Disposition: form-data; name="title"\r\n\r\n${utf8}`,
      'Content-Disposition: form-data; name="gbk"\r\nContent-Type: text/plain; charset=GBK\r\n\r\n\xbf\xce',
      'Content-Disposition: form-data; name="odd"\r\nContent-Type: text/plain; charset=x-nope\r\n\r\nodd',
      'Content-Disposition: attachment; name="title"\r\n\r\nno form data',
      'X-Nothing: 1\r\n\r\nno disposition',
      `Content-Disposition: form-data; name="file"; filename="k.mp4"; filename*=UTF-8''%E8%AF%BE.mp4\r\n\r\nfile`,
      'Content-Disposition: form-data; name="after"\r\n\r\n',
    ),
  ).toMatchObject({
    files: [['课.mp4', 'file', { title: 'Ž', gbk: '课', odd: 'odd' }]],
    fields: { title: 'Ž', gbk: '课', odd: 'odd', after: '' },
  })
})

test('a file is one by its filename, its filename* or its type', async () => {
  for (const [disposition, name] of [
    ['filename="a"', 'a'],
    ["filename*=UTF-8''%C3%A9", 'é'],
    ['filename=""', ''],
    ['x=1\r\nContent-Type: application/octet-stream', ''],
  ]) {
    const { files } = await parts(`Content-Disposition: form-data; name="file"; ${disposition}\r\n\r\nx`)
    expect(files).toEqual([[name, 'x', {}]])
  }
  const field = parts('Content-Disposition: form-data; name="file"\r\n\r\nx')
  await expect(field).rejects.toMatchObject({ issues: [{ field: 'file', rule: 'required' }] })
})

test('a field beyond 64 KB, and one field too many, are refused', async () => {
  const long = parts(`Content-Disposition: form-data; name="title"\r\n\r\n${'x'.repeat(65_537)}`, FILE)
  await expect(long).rejects.toMatchObject({ issues: [{ field: 'title', rule: 'max_length' }] })
  const one = (i: number) => `Content-Disposition: form-data; name="f${i}"\r\n\r\n${i}`
  const twenty = Array.from({ length: 20 }, (_, i) => one(i))
  expect(Object.keys((await parts(...twenty, FILE)).fields)).toHaveLength(20)
  await expect(parts(...twenty, one(20), FILE)).rejects.toMatchObject({ issues: [{ rule: 'max_items' }] })
})

test('a body that ends too early is refused, wherever that is', async () => {
  for (let end = 0; end < BODY.byteLength - 4; end += end < 300 || end > 2200 ? 1 : 97) {
    const cut = new Request('http://x/', {
      method: 'POST',
      body: BODY.subarray(0, end),
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
    })
    const code = await readMultipart(cut, 'file', swallow).then(
      () => 'taken',
      (error) => error.code,
    )
    expect([end, code]).toEqual([end, 'VALIDATION_FAILED'])
  }
})

/** A body with this many files named `files[]`, each of `size` bytes. */
const severalOf = (count: number, size: number): Buffer =>
  Buffer.concat([
    ...Array.from({ length: count }, (_, i) =>
      Buffer.concat([
        Buffer.from(`--b\r\nContent-Disposition: form-data; name="files[]"; filename="${i}.mp4"\r\n\r\n`),
        mp4(size),
        Buffer.from('\r\n'),
      ]),
    ),
    Buffer.from('--b--\r\n'),
  ])

test('several files come one after the other; what a reader leaves of one is dropped', async () => {
  const seen: [name: string, bytes: number][] = []
  let open = 0
  await readMultipartFiles(
    request(inPieces(severalOf(4, 100_000), 30_000, 0)),
    'files[]',
    4,
    async (file) => {
      expect(++open).toBe(1)
      let bytes = 0
      for await (const chunk of file.body) {
        bytes += chunk.byteLength
        if (file.filename === '1.mp4') break
      }
      seen.push([file.filename, bytes])
      open--
    },
  )
  expect(seen.map(([name]) => name)).toEqual(['0.mp4', '1.mp4', '2.mp4', '3.mp4'])
  expect(seen.filter(([, bytes]) => bytes === 100_000).map(([name]) => name)).toEqual([
    '0.mp4',
    '2.mp4',
    '3.mp4',
  ])
})

test('small files that wait for their turn are not read ahead', async () => {
  const whole = severalOf(300, 1000)
  let taken = 0
  const body = new ReadableStream(
    {
      pull(controller) {
        if (taken >= whole.byteLength) return controller.close()
        controller.enqueue(whole.subarray(taken, taken + 4096))
        taken += 4096
      },
    },
    { highWaterMark: 0 },
  )
  const ahead: number[] = []
  let count = 0
  await readMultipartFiles(request(body), 'files[]', 1000, async (file) => {
    for await (const _ of file.body);
    await new Promise(setImmediate)
    count++
    ahead.push(taken - (count * whole.byteLength) / 300)
  })
  expect(count).toBe(300)
  expect(Math.max(...ahead)).toBeLessThan(64 * 1024)
})

test('one file too many, and a file in another field, end the reading', async () => {
  const send = (field: `${string}[]`, max: number) =>
    readMultipartFiles(request(inPieces(severalOf(3, 100), 1000, 0)), field, max, swallow)
  await expect(send('files[]', 2)).rejects.toMatchObject({ code: 'TOO_MANY_FILES', params: { limit: 2 } })
  await expect(send('photos[]', 9)).rejects.toMatchObject({
    issues: [{ field: 'photos[]', rule: 'file_field' }],
  })
  await expect(
    readMultipart(request(inPieces(severalOf(1, 9), 99, 0)), 'files[]', swallow),
  ).resolves.toBeDefined()
})
