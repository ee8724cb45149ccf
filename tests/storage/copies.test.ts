/** Local copies of objects, with downloads that end when the test says so. */
import { afterAll, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { openTemporaries } from '../../src/storage/files.ts'
import { LocalCopies } from '../../src/storage/s3/copies.ts'
import type { ByteRange, ObjectInfo } from '../../src/storage/storage.ts'
import { removeDirectories, temporaryDirectory } from './kinds.ts'

afterAll(removeDirectories)
const MB = 1024 * 1024

interface Download {
  key: string
  range: ByteRange | undefined
  signal: AbortSignal
  end(): Promise<void>
  fail(error: Error): void
}

async function open(maxBytes: number) {
  const directory = temporaryDirectory()
  const downloads: Download[] = []
  const copies = new LocalCopies(
    await openTemporaries(directory),
    (key, path, { range, signal }) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => reject(signal.reason))
      const end = async () => {
        await Bun.write(path, `${key} ${range ? `${range.start}-${range.end}` : 'whole'}`)
        resolve()
      }
      downloads.push({ key, range, signal, end, fail: reject })
      return promise
    },
    maxBytes,
  )
  return { copies, downloads, files: () => readdir(directory) }
}

const info = (size: number): ObjectInfo => ({
  size,
  etag: '"e"',
  lastModified: new Date(),
  contentType: 'video/mp4',
})
const whole = (size: number): ByteRange => ({ start: 0, end: size - 1 })

test('everybody who asks for an object at the same time gets the one copy of it', async () => {
  const { copies, downloads, files } = await open(100 * MB)
  const size = 20 * MB
  const asking = [0, 1, size - 10 * MB].map((start) =>
    copies.open('a', info(size), { start, end: size - 1 }, undefined),
  )
  expect(downloads).toHaveLength(1)
  await downloads[0]!.end()
  const blobs = await Promise.all(asking)
  expect(await blobs[0]!.text()).toBe('a whole')
  expect(await blobs[1]!.text()).toBe(' whole')
  // Later reads too, and reads of parts that are small enough for a copy of their own.
  expect(await (await copies.open('a', info(size), { start: 2, end: 3 }, undefined))!.text()).toBe('wh')
  expect([downloads.length, (await files()).length]).toEqual([1, 1])
  // A new version of the object gets a new copy.
  const other = copies.open('a', { ...info(size), etag: '"f"' }, whole(size), undefined)
  expect(downloads).toHaveLength(2)
  await downloads[1]!.end()
  await other
  await copies.close()
  expect(await files()).toEqual([])
})

test('of a short part, only that is copied', async () => {
  const { copies, downloads } = await open(100 * MB)
  const part = { start: 5 * MB, end: 6 * MB }
  const asking = copies.open('a', info(500 * MB), part, undefined)
  expect(downloads[0]!.range).toEqual(part)
  await downloads[0]!.end()
  expect(await (await asking)!.text()).toBe(`a ${part.start}-${part.end}`)
  expect(await copies.open('a', info(500 * MB), whole(500 * MB), undefined)).toBeUndefined()
  await copies.close()
})

test('a download ends when nobody waits for it any more, and not before', async () => {
  const { copies, downloads, files } = await open(100 * MB)
  const [one, two] = [new AbortController(), new AbortController()]
  const asking = [one, two].map(({ signal }) => copies.open('a', info(20 * MB), whole(20 * MB), signal))
  one.abort()
  await expect(asking[0]!).rejects.toMatchObject({ code: 'ABORTED' })
  expect(downloads[0]!.signal.aborted).toBe(false)
  two.abort()
  await expect(asking[1]!).rejects.toMatchObject({ code: 'ABORTED' })
  expect(downloads[0]!.signal.aborted).toBe(true)
  // The next read starts a new download.
  const again = copies.open('a', info(20 * MB), whole(20 * MB), undefined)
  expect(downloads).toHaveLength(2)
  await downloads[1]!.end()
  expect(await (await again)!.text()).toBe('a whole')
  await copies.close()
  expect(await files()).toEqual([])
})

test('without room, or with too many downloads, there is no copy', async () => {
  const { copies, downloads } = await open(30 * MB)
  expect(await copies.open('large', info(31 * MB), whole(31 * MB), undefined)).toBeUndefined()
  const first = copies.open('a', info(20 * MB), whole(20 * MB), undefined)
  expect(await copies.open('b', info(20 * MB), whole(20 * MB), undefined)).toBeUndefined()
  await downloads[0]!.end()
  await first
  // It was used just now, and the reader may not have opened it yet.
  expect(await copies.open('b', info(20 * MB), whole(20 * MB), undefined)).toBeUndefined()
  await copies.forget(['a'])
  const second = copies.open('b', info(20 * MB), whole(20 * MB), undefined)
  await downloads[1]!.end()
  expect(await (await second)!.text()).toBe('b whole')

  const many = await open(1000 * MB)
  const sixteen = Array.from({ length: 16 }, (_, i) =>
    many.copies.open(`k${i}`, info(MB), whole(MB), undefined),
  )
  expect(await many.copies.open('k16', info(MB), whole(MB), undefined)).toBeUndefined()
  for (const download of many.downloads) await download.end()
  await Promise.all(sixteen)
  await Promise.all([copies.close(), many.copies.close()])
})

test('a download that fails is told to whoever waits, leaves nothing, and is tried again', async () => {
  const { copies, downloads, files } = await open(30 * MB)
  const asking = copies.open('a', info(20 * MB), whole(20 * MB), undefined)
  downloads[0]!.fail(new Error('broke off'))
  await expect(asking).rejects.toThrow('broke off')
  const again = copies.open('a', info(20 * MB), whole(20 * MB), undefined)
  await downloads[1]!.end()
  expect(await (await again)!.text()).toBe('a whole')
  expect(await files()).toHaveLength(1)
  await copies.close()
})

test('a copy of what was deleted is deleted, and what has it open still reads it', async () => {
  const { copies, downloads, files } = await open(30 * MB)
  const asking = copies.open('a', info(20 * MB), whole(20 * MB), undefined)
  await downloads[0]!.end()
  const blob = (await asking)!
  const reader = blob.stream().getReader()
  expect(Buffer.from((await reader.read()).value!).toString()).toBe('a whole')
  await copies.forget(['a', 'b'])
  expect(await files()).toEqual([])
  expect(existsSync(String((blob as Bun.BunFile).name))).toBe(false)
  await copies.close()
})
