import { afterAll, describe, expect, test } from 'bun:test'
import { isKey } from '../../src/storage/keys.ts'
import type { StorageError } from '../../src/storage/storage.ts'
import { digest } from './digest.ts'
import { bytes, keysOf, kinds } from './kinds.ts'

const MB = 1024 * 1024

const text = (body: ReadableStream<Uint8Array>) => new Response(body).text()
const from = (content: string) => new Response(content).body!
const streamOf = (source: AsyncIterator<Uint8Array>) =>
  new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await source.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error,
  )

/** Digits that show where they are in the file. */
async function* numbered(size: number, chunk = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; at += chunk) {
    yield Buffer.alloc(Math.min(chunk, size - at), `${at} `)
    await new Promise(setImmediate)
  }
}

describe.each(kinds)('the storage on %s', (_, open) => {
  const opened = open()
  afterAll(async () => (await opened).remove())

  test.each([
    ['0 bytes', 0],
    ['1 byte', 1],
    ['one part exactly', 5 * MB],
    ['one part and a byte', 5 * MB + 1],
    ['20 MB', 20 * MB],
  ])('gives back what was written: %s', async (name, size) => {
    const { storage, unfinished } = await opened
    const key = `round/${name.replaceAll(' ', '_')}.mp4`
    const expected = await digest(numbered(size))
    expect(await storage.write(key, numbered(size))).toBe(size)
    const head = await storage.head(key)
    expect(head).toEqual({
      size,
      etag: expect.stringMatching(/^"[^"]+"$/),
      lastModified: expect.any(Date),
      contentType: 'video/mp4',
    })
    expect(Math.abs(head!.lastModified.getTime() - Date.now())).toBeLessThan(60_000)
    const { body, range, ...info } = (await storage.read(key))!
    expect(range).toBeUndefined()
    expect(info).toEqual(head!)
    expect(await digest(body)).toEqual(expected)
    expect(await unfinished()).toEqual([])
  })

  test('takes streams as well as generators, chunks of any size, and replaces', async () => {
    const { storage } = await opened
    await storage.write('replace/a.txt', from('first'))
    const first = await storage.head('replace/a.txt')
    const odd = bytes(7 * MB + 13, 65, 999_983)
    expect(await storage.write('replace/a.txt', streamOf(odd))).toBe(7 * MB + 13)
    const { body, etag } = (await storage.read('replace/a.txt'))!
    expect(etag).not.toBe(first!.etag)
    expect(await digest(body)).toEqual(await digest(bytes(7 * MB + 13, 65)))
    await storage.write('replace/a.txt', from('third'))
    expect(await text((await storage.read('replace/a.txt'))!.body)).toBe('third')
    expect(await keysOf(storage, 'replace/')).toEqual(['replace/a.txt'])
  })

  test.each([
    [0, 0, '0'],
    [2, 4, '234'],
    [9, 9, '9'],
    [0, 9, '0123456789'],
    [7, 1000, '789'],
  ])('reads the bytes %d to %d', async (start, end, expected) => {
    const { storage } = await opened
    await storage.write('ranges/digits.txt', from('0123456789'))
    const found = (await storage.read('ranges/digits.txt', { range: { start, end } }))!
    expect(found.size).toBe(10)
    expect(found.range).toEqual({ start, end: Math.min(end, 9) })
    expect(await text(found.body)).toBe(expected)
  })

  test('a range that begins behind the end is refused', async () => {
    const { storage } = await opened
    await storage.write('ranges/short.txt', from('abc'))
    const error = await failure(storage.read('ranges/short.txt', { range: { start: 3, end: 3 } }))
    expect((error as StorageError).code).toBe('RANGE_NOT_SATISFIABLE')
  })

  test.each([
    ['a small object', 10_000],
    ['a large one', 9 * MB],
  ])('%s is opened with its length, whole and in part', async (name, size) => {
    const { storage } = await opened
    const key = `open/${name.replaceAll(' ', '_')}.mp4`
    await storage.write(key, numbered(size))
    const info = (await storage.head(key))!
    const whole = new Uint8Array(await new Response((await storage.read(key))!.body).arrayBuffer())
    const parts = [undefined, [0, 0], [5, size - 1], [0, 9_999_999], [size - 1, size - 1], [100, 400_000]]
    for (const part of parts as ([number, number] | undefined)[]) {
      const range = part && { start: part[0], end: part[1] }
      const { content, range: sent, ...told } = (await storage.open(key, info, { range }))!
      expect(told).toEqual(info)
      expect(sent).toEqual(range && { start: range.start, end: Math.min(range.end, size - 1) })
      expect(content).not.toBeInstanceOf(ReadableStream)
      const bytes = new Uint8Array(await new Response(content).arrayBuffer())
      const expected = whole.subarray(range?.start ?? 0, (range?.end ?? size) + 1)
      expect(Buffer.compare(bytes, expected)).toBe(0)
    }
    const beyond = storage.open(key, info, { range: { start: size, end: size } })
    expect(await failure(beyond)).toMatchObject({ code: 'RANGE_NOT_SATISFIABLE' })
    await storage.delete([key])
    expect(await storage.open(key, info)).toBeUndefined()
  })

  test('a stream that is cancelled early lets go, as often as one likes', async () => {
    const { storage } = await opened
    await storage.write('cancel/a.mp4', bytes(2 * MB))
    for (let i = 0; i < 100; i++) {
      const reader = (await storage.read('cancel/a.mp4'))!.body.getReader()
      if (i % 2) await reader.read()
      await reader.cancel()
    }
    expect((await storage.head('cancel/a.mp4'))!.size).toBe(2 * MB)
  })

  test('what is missing, or can have no key, is not there', async () => {
    const { storage } = await opened
    await storage.write('there/a.txt', from('a'))
    for (const key of [
      'there/b.txt',
      'nowhere/a.txt',
      'there',
      'there/a.txt/b',
      '../there/a.txt',
      '',
      '/',
      'a\0',
    ]) {
      expect(await storage.head(key)).toBeUndefined()
      expect(await storage.read(key)).toBeUndefined()
      expect((await failure(storage.openLocal(key))) as StorageError).toMatchObject({ code: 'NOT_FOUND' })
    }
  })

  test.each([
    '../x',
    '/etc/passwd',
    'a/../b',
    'a//b',
    'a/',
    '',
    '.hidden',
    'a\0b',
    `a/${'x'.repeat(256)}`,
    'a\\b',
  ])('writes and deletes nothing under the key %j', async (key) => {
    const { storage } = await opened
    expect(isKey(key)).toBe(false)
    for (const attempt of [storage.write(key, from('x')), storage.delete([key])]) {
      expect((await failure(attempt)) as StorageError).toMatchObject({ code: 'INVALID_KEY' })
    }
  })

  test('keys keep letters of all scripts', async () => {
    const { storage } = await opened
    const key = 'materials/1/20240115_083000_高等数学_第一讲-é.pdf'
    await storage.write(key, from('pdf'))
    expect(await keysOf(storage, 'materials/1/20240115_083000_高')).toEqual([key])
    const { body, contentType } = (await storage.read(key))!
    expect(contentType).toBe('application/pdf')
    expect(await text(body)).toBe('pdf')
  })

  test('lists and deletes more than a page, and what is missing is no error', async () => {
    const { storage } = await opened
    const keys = Array.from({ length: 1050 }, (_, i) => `many/${i % 7}/${String(i).padStart(5, '0')}.txt`)
    for (let i = 0; i < keys.length; i += 50) {
      await Promise.all(keys.slice(i, i + 50).map((key) => storage.write(key, from(key))))
    }
    const listed = []
    for await (const object of storage.list('many/')) listed.push(object)
    expect(listed.map(({ key }) => key).sort()).toEqual(keys.toSorted())
    expect(listed.every(({ size, lastModified }) => size === 16 && lastModified instanceof Date)).toBe(true)
    expect(await keysOf(storage, 'many/3/0000')).toEqual(['many/3/00003.txt'])
    expect(await keysOf(storage, 'man')).toHaveLength(1050)
    expect(await keysOf(storage, 'nothing/')).toEqual([])
    await storage.delete([...keys, 'many/missing.txt', 'nowhere/at/all.txt', keys[0]!])
    expect(await keysOf(storage, 'many/')).toEqual([])
    await storage.delete([])
  })

  test('moves an object with all that is told of it, replaces, and does not mind what was moved already', async () => {
    const { storage, unfinished } = await opened
    const [key, to] = ['moves/課件_1.mp4', 'moved/moves/課件_1.mp4']
    await storage.write(to, from('before'))
    const size = await storage.write(key, bytes(6 * MB, 7))
    await storage.move(key, to)
    await storage.move(key, to)
    await storage.move('moves/nothing.mp4', 'moved/nothing.mp4')
    expect(await keysOf(storage, 'move')).toEqual([to])
    const { body, contentType } = (await storage.read(to))!
    expect(contentType).toBe('video/mp4')
    expect(await digest(body)).toEqual(await digest(bytes(size, 7)))
    for (const [source, target] of [
      ['../x', to],
      [to, '../x'],
    ] as const) {
      expect(await failure(storage.move(source, target))).toMatchObject({ code: 'INVALID_KEY' })
    }
    expect(await unfinished()).toEqual([])
  })

  test('copies an object, replaces, keeps both, and says when there is none', async () => {
    const { storage, unfinished } = await opened
    const [key, to] = ['copies/一.jpg', 'copied/copies/一.jpg']
    await storage.write(to, from('before'))
    const size = await storage.write(key, bytes(MB, 7))
    expect(await storage.copy(key, to)).toBe(true)
    expect(await storage.copy(key, to)).toBe(true)
    expect(await storage.copy('copies/nothing.jpg', 'copied/nothing.jpg')).toBe(false)
    expect(await keysOf(storage, 'cop')).toEqual([to, key].sort())
    await storage.delete([key])
    const { body, contentType } = (await storage.read(to))!
    expect(contentType).toBe('image/jpeg')
    expect(await digest(body)).toEqual(await digest(bytes(size, 7)))
    for (const [source, target] of [
      ['../x', to],
      [to, '../x'],
    ] as const) {
      expect(await failure(storage.copy(source, target))).toMatchObject({ code: 'INVALID_KEY' })
    }
    expect(await unfinished()).toEqual([])
  })

  test('may be deleted from while it is listed', async () => {
    const { storage } = await opened
    for (let i = 0; i < 20; i++) await storage.write(`sweep/${i}/a.txt`, from('x'))
    for await (const { key } of storage.list('sweep/')) await storage.delete([key])
    expect(await keysOf(storage, 'sweep/')).toEqual([])
  })

  test('deletes a folder with all in it, and nothing beside it; an empty one is no error', async () => {
    const { storage } = await opened
    const inside = ['folder/1/a.txt', 'folder/1/b/c.txt']
    const beside = ['folder/10/a.txt', 'folder/2.txt']
    for (const key of [...inside, ...beside]) await storage.write(key, from('x'))
    await storage.deleteFolder('folder/1/')
    await storage.deleteFolder('folder/1/')
    expect(await keysOf(storage, 'folder/')).toEqual(beside)
    await expect(storage.deleteFolder('../')).rejects.toMatchObject({ code: 'INVALID_KEY' })
    await expect(storage.deleteFolder('')).rejects.toMatchObject({ code: 'INVALID_KEY' })
    await storage.delete(beside)
  })

  test('may be emptied by somebody else while it is listed', async () => {
    const { storage } = await opened
    const keys = Array.from({ length: 20 }, (_, i) => `gone/${i}/a.txt`)
    for (const key of keys) await storage.write(key, from('x'))
    const listed: string[] = []
    for await (const { key } of storage.list('gone/')) {
      listed.push(key)
      if (listed.length === 1) await storage.delete(keys)
    }
    expect(listed.length).toBeGreaterThan(0)
    expect(await keysOf(storage, 'gone/')).toEqual([])
  })

  describe.each([
    ['small', 1000],
    ['large', 12 * MB],
  ])('a %s write that fails', (name, size) => {
    const key = `failed/${name}.mp4`

    test('because the body does leaves nothing, throws what the body threw, and keeps what was there', async () => {
      const { storage, unfinished } = await opened
      const wrong = new Error('FILE_TOO_LARGE')
      async function* broken() {
        yield* bytes(size)
        throw wrong
      }
      expect(await failure(storage.write(key, broken()))).toBe(wrong)
      expect(await keysOf(storage, 'failed/')).toEqual([])
      await storage.write(key, from('before'))
      expect(await failure(storage.write(key, broken()))).toBe(wrong)
      expect(await text((await storage.read(key))!.body)).toBe('before')
      await storage.delete([key])
      expect(await unfinished()).toEqual([])
    })

    test('because it is aborted, even while the body hangs, leaves nothing and tells the body', async () => {
      const { storage, unfinished } = await opened
      const abort = new AbortController()
      let cancelled = false
      const source = bytes(size)
      const hanging = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { done, value } = await source.next()
          if (!done) return controller.enqueue(value)
          setTimeout(() => abort.abort(new Error('hung up')), 50)
          await new Promise(() => {})
        },
        cancel() {
          cancelled = true
        },
      })
      const error = await failure(storage.write(key, hanging, { signal: abort.signal }))
      expect(error).toMatchObject({ code: 'ABORTED', cause: abort.signal.reason })
      expect(cancelled).toBe(true)
      expect(await keysOf(storage, 'failed/')).toEqual([])
      expect(await unfinished()).toEqual([])
    })

    test('because it was aborted before it began reads nothing', async () => {
      const { storage, unfinished } = await opened
      let asked = false
      async function* body() {
        asked = true
        yield* bytes(size)
      }
      const error = await failure(storage.write(key, body(), { signal: AbortSignal.abort() }))
      expect(error).toMatchObject({ code: 'ABORTED' })
      expect(asked).toBe(false)
      expect(await unfinished()).toEqual([])
    })
  })

  test('of several writers of one key one wins, whole; readers see one of them, whole', async () => {
    const { storage, unfinished } = await opened
    const key = 'race/a.mp4'
    const SIZE = 6 * MB
    const expected = await Promise.all([1, 2, 3, 4].map((fill) => digest(bytes(SIZE, fill))))
    await storage.write(key, bytes(SIZE, 1))
    let writing = true
    const writers = Promise.all([1, 2, 3, 4].map((fill) => storage.write(key, bytes(SIZE, fill))))
    const ended = writers.finally(() => {
      writing = false
    })
    do {
      expect(expected).toContainEqual(await digest((await storage.read(key))!.body))
    } while (writing)
    await ended
    const last = (await storage.read(key))!
    expect(expected).toContainEqual(await digest(last.body))
    expect(await unfinished()).toEqual([])
  })

  test('removes what dead writers left, but nothing that is younger, alive or has gone on', async () => {
    const { storage, unfinished, leaveUnfinished } = await opened
    await leaveUnfinished('dead/old.mp4')
    const slow = await leaveUnfinished('dead/slow.mp4')
    const before = new Date(Date.now() - 60_000)
    expect(await storage.abortUnfinished(before)).toBe(0)
    expect(await unfinished()).toHaveLength(2)
    // Servers report times in whole seconds.
    await Bun.sleep(1100)
    const now = new Date(Math.floor(Date.now() / 1000) * 1000)
    await Bun.sleep(10)
    await slow.continue()
    expect(await storage.abortUnfinished(now)).toBe(1)
    expect(await unfinished()).toEqual([slow.name])

    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    async function* live() {
      yield* bytes(6 * MB)
      await held
      yield* bytes(1)
    }
    const writing = storage.write('alive/a.mp4', live())
    while ((await unfinished()).length < 2) await Bun.sleep(5)
    expect(await storage.abortUnfinished(new Date(Date.now() + 60_000))).toBe(1)
    release()
    expect(await writing).toBe(6 * MB + 1)
    expect(await unfinished()).toEqual([])
  }, 10_000)

  test('lends a local file with room to work, and takes both back', async () => {
    const { storage } = await opened
    await storage.write('local/课件.mp4', bytes(6 * MB, 9))
    const local = await storage.openLocal('local/课件.mp4')
    expect(local.path).toEndWith('.mp4')
    expect(await digest(Bun.file(local.path).stream())).toEqual(await digest(bytes(6 * MB, 9)))
    await Bun.write(`${local.scratch}/frame.jpg`, 'x')
    expect(await storage.abortUnfinished(new Date(Date.now() + 60_000))).toBe(0)
    expect(await Bun.file(`${local.scratch}/frame.jpg`).exists()).toBe(true)
    await local.dispose()
    expect(await Bun.file(`${local.scratch}/frame.jpg`).exists()).toBe(false)
    expect((await storage.head('local/课件.mp4'))!.size).toBe(6 * MB)
  })

  test('answers a ping', async () => {
    expect(await (await opened).storage.ping()).toBeGreaterThan(0)
  })
})
