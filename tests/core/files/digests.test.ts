/** Digests of uploads that arrive in pieces. */
import { afterAll, describe, expect, test } from 'bun:test'
import { rm } from 'node:fs/promises'
import { PieceDigests } from '../../../src/core/files/digests.ts'
import { createDiskStorage } from '../../../src/storage/disk.ts'
import { temporaryDirectory } from '../../support/process.ts'

const dataDir = temporaryDirectory('digests')
const storage = await createDiskStorage(dataDir)
const digests = new PieceDigests(storage)
afterAll(async () => {
  digests.close()
  await rm(dataDir, { recursive: true, force: true })
})

let sessions = 0

/** Stores four pieces of an upload. The last one is shorter. */
async function upload() {
  const session = ++sessions
  const write = async (start: number, size: number, mark: string) => {
    const bytes = crypto.getRandomValues(new Uint8Array(size))
    const objectKey = `incoming/${session}/${start}_${mark}`
    await storage.write(objectKey, new Blob([bytes]).stream(), { durable: false })
    return { start, size, objectKey, bytes }
  }
  const pieces = [
    await write(0, 1000, 'a'),
    await write(1000, 1000, 'a'),
    await write(2000, 1000, 'a'),
    await write(3000, 7, 'a'),
  ]
  return { session, pieces, write }
}

type Piece = Awaited<ReturnType<typeof upload>>['pieces'][number]

const wholeDigest = (pieces: Piece[]) =>
  new Bun.CryptoHasher('sha256').update(Buffer.concat(pieces.map(({ bytes }) => bytes))).digest('hex')

async function digestOf(session: number, pieces: Piece[]): Promise<string> {
  using digest = digests.of(session, pieces)
  return await digest!.sha256
}

/** The worker answers in order, so it has read all earlier pieces when this one's digest is there. */
async function workerIsIdle() {
  const other = await upload()
  expect(await digestOf(other.session, other.pieces)).toBe(wholeDigest(other.pieces))
}

const deleteAll = (pieces: Piece[]) => storage.delete(pieces.map(({ objectKey }) => objectKey))

test('pieces that arrive out of order are read before the upload is complete', async () => {
  const { session, pieces } = await upload()
  for (const index of [2, 0, 3, 1]) digests.follow(session, pieces[index]!)
  await workerIsIdle()
  await deleteAll(pieces)
  expect(await digestOf(session, pieces)).toBe(wholeDigest(pieces))
})

test('what has not arrived before is read at the end', async () => {
  const { session, pieces } = await upload()
  digests.follow(session, pieces[0]!)
  digests.follow(session, pieces[2]!)
  expect(await digestOf(session, pieces)).toBe(wholeDigest(pieces))
})

describe('a piece that replaces one that was read counts', () => {
  test.each(['this', 'another'])('on %s server', async (which) => {
    const { session, pieces, write } = await upload()
    for (const piece of pieces) digests.follow(session, piece)
    pieces[1] = await write(1000, 1000, 'b')
    if (which === 'this') digests.follow(session, pieces[1])
    expect(await digestOf(session, pieces)).toBe(wholeDigest(pieces))
  })
})

test('a piece that replaces one that waits for an earlier one counts', async () => {
  const { session, pieces, write } = await upload()
  digests.follow(session, pieces[1]!)
  pieces[1] = await write(1000, 1000, 'b')
  for (const index of [1, 0, 2, 3]) digests.follow(session, pieces[index]!)
  expect(await digestOf(session, pieces)).toBe(wholeDigest(pieces))
})

test('a piece that is lost or not whole has no digest', async () => {
  const lost = await upload()
  await deleteAll([lost.pieces[2]!])
  await expect(digestOf(lost.session, lost.pieces)).rejects.toThrow('ENOENT')
  const short = await upload()
  short.pieces[3]!.size = 8
  await expect(digestOf(short.session, short.pieces)).rejects.toThrow('is not whole')
})

test('objects that are no files of this machine are left to the caller', async () => {
  const { session, pieces } = await upload()
  const remote = new PieceDigests({ ...storage, fileOf: () => undefined })
  remote.follow(session, pieces[0]!)
  expect(remote.of(session, pieces)).toBeUndefined()
})

test('a digest that nobody waits for ends', async () => {
  const { session, pieces } = await upload()
  const digest = digests.of(session, pieces)!
  digest[Symbol.dispose]()
  await expect(digest.sha256).rejects.toThrow()
})
