/** `GET /files/…` as players, downloads and caches use it, for a small and for a large file. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { plainFetch } from '../../support/answers.ts'
import { api } from '../../support/api.ts'
import { makeUser } from '../../support/factories.ts'
import { form, mp4, upload } from '../../support/files.ts'
import { eventually } from '../../support/process.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { openStorages } from '../../support/storages.ts'

const storages = await openStorages()
afterAll(storages.stop)

/** Bytes of which no two parts are equal. */
function video(size: number): Uint8Array<ArrayBuffer> {
  const file = mp4(size)
  const words = new Uint32Array(file.buffer, 0, size >> 2)
  for (let i = 100; i < words.length; i++) words[i] = Math.imul(i, 0x9e3779b1)
  return file
}

async function add(server: TestServer, file: Uint8Array<ArrayBuffer>) {
  const owner = await makeUser(server)
  const answer = await upload(server, owner.token, form(['title', 't'], ['file', file, 'a.mp4']))
  const { id, file_path } = (await answer.json()) as { id: number; file_path: string }
  const url = `${server.url}/files/${file_path}`
  const hide = () => api(server, 'DELETE', `/api/v1/materials/${id}`, { token: owner.token })
  return { url, path: `/files/${file_path}`, file_path, owner, hide }
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

describe.each(storages.each)('on %s', (_, { server }) => {
  describe.each([
    ['some kilobytes', 10_000],
    ['megabytes', 20_000_001],
  ])('a file of %s', (_, size) => {
    const file = video(size)
    let stored: Awaited<ReturnType<typeof add>>
    beforeAll(async () => {
      stored = await add(server, file)
    })
    const get = (headers: Record<string, string> = {}, method = 'GET') =>
      fetch(stored.url, { method, headers })

    /** The answer has the length and the bytes of this part. */
    async function expectPart(answer: Response, start: number, end: number): Promise<void> {
      expect(answer.headers.get('content-length')).toBe(String(end - start))
      expect(answer.headers.get('transfer-encoding')).toBeNull()
      expect(answer.headers.get('accept-ranges')).toBe('bytes')
      expect(answer.headers.get('content-type')).toBe('video/mp4')
      const bytes = await answer.bytes()
      expect([bytes.byteLength, same(bytes, file.subarray(start, end))]).toEqual([end - start, true])
    }

    test('the whole has its length, and HEAD says the same', async () => {
      const whole = await get()
      expect([whole.status, whole.headers.get('content-range')]).toEqual([200, null])
      await expectPart(whole, 0, size)
      const head = await get({}, 'HEAD')
      expect([head.status, (await head.bytes()).byteLength]).toEqual([200, 0])
      for (const name of ['content-length', 'etag', 'last-modified', 'content-type', 'cache-control', 'vary'])
        expect([name, head.headers.get(name)]).toEqual([name, whole.headers.get(name)])
    })

    test.each([
      ['bytes=0-', 0, size],
      ['bytes=0-0', 0, 1],
      ['bytes=0-1', 0, 2],
      ['bytes=100-199', 100, 200],
      ['bytes=5000-', 5000, size],
      [`bytes=${size - 1}-`, size - 1, size],
      ['bytes=-500', size - 500, size],
      [`bytes=-${size * 2}`, 0, size],
      [`bytes=1-${size * 2}`, 1, size],
      [`bytes=1000-${size - 1000}`, 1000, size - 999],
    ])('%s is a part with its length', async (range, start, end) => {
      const answer = await get({ range })
      expect(answer.status).toBe(206)
      expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${size}`)
      await expectPart(answer, start, end)
    })

    test.each([
      'bytes=0-1,5-9',
      'bytes=0-1, -5',
      'bytes=5-2',
      'bytes =0-1',
      'items=0-1',
      'bytes=a-b',
      'bytes=0-1;x',
    ])('%s is answered with the whole', async (range) => {
      const answer = await get({ range })
      expect(answer.status).toBe(200)
      await expectPart(answer, 0, size)
    })

    test.each([`bytes=${size}-`, `bytes=${'9'.repeat(30)}-`, 'bytes=-0'])(
      '%s can’t be answered',
      async (range) => {
        const answer = await get({ range })
        expect([answer.status, answer.headers.get('content-range')]).toEqual([416, `bytes */${size}`])
        expect(await answer.text()).toBe('')
      },
    )

    test('If-Range lets a part through for the very same file only', async () => {
      const { headers } = await get({}, 'HEAD')
      const etag = headers.get('etag')!
      const part = await get({ range: 'bytes=10-19', 'if-range': etag })
      expect(part.status).toBe(206)
      await expectPart(part, 10, 20)
      for (const other of ['"other"', `W/${etag}`, 'Thu, 01 Jan 1970 00:00:00 GMT', 'nonsense']) {
        const whole = await get({ range: 'bytes=10-19', 'if-range': other })
        expect([other, whole.status]).toEqual([other, 200])
        await expectPart(whole, 0, size)
      }
    })

    test('who has it already is told so, without a body', async () => {
      const { headers } = await get({}, 'HEAD')
      const [etag, date] = [headers.get('etag')!, headers.get('last-modified')!]
      for (const condition of [
        { 'if-none-match': etag },
        { 'if-none-match': `"x", W/${etag}` },
        { 'if-none-match': '*' },
        { 'if-modified-since': date },
        { 'if-none-match': etag, range: 'bytes=0-1' },
      ] as Record<string, string>[]) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await get(condition, method)
          expect([answer.status, answer.headers.get('etag'), await answer.text()]).toEqual([304, etag, ''])
          expect(answer.headers.get('cache-control')).toBe(headers.get('cache-control'))
          expect(answer.headers.get('vary')).toBe(headers.get('vary'))
        }
      }
      for (const condition of [
        { 'if-none-match': '"x"' },
        { 'if-none-match': '"x"', 'if-modified-since': date },
        { 'if-modified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' },
        { 'if-modified-since': 'nonsense' },
      ] as Record<string, string>[]) {
        expect((await get(condition, 'HEAD')).status).toBe(200)
      }
    })

    test('a player that seeks leaves one answer for the next, of the same file', async () => {
      const etags = new Set<string | null>()
      for (const start of [0, Math.floor(size / 2), 500, size - 2000]) {
        const answer = await get({ range: `bytes=${start}-` })
        etags.add(answer.headers.get('etag'))
        expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${size - 1}/${size}`)
        const reader = answer.body!.getReader()
        const { value } = await reader.read()
        expect(same(value!, file.subarray(start, start + value!.byteLength))).toBe(true)
        await reader.cancel()
      }
      expect(etags.size).toBe(1)
    })

    test('many readers at once, some of them slow, all get all of it', async () => {
      const read = async (slow: boolean) => {
        const answer = await get()
        const hash = new Bun.CryptoHasher('sha1')
        for await (const chunk of answer.body!) {
          if (slow) await Bun.sleep(1)
          hash.update(chunk)
        }
        return hash.digest('hex')
      }
      const hashes = await Promise.all([true, false, true, false, true].map(read))
      expect(new Set(hashes)).toEqual(new Set([Bun.SHA1.hash(file, 'hex')]))
    })
  })

  test('what everybody sees may be kept by everybody, who ask each time; what is hidden, by its reader alone', async () => {
    const { url, owner, hide } = await add(server, video(3000))
    const said = async (token?: string) => {
      const answer = await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {} })
      return [answer.status, answer.headers.get('cache-control'), answer.headers.get('vary')]
    }
    const admin = await makeUser(server, { role: 'admin' })
    expect(await said()).toEqual([200, 'public, no-cache', 'Authorization'])
    expect(await said(owner.token)).toEqual([200, 'public, no-cache', 'Authorization'])
    await hide()
    for (const { token } of [owner, admin])
      expect(await said(token)).toEqual([200, 'private, no-cache', 'Authorization'])
    expect(await said()).toEqual([404, 'no-store', 'Authorization'])
    expect(await said('nonsense')).toEqual([401, 'no-store', 'Authorization'])
  })

  test('a file that is deleted just before it is sent is not there, and no fault of the server', async () => {
    const { url, file_path } = await add(server, video(1_000_000))
    const { storage } = server.ctx
    const open = storage.open
    storage.open = async (key, info, options) => {
      const opened = await open(key, info, options)
      if (key === file_path) await storage.delete([key])
      return opened
    }
    try {
      // Bun itself answers, with the header fields of the answer that it could not send.
      expect((await plainFetch(url)).status).toBe(404)
    } finally {
      storage.open = open
    }
  })
})

test('where other origins may read it, caches keep what they get apart', async () => {
  const origin = 'https://app.example.com'
  const server = await startServer({ ALLOWED_ORIGINS: origin })
  try {
    const { url } = await add(server, video(3000))
    for (const headers of [{ origin }, { origin, range: 'bytes=0-9' }, {}] as Record<string, string>[]) {
      const answer = await fetch(url, { headers })
      await answer.bytes()
      expect(answer.headers.get('vary')).toBe('Origin, Authorization')
      expect(answer.headers.get('access-control-allow-origin')).toBe(headers.origin ?? null)
    }
  } finally {
    await server.stop()
  }
})

test('a reader that stops reading holds no memory of the server', async () => {
  const { server } = storages.each[0]![1]
  const { path } = await add(server, video(60_000_000))
  const before = process.memoryUsage().rss
  const readers = Array.from({ length: 20 }, () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    let got = 0
    socket.on('data', (data) => {
      got += data.length
      socket.pause()
    })
    socket.on('error', () => {})
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    return { socket, got: () => got }
  })
  await eventually(() => readers.every(({ got }) => got() > 0), 'all have begun')
  Bun.gc(true)
  // If the server read ahead of its clients, 1,200 MB would be in memory.
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024)
  for (const { socket } of readers) socket.destroy()
}, 60_000)
