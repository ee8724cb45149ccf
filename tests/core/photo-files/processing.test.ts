/** The job that makes the renditions of a photo's file, with decoders of the test's own. */

import { afterAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { eq, sql } from 'drizzle-orm'
import { cleanUpPhotoFiles } from '../../../src/core/photo-files/cleanup.ts'
import { deleteUpload, lockFileForPhoto } from '../../../src/core/photo-files/files.ts'
import { failProcessing, processFile } from '../../../src/core/photo-files/processing.ts'
import { uploadPhoto } from '../../../src/core/photo-files/receive.ts'
import { secondsRemaining } from '../../../src/core/photo-files/remaining.ts'
import { reprocess } from '../../../src/core/photo-files/reprocess.ts'
import { type PhotoFile, RENDITION_NAMES } from '../../../src/core/photo-files/rows.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { events, photoFiles, photoIndex, photos } from '../../../src/db/schema/index.ts'
import { createImaging } from '../../../src/imaging/imaging.ts'
import type { PhotoJob, PhotoResult } from '../../../src/imaging/photo.ts'
import { ImagingError } from '../../../src/imaging/protocol.ts'
import { keysOf } from '../../storage/kinds.ts'
import { actorOf } from '../../support/actors.ts'
import { ORPHANS_OF_ANY_AGE } from '../../support/cleanup.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { picture96 } from '../../support/photo-fixtures.ts'
import { makePhotos } from '../../support/photos.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'

/** The inputs of the jobs, in order, and what each one waits for. */
const inputs: string[] = []
let gate: Promise<unknown> = Promise.resolve()

/** What the next runs do in place of `render`, in order. */
const next: ((job: PhotoJob) => Promise<PhotoResult>)[] = []

async function photo(job: PhotoJob): Promise<PhotoResult> {
  inputs.push(job.input)
  return (next.shift() ?? render)(job)
}

/** Writes some words for each rendition. */
async function render(
  { output, only, onStep }: PhotoJob,
  words = String(inputs.length),
): Promise<PhotoResult> {
  onStep?.('exif_extraction')
  await gate
  onStep?.('generating_thumbnails')
  const renditions = (only ?? RENDITION_NAMES).map(async (name) => {
    const path = join(output, name)
    const size = await Bun.write(path, `${name} ${words}`)
    return { name, path, width: 30, height: 20, size }
  })
  return {
    width: 3000,
    height: 2000,
    placeholder: 'AAAA',
    exif: { camera: 'Canon EOS R5' },
    place: { latitude: 31.23, longitude: 121.47 },
    takenAt: '2024-01-15T18:30:00.000Z',
    takenOffset: 480,
    renditions: await Promise.all(renditions),
  }
}

const server = await startServer({}, { imaging: { ...createImaging(), photo } })
afterAll(() => server.stop())
const { ctx } = server

const PICTURE = new Uint8Array(await picture96())
const send = (owner: TestUser, name = 'a.jpg'): Promise<PhotoFile> =>
  uploadPhoto(ctx, actorOf(owner), {
    total: null,
    async read(take) {
      await take({ name, details: {}, body: new Response(PICTURE).body! })
      return {}
    },
  })
const rowOf = async ({ id }: PhotoFile) =>
  (await ctx.db.select().from(photoFiles).where(eq(photoFiles.id, id)))[0]
const reaches = (file: PhotoFile, status: PhotoFile['status']) =>
  eventually(async () => (await rowOf(file))?.status === status, `the file is ${status}`)
const principal = ({ user }: TestUser) => ({ userId: user.id, role: user.role, sessionId: '' }) as never
const processedOf = async ({ user }: TestUser) =>
  (await ctx.db.select().from(events).where(eq(events.userId, user.id)))
    .filter(({ type }) => type === 'photo.processed')
    .map(({ data }) => data as { file_id: string; photo_id: number | null })

const firstRun = () => ({ attempt: 1, signal: AbortSignal.timeout(10_000) })

/** Holds the decoders until disposed of. */
function hold(): Disposable {
  const { promise, resolve } = Promise.withResolvers<void>()
  gate = promise
  return { [Symbol.dispose]: resolve }
}

test('a photo that was made of a waiting file gets what the file says; its owner and administrators are told', async () => {
  const [owner, admin] = [await makeUser(server), await makeUser(server, { role: 'admin' })]
  let file: PhotoFile
  let id: number
  {
    using _held = hold()
    file = await send(owner)
    await transaction(ctx, (tx) => lockFileForPhoto(tx, principal(owner), file.id))
    const [made] = await makePhotos(server, owner, [{ fileId: file.id }])
    id = made!.id
    const again = transaction(ctx, (tx) => lockFileForPhoto(tx, principal(owner), file.id))
    await expect(again).rejects.toMatchObject({ code: 'FILE_IN_USE' })
    const other = transaction(ctx, (tx) => lockFileForPhoto(tx, principal(admin), file.id))
    await expect(other).rejects.toMatchObject({ code: 'NOT_FOUND' })
  }
  await reaches(file, 'completed')
  const [photo] = await ctx.db.select().from(photos).where(eq(photos.id, id))
  expect([photo!.takenAt?.toISOString(), photo!.version]).toEqual(['2024-01-15T18:30:00.000Z', 1])
  const [row] = await ctx.db.select().from(photoIndex).where(eq(photoIndex.photoId, id))
  expect([row!.camera, row!.year, row!.month]).toEqual(['Canon EOS R5', 2024, 1])
  for (const user of [owner, admin]) {
    expect(await processedOf(user)).toMatchObject([{ file_id: `upload_${file.id}`, photo_id: id }])
  }
  const { renditions, generation, width, takenOffset } = (await rowOf(file))!
  expect([renditions.map(({ name }) => name), generation, width, takenOffset]).toEqual([
    [...RENDITION_NAMES],
    1,
    3000,
    480,
  ])
})

test('the time that the owner gave stays', async () => {
  const owner = await makeUser(server)
  let file: PhotoFile
  {
    using _held = hold()
    file = await send(owner)
    await makePhotos(server, owner, [{ fileId: file.id, takenAt: new Date('2020-05-05T00:00:00Z') }])
  }
  await reaches(file, 'completed')
  const [photo] = await ctx.db.select().from(photos).where(eq(photos.fileId, file.id))
  expect(photo!.takenAt?.toISOString()).toBe('2020-05-05T00:00:00.000Z')
})

test('users take turns, and each is told how long it takes', async () => {
  const [many, other] = [await makeUser(server), await makeUser(server)]
  let order: PhotoFile[]
  {
    using _held = hold()
    const begun = inputs.length
    const first = await send(many, 'first.jpg')
    await eventually(() => inputs.length > begun, 'the first photo is in processing')
    const [second, third] = [await send(many, 'second.jpg'), await send(many, 'third.jpg')]
    const mine = await send(other, 'mine.jpg')
    order = [first, mine, second, third]
    const { milliseconds } = ctx.services.processingTimes
    const of = (photosBefore: number) => Math.max(1, Math.ceil((milliseconds * (photosBefore + 1)) / 1000))
    expect(await secondsRemaining(ctx, mine)).toBe(of(1))
    expect(await secondsRemaining(ctx, third)).toBe(of(3))
  }
  for (const file of order) await reaches(file, 'completed')
  const finished = await Promise.all(order.map(rowOf))
  const times = finished.map((file) => file!.processedAt!.getTime())
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(await secondsRemaining(ctx, finished[0]!)).toBe(0)
})

test('a file that is deleted while it is processed leaves nothing', async () => {
  const owner = await makeUser(server)
  let file: PhotoFile
  {
    using _held = hold()
    const begun = inputs.length
    file = await send(owner)
    await eventually(() => inputs.length > begun, 'the photo is in processing')
    await deleteUpload(ctx, principal(owner), file.id)
  }
  const left = async () => [
    ...(await keysOf(ctx.storage, `hidden/photos/${file.id}/`)),
    ...(await keysOf(ctx.storage, `originals/${owner.user.id}/`)),
  ]
  await eventually(
    async () => (await ctx.queue.pending({ name: 'photo_process' } as never)).running === 0,
    'the job ends',
  )
  await eventually(async () => (await left()).length === 0, 'nothing is left')
  expect(await processedOf(owner)).toEqual([])
})

test('a job that runs twice has one result and one event; replaced renditions are deleted', async () => {
  const owner = await makeUser(server)
  const file = await send(owner)
  await reaches(file, 'completed')
  const before = await keysOf(ctx.storage, `hidden/photos/${file.id}/`)
  const again = { status: 'uploaded', step: null } as const
  await ctx.db.update(photoFiles).set(again).where(eq(photoFiles.id, file.id))
  const run = () => processFile(ctx, { fileId: file.id, generation: 1, only: ['webp'] }, firstRun())
  let both: Promise<unknown>
  {
    using _held = hold()
    const begun = inputs.length
    both = Promise.all([run(), run()])
    await eventually(() => inputs.length === begun + 2, 'both runs are under way')
  }
  await both
  expect(await processedOf(owner)).toHaveLength(2)
  const { renditions, generation } = (await rowOf(file))!
  expect([renditions.length, generation]).toEqual([5, 2])
  const after = await keysOf(ctx.storage, `hidden/photos/${file.id}/`)
  expect(after.filter((key) => before.includes(key))).toHaveLength(4)
  for (const { key } of renditions) expect(after).toContain(`hidden/${key}`)
})

test('a file that fails when it is processed again keeps its renditions, and the next try makes all of them', async () => {
  const owner = await makeUser(server)
  const file = await send(owner)
  await reaches(file, 'completed')
  const keys = async () => (await rowOf(file))!.renditions.map(({ key }) => key)
  const before = await keys()
  const { promise, reject } = Promise.withResolvers<void>()
  // The run may reach the gate only after the rejection, which would be unhandled until then.
  promise.catch(() => {})
  gate = promise
  await reprocess(ctx, principal(owner), file.id, { names: ['webp'], force: true })
  await reaches(file, 'processing')
  reject(new ImagingError('MEMORY', 'this test has no memory'))
  await reaches(file, 'failed')
  expect(await keys()).toEqual(before)
  gate = Promise.resolve()
  expect((await reprocess(ctx, principal(owner), file.id, { force: false })).status).toBe('uploaded')
  await reaches(file, 'completed')
  const after = await keys()
  expect([after.length, after.filter((key) => before.includes(key))]).toEqual([5, []])
  expect((await reprocess(ctx, principal(owner), file.id, { force: false })).status).toBe('completed')
})

test('a run that has lost its job to another one does not fail the file', async () => {
  const owner = await makeUser(server)
  const file = await send(owner)
  await reaches(file, 'completed')
  await ctx.db.update(photoFiles).set({ status: 'uploaded' }).where(eq(photoFiles.id, file.id))
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const begin = async (decode: (typeof next)[0]) => {
    next.push(decode)
    const ended = processFile(ctx, { fileId: file.id, generation: 1 }, firstRun())
    await eventually(() => next.length === 0, 'the run is under way')
    return { ended }
  }
  const lost = await begin(async ({ onStep }) => {
    await first.promise
    onStep?.('optimization')
    throw new ImagingError('UNREADABLE', 'a decoder without memory')
  })
  const newest = await begin(async (job) => {
    await second.promise
    return render(job)
  })
  first.resolve()
  await lost.ended
  expect(await rowOf(file)).toMatchObject({ status: 'processing', step: 'exif_extraction', generation: 1 })
  second.resolve()
  await newest.ended
  expect(await rowOf(file)).toMatchObject({ status: 'completed', failure: null, generation: 2 })
  expect(await processedOf(owner)).toHaveLength(2)
})

test('a job of an earlier processing, given up late or run again, changes nothing', async () => {
  const owner = await makeUser(server)
  const file = await send(owner)
  await reaches(file, 'completed')
  const earlier = { fileId: file.id, generation: 0 }
  {
    using _held = hold()
    next.push(render)
    await reprocess(ctx, principal(owner), file.id, { names: ['webp'], force: true })
    await eventually(() => next.length === 0, 'the photo is in processing')
    const begun = inputs.length
    await failProcessing(ctx, earlier, 'PROCESSING_FAILED')
    await processFile(ctx, earlier, firstRun())
    expect([(await rowOf(file))!.status, inputs.length]).toEqual(['processing', begun])
  }
  await reaches(file, 'completed')
  expect(await processedOf(owner)).toHaveLength(2)
  // A processing that fails has ended as well.
  next.push(() => Promise.reject(new ImagingError('UNREADABLE', 'damaged')))
  await reprocess(ctx, principal(owner), file.id, { force: true })
  await reaches(file, 'failed')
  {
    using _held = hold()
    await reprocess(ctx, principal(owner), file.id, { force: true })
    await failProcessing(ctx, { fileId: file.id, generation: 2 }, 'PROCESSING_FAILED')
    expect((await rowOf(file))!.failure).toBeNull()
  }
  await reaches(file, 'completed')
})

test('cleanup deletes no rendition that is stored again while it deletes', async () => {
  const owner = await makeUser(server)
  const same = (job: PhotoJob) => render(job, 'the same words')
  next.push(same)
  const file = await send(owner)
  await reaches(file, 'completed')
  const orphans = (await rowOf(file))!.renditions.map(({ key }) => `hidden/${key}`)
  // As after a processing that stored its renditions and failed to record them.
  await ctx.db.update(photoFiles).set({ status: 'failed', renditions: [] }).where(eq(photoFiles.id, file.id))
  const { delete: remove } = ctx.storage
  ctx.storage.delete = async (keys) => {
    if (keys.includes(orphans[0]!)) {
      ctx.storage.delete = remove
      next.push(same)
      await reprocess(ctx, principal(owner), file.id, { force: true })
      await reaches(file, 'completed')
    }
    await remove(keys)
  }
  const { errors } = await cleanUpPhotoFiles(ctx, ORPHANS_OF_ANY_AGE)
  expect(errors).toEqual([])
  expect(ctx.storage.delete).toBe(remove)
  const { renditions } = (await rowOf(file))!
  const left = await keysOf(ctx.storage, `hidden/photos/${file.id}/`)
  expect(left.sort()).toEqual(renditions.map(({ key }) => `hidden/${key}`).sort())
})

test('cleanup deletes what lost its server and what nothing refers to, and no more', async () => {
  const owner = await makeUser(server)
  const [kept, lost] = [await send(owner), await send(owner)]
  await reaches(kept, 'completed')
  await reaches(lost, 'completed')
  await ctx.db
    .update(photoFiles)
    .set({ status: 'receiving', updatedAt: sql`now() - interval '2 hours'` })
    .where(eq(photoFiles.id, lost.id))
  const stray = [
    `originals/${owner.user.id}/stray.jpg`,
    `hidden/photos/${kept.id}/webp_0.webp`,
    'photos/x.jpg',
  ]
  for (const key of stray) await ctx.storage.write(key, new Response('x').body!)
  const report = await cleanUpPhotoFiles(ctx, { orphans: true, maxAgeMinutes: 60 })
  expect(report).toEqual({ records: 1, files: 0, errors: [] })
  expect(await rowOf(lost)).toBeUndefined()
  const { errors } = await cleanUpPhotoFiles(ctx, ORPHANS_OF_ANY_AGE)
  expect(errors).toEqual([])
  expect(await keysOf(ctx.storage, `originals/${owner.user.id}/`)).toEqual([kept.objectKey])
  expect(await keysOf(ctx.storage, 'photos/')).toEqual([])
  const { renditions } = (await rowOf(kept))!
  const left = await keysOf(ctx.storage, `hidden/photos/${kept.id}/`)
  expect(left.sort()).toEqual(renditions.map(({ key }) => `hidden/${key}`).sort())
})
