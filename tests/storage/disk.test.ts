import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createDiskStorage } from '../../src/storage/disk.ts'
import { bytes, keysOf, removeDirectories, temporaryDirectory } from './kinds.ts'

afterAll(removeDirectories)

const MB = 1024 * 1024
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error,
  )

/** A file system with room for a megabyte, or the reason why it can't be made. */
function mountSmall(): { directory: string; unmount: () => void } | string {
  const directory = temporaryDirectory()
  const mounted = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory])
  if (mounted.exitCode !== 0) {
    rmSync(directory, { recursive: true })
    return mounted.stderr.toString().trim() || 'there is no mount'
  }
  const unmount = () => {
    Bun.spawnSync(['umount', '-l', directory])
    rmSync(directory, { recursive: true })
  }
  return { directory, unmount }
}

const small = Bun.which('mount') ? mountSmall() : 'there is no mount'
if (typeof small === 'string') console.log(`skipped: a full disk (${small})`)

describe.if(typeof small !== 'string')('a full disk', () => {
  test('is NO_SPACE, leaves nothing of the file and the rest as it was', async () => {
    const { directory, unmount } = small as Exclude<typeof small, string>
    try {
      const storage = await createDiskStorage(directory)
      await storage.write('kept/a.mp4', bytes(300_000))
      for (const size of [900_000, 5 * MB]) {
        let read = 0
        async function* counted() {
          for await (const chunk of bytes(size)) {
            read += chunk.byteLength
            yield chunk
          }
        }
        expect(await failure(storage.write('full/b.mp4', counted()))).toMatchObject({ code: 'NO_SPACE' })
        expect(read).toBeLessThan(4 * MB)
      }
      expect(await failure(storage.write('kept/a.mp4', bytes(900_000)))).toMatchObject({ code: 'NO_SPACE' })
      expect(await keysOf(storage)).toEqual(['kept/a.mp4'])
      expect((await storage.head('kept/a.mp4'))!.size).toBe(300_000)
      expect(readdirSync(join(directory, 'objects/.unfinished'))).toEqual([])
      await storage.write('full/b.mp4', bytes(300_000))
      expect(await keysOf(storage)).toEqual(['full/b.mp4', 'kept/a.mp4'])
    } finally {
      unmount()
    }
  })
})

test('objects are there again after a restart, and readable by nobody else', async () => {
  const dataDir = temporaryDirectory()
  const first = await createDiskStorage(dataDir)
  expect(await first.write('materials/1/a.mp4', bytes(1000))).toBe(1000)
  const written = (await first.head('materials/1/a.mp4'))!
  await first.close()
  const second = await createDiskStorage(dataDir)
  expect(await second.head('materials/1/a.mp4')).toEqual(written)
  expect(statSync(join(dataDir, 'objects/materials/1/a.mp4')).mode & 0o077).toBe(0)
  expect(statSync(join(dataDir, 'objects/materials')).mode & 0o077).toBe(0)
  rmSync(dataDir, { recursive: true })
})

test('a data directory may be relative', async () => {
  const dataDir = temporaryDirectory()
  const storage = await createDiskStorage(`./${join('..', '..', '..', '..', '..', dataDir)}`)
  await storage.write('a/b/c.txt', bytes(10))
  expect(statSync(join(dataDir, 'objects/a/b/c.txt')).size).toBe(10)
  rmSync(dataDir, { recursive: true })
})

test('directories that become empty go, others stay', async () => {
  const dataDir = temporaryDirectory()
  const storage = await createDiskStorage(dataDir)
  for (const key of ['a/b/c/1.txt', 'a/b/2.txt']) await storage.write(key, bytes(1))
  await storage.delete(['a/b/c/1.txt'])
  expect(readdirSync(join(dataDir, 'objects/a'), { recursive: true }).sort()).toEqual(['b', 'b/2.txt'])
  await storage.move('a/b/2.txt', 'a/3.txt')
  expect(readdirSync(join(dataDir, 'objects/a'))).toEqual(['3.txt'])
  await storage.delete(['a/3.txt'])
  expect(readdirSync(join(dataDir, 'objects')).sort()).toEqual(['.unfinished'])
  rmSync(dataDir, { recursive: true })
})

test('directories come and go while others write into them', async () => {
  const dataDir = temporaryDirectory()
  const storage = await createDiskStorage(dataDir)
  await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      for (let round = 0; round < 25; round++) {
        await storage.write(`busy/deep/${i}.txt`, bytes(1))
        await storage.delete([`busy/deep/${i}.txt`])
      }
    }),
  )
  expect(readdirSync(join(dataDir, 'objects'))).toEqual(['.unfinished'])
  rmSync(dataDir, { recursive: true })
})

test('what somebody else put into the directory is not listed', async () => {
  const dataDir = temporaryDirectory()
  const storage = await createDiskStorage(dataDir)
  await storage.write('a/1.txt', bytes(1))
  const objects = join(dataDir, 'objects')
  await Bun.write(join(objects, 'a/.DS_Store'), 'x')
  await Bun.write(join(objects, 'a/with space.txt'), 'x')
  symlinkSync('/etc', join(objects, 'a/etc'))
  symlinkSync('/etc/passwd', join(objects, 'a/passwd'))
  mkdirSync(join(objects, 'a/empty'))
  expect(await keysOf(storage)).toEqual(['a/1.txt'])
  rmSync(dataDir, { recursive: true })
})

test.if(process.getuid?.() !== 0)('a directory that refuses is UNAVAILABLE', async () => {
  const dataDir = temporaryDirectory()
  const storage = await createDiskStorage(dataDir)
  chmodSync(join(dataDir, 'objects'), 0o500)
  expect(await failure(storage.write('a/1.txt', bytes(1)))).toMatchObject({ code: 'UNAVAILABLE' })
  expect(await failure(storage.ping())).toMatchObject({ code: 'UNAVAILABLE' })
  chmodSync(join(dataDir, 'objects'), 0o700)
  rmSync(dataDir, { recursive: true })
})

test('a directory that is gone is UNAVAILABLE, not empty success', async () => {
  const dataDir = temporaryDirectory()
  const storage = await createDiskStorage(dataDir)
  rmSync(dataDir, { recursive: true })
  expect(await failure(storage.write('a/1.txt', bytes(1)))).toMatchObject({ code: 'UNAVAILABLE' })
  expect(await failure(storage.ping())).toMatchObject({ code: 'UNAVAILABLE' })
  expect(await storage.head('a/1.txt')).toBeUndefined()
})
