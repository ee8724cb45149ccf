/** Protects docs/contracts/portfolio.md, "Chunked uploads". */
import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { eq, sql } from 'drizzle-orm'
import { expireSessions } from '../../../src/core/files/expiry.ts'
import { recordPiece } from '../../../src/core/files/pieces.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { photoFiles, uploadPieces, uploadSessions } from '../../../src/db/schema/index.ts'
import { type Answer, api, readAnswer } from '../../support/api.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { digestField, sha256Of, unmeasured } from '../../support/files.ts'
import { blindImaging } from '../../support/imaging.ts'
import { jpegWith } from '../../support/photo-fixtures.ts'
import { eventually } from '../../support/process.ts'
import { openLive } from '../../support/sockets.ts'
import { openStorages } from '../../support/storages.ts'

const storages = await openStorages({ imaging: blindImaging() })
afterAll(storages.stop)

const CHUNK = 1024
/** A picture of four chunks and a short one. */
const JPEG = Buffer.concat([await jpegWith({}), Buffer.alloc(5 * CHUNK)]).subarray(0, 4 * CHUNK + 100)
const chunkOf = (index: number, file = JPEG) => file.subarray(index * CHUNK, (index + 1) * CHUNK)
/** The files that this process has open, on Linux. */
const openFiles = (): string[] =>
  existsSync('/proc/self/fd')
    ? readdirSync('/proc/self/fd').flatMap((fd) => {
        try {
          return [readlinkSync(`/proc/self/fd/${fd}`)]
        } catch {
          // It was closed in between.
          return []
        }
      })
    : []
const VALID = {
  filename: '照片 1.jpg',
  file_size: JPEG.byteLength,
  mime_type: 'image/jpeg',
  chunk_size: CHUNK,
}

describe.each(storages.each)('on %s', (_, { server, keys, faults }) => {
  const editor = () => makeUser(server, { role: 'editor' })
  const init = (owner: TestUser, change: object = {}) =>
    api(server, 'POST', '/v1/upload/chunked/init', { token: owner.token, body: { ...VALID, ...change } })

  /** A new upload, and the requests for it. */
  async function begin(owner: TestUser, change: object = {}) {
    const { upload_id, upload_urls } = (await init(owner, change)).body.data
    const path = `/v1/upload/chunked/${upload_id}`
    const put = async (index: number, bytes = chunkOf(index), headers: Record<string, string> = {}) =>
      readAnswer(
        await fetch(upload_urls[index] ?? `${server.url}${path}/chunks/${index}`, {
          method: 'PUT',
          headers: { authorization: `Bearer ${owner.token}`, ...headers },
          body: new Uint8Array(bytes),
        }),
      )
    const ask = (method: string, suffix = '', options: object = {}, { token } = owner) =>
      api(server, method, path + suffix, { token, ...options })
    return {
      path,
      upload_id,
      put,
      putAll: () => Promise.all([0, 1, 2, 3, 4].map((index) => put(index))),
      state: async () => (await ask('GET')).body.data,
      complete: (options: object = {}) => ask('POST', '/complete', options),
      abort: () => ask('DELETE'),
      ask,
      folder: `incoming/${upload_id.slice('chunked_'.length)}/`,
    }
  }
  const refusal = ({ status, body }: Answer) => [status, body.error.type]

  test('chunks come in any order, at the same time and repeatedly; the upload is completed once', async () => {
    const owner = await editor()
    const live = await openLive(server, owner.token)
    const begun = await init(owner)
    expect([begun.status, begun.body.code]).toEqual([201, 201])
    const { upload_id } = begun.body.data
    expect(begun.body.data).toEqual({
      upload_id: expect.stringMatching(/^chunked_\d+$/),
      chunk_size: CHUNK,
      total_chunks: 5,
      upload_urls: [0, 1, 2, 3, 4].map((i) => `${server.url}/v1/upload/chunked/${upload_id}/chunks/${i}`),
      complete_url: `${server.url}/v1/upload/chunked/${upload_id}/complete`,
      expires_at: expect.stringMatching(/Z$/),
    })

    const upload = await begin(owner)
    expect((await upload.put(3, Buffer.alloc(CHUNK))).status).toBe(200)
    expect((await upload.put(3)).body.data).toEqual({
      upload_id: upload.upload_id,
      chunk_index: 3,
      received_chunks: 1,
      total_chunks: 5,
      remaining_chunks: 4,
    })
    await Promise.all([upload.put(4), upload.put(0)])
    expect(await upload.state()).toEqual({
      upload_id: upload.upload_id,
      filename: '照片 1.jpg',
      status: 'uploading',
      file_size: JPEG.byteLength,
      chunk_size: CHUNK,
      total_chunks: 5,
      received_chunks: 3,
      received_bytes: 2 * CHUNK + 100,
      missing_chunks: [1, 2],
      file_id: null,
      expires_at: expect.stringMatching(/Z$/),
    })
    // The replaced object of chunk 3 is gone.
    expect(await keys(upload.folder)).toHaveLength(3)

    const early = await upload.complete()
    expect(refusal(early)).toEqual([422, 'UNPROCESSABLE_ENTITY'])
    expect(early.body.error.details).toEqual({ count: 2, missing_chunks: [1, 2] })
    const last = await Promise.all([upload.put(2), upload.put(2), upload.put(1), upload.put(2)])
    expect(Math.max(...last.map(({ body }) => body.data.received_chunks))).toBe(5)
    expect(await keys(upload.folder)).toHaveLength(5)

    const completions = await Promise.all([1, 2, 3].map(() => upload.complete()))
    expect(completions.map(({ status }) => status)).toEqual([200, 200, 200])
    const { file_id, upload_url } = completions[0]!.body.data
    expect(completions[0]!.body.data).toMatchObject({
      upload_id: upload.upload_id,
      original_filename: '照片 1.jpg',
      file_size: JPEG.byteLength,
      mime_type: 'image/jpeg',
      status: 'uploaded',
      sha256: sha256Of(JPEG),
    })
    expect(new Set(completions.map(({ body }) => body.data.file_id))).toEqual(new Set([file_id]))
    const own = eq(photoFiles.userId, owner.user.id)
    expect(await server.ctx.db.$count(photoFiles, own)).toBe(1)
    expect(Buffer.from(await (await fetch(upload_url)).bytes()).equals(JPEG)).toBe(true)
    expect(await keys(upload.folder)).toEqual([])
    expect((await live.next('upload.completed')).data).toMatchObject({ file_id, file_size: JPEG.byteLength })
    live.close()

    expect(await upload.state()).toMatchObject({
      status: 'completed',
      file_id,
      received_chunks: 5,
      received_bytes: JPEG.byteLength,
      missing_chunks: [],
    })
    expect(refusal(await upload.put(0))).toEqual([409, 'RESOURCE_CONFLICT'])
    expect(refusal(await upload.abort())).toEqual([409, 'RESOURCE_CONFLICT'])
    expect((await upload.complete()).body.data.file_id).toBe(file_id)
    expect(refusal(await upload.complete({ body: { sha256: sha256Of(Buffer.from('x')) } }))[0]).toBe(422)
  })

  test('of a chunk that is stored several times at once, every object but one is known as replaced', async () => {
    const { ctx } = server
    const upload = await begin(await editor())
    const sessionId = Number(upload.upload_id.slice('chunked_'.length))
    const objectKeys = [0, 1, 2].map((i) => `${upload.folder}0_${i}`)
    const waiting = sql`select count(*)::int as n from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`
    let recorded: ReturnType<typeof recordPiece>[] = []
    await transaction(ctx, async (tx) => {
      await tx.db.select().from(uploadSessions).where(eq(uploadSessions.id, sessionId)).for('update')
      recorded = objectKeys.map((objectKey) =>
        recordPiece(ctx, { sessionId, start: 0, size: CHUNK, objectKey }),
      )
      // On the embedded database, which has one connection, they begin after this transaction.
      if (!process.env.TEST_DATABASE_URL) return
      const allWait = async () => (await tx.db.execute<{ n: number }>(waiting))[0]!.n === objectKeys.length
      await eventually(allWait, 'all wait for the lock')
    })
    const known = await Promise.all(recorded)
    const [row] = await ctx.db.select().from(uploadPieces).where(eq(uploadPieces.sessionId, sessionId))
    expect([...known.flatMap((one) => one?.replaced ?? []), row!.objectKey].sort()).toEqual(objectKeys)
    expect(known.map((one) => one?.received)).toEqual([CHUNK, CHUNK, CHUNK])
  })

  test('a chunk of the wrong length, a chunk too many and a wrong digest leave nothing behind', async () => {
    const upload = await begin(await editor())
    for (const [index, bytes] of [
      [0, JPEG.subarray(0, CHUNK - 1)],
      [0, JPEG.subarray(0, CHUNK + 1)],
      [0, Buffer.alloc(0)],
      [4, chunkOf(0)],
      [5, chunkOf(0)],
      [2_147_483_647, chunkOf(0)],
    ] as const) {
      expect(refusal(await upload.put(index, bytes)), `${index}`).toEqual([422, 'UNPROCESSABLE_ENTITY'])
    }
    expect((await upload.put(0, JPEG.subarray(0, 10))).body.error.details).toEqual({
      expected_size: CHUNK,
      received_size: 10,
    })
    expect((await upload.ask('PUT', '/chunks/-1')).status).toBe(400)
    const digest = (value: string) => upload.put(0, chunkOf(0), { 'content-digest': value })
    expect(refusal(await digest(digestField(chunkOf(1))))).toEqual([422, 'UNPROCESSABLE_ENTITY'])
    expect(refusal(await digest('sha-256=abc'))).toEqual([400, 'VALIDATION_ERROR'])
    expect(await keys(upload.folder)).toEqual([])
    expect((await digest(`unixsum=:AA==:, ${digestField(chunkOf(0))}`)).status).toBe(200)
    expect((await upload.state()).missing_chunks).toEqual([1, 2, 3, 4])
  })

  test('a chunk whose length is not announced is measured while it arrives', async () => {
    const owner = await editor()
    const upload = await begin(owner)
    const send = async (bytes: Uint8Array) =>
      (
        await fetch(`${server.url}${upload.path}/chunks/0`, {
          method: 'PUT',
          headers: { authorization: `Bearer ${owner.token}` },
          body: unmeasured(bytes),
        })
      ).status
    expect(await send(JPEG.subarray(0, CHUNK - 1))).toBe(422)
    expect(await send(JPEG)).toBe(422)
    expect(await keys(upload.folder)).toEqual([])
    expect(await send(chunkOf(0))).toBe(200)
  })

  test('the digest of the whole file is checked, and the wrong chunk can be sent again', async () => {
    const owner = await editor()
    const upload = await begin(owner, { sha256: sha256Of(JPEG).toUpperCase() })
    await upload.putAll()
    await upload.put(3, Buffer.alloc(CHUNK, 1))
    expect(refusal(await upload.complete())).toEqual([422, 'UNPROCESSABLE_ENTITY'])
    expect((await upload.state()).status).toBe('uploading')
    await upload.put(3)
    const other = { body: { checksum: sha256Of(Buffer.from('other')) } }
    expect(refusal(await upload.complete(other))).toEqual([422, 'UNPROCESSABLE_ENTITY'])
    // The digest of the content is refused too when the client named another one at the beginning.
    const wrong = await begin(owner, { sha256: sha256Of(Buffer.from('other')) })
    await wrong.putAll()
    expect(refusal(await wrong.complete({ body: { sha256: sha256Of(JPEG) } }))).toEqual([
      422,
      'UNPROCESSABLE_ENTITY',
    ])
    expect(refusal(await wrong.complete(other))).toEqual([422, 'UNPROCESSABLE_ENTITY'])
    const both = {
      body: { sha256: sha256Of(JPEG) },
      headers: { 'repr-digest': digestField(Buffer.from('other')) },
    }
    expect(refusal(await upload.complete(both))).toEqual([400, 'VALIDATION_ERROR'])
    expect((await upload.complete({ headers: { 'repr-digest': digestField(JPEG) } })).status).toBe(200)
    expect(await server.ctx.db.$count(photoFiles, eq(photoFiles.userId, owner.user.id))).toBe(1)
  })

  test.each([
    [{ file_size: 0 }, 400],
    [{ file_size: -1 }, 400],
    [{ file_size: 1.5 }, 400],
    [{ file_size: 52_428_801 }, 413],
    [{ file_size: 9_007_199_254_740_991 }, 413],
    [{ chunk_size: 0 }, 400],
    [{ chunk_size: 1023 }, 400],
    [{ chunk_size: 16_777_217 }, 400],
    [{ file_size: 52_428_800, chunk_size: 1024 }, 422],
    [{ filename: '' }, 400],
    [{ filename: 'a\0b' }, 400],
    [{ filename: undefined }, 400],
    [{ mime_type: 'image/gif' }, 422],
    [{ mime_type: 'text/html' }, 422],
    [{ sha256: 'abc' }, 400],
  ])('an upload that begins with %j is refused with %i', async (change, status) => {
    expect((await init(await editor(), change)).status).toBe(status)
  })

  test('the documented request is accepted, and so are the fewest fields', async () => {
    const owner = await editor()
    const documented = { filename: 'large_photo.raw', file_size: 52428800, mime_type: 'image/raw' }
    const { status, body } = await init(owner, { ...documented, chunk_size: 1048576 })
    expect([status, body.data.total_chunks, body.data.upload_urls.length]).toEqual([201, 50, 50])
    const few = { filename: 'a', file_size: 1 }
    const answer = await api(server, 'POST', '/v1/upload/chunked/init', { token: owner.token, body: few })
    expect(answer.body.data).toMatchObject({ chunk_size: 1048576, total_chunks: 1 })
  })

  test('a file that is no photo is refused when it is complete', async () => {
    const owner = await editor()
    const size = 1024 * 1024
    const upload = await begin(owner, { file_size: size, chunk_size: size })
    await upload.put(0, Buffer.alloc(size, 'x'))
    expect(refusal(await upload.complete())).toEqual([422, 'UNPROCESSABLE_ENTITY'])
    // Also the chunk that the completion has not read to its end. The digest worker may be reading it, and closes it after that.
    const isClosed = () => !openFiles().some((path) => path.includes(upload.folder))
    await eventually(isClosed, 'the pieces are closed')
    expect(await server.ctx.db.$count(photoFiles, eq(photoFiles.userId, owner.user.id))).toBe(0)
    expect((await upload.abort()).status).toBe(204)
  })

  test('another user finds nothing, and a user without the permission is told so', async () => {
    const upload = await begin(await editor())
    const [other, reader] = [await makeUser(server, { role: 'admin' }), await makeUser(server)]
    for (const [method, suffix] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/complete'],
      ['PUT', '/chunks/0'],
    ] as const) {
      expect(refusal(await upload.ask(method, suffix, {}, other))).toEqual([404, 'RESOURCE_NOT_FOUND'])
      expect(refusal(await upload.ask(method, suffix, {}, reader))).toEqual([403, 'PERMISSION_DENIED'])
      expect((await api(server, method, upload.path + suffix)).status).toBe(401)
    }
    expect((await api(server, 'GET', '/v1/upload/chunked/7', { token: other.token })).status).toBe(400)
  })

  test('an upload that is aborted leaves nothing, also of a chunk that is arriving', async () => {
    const owner = await editor()
    const upload = await begin(owner)
    await upload.put(0)
    const { writable, readable } = new TransformStream<Uint8Array, Uint8Array>()
    const slow = fetch(`${server.url}${upload.path}/chunks/1`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${owner.token}` },
      body: readable,
    })
    const writer = writable.getWriter()
    await writer.write(chunkOf(1).subarray(0, 500))
    expect((await upload.abort()).status).toBe(204)
    await writer.write(chunkOf(1).subarray(500))
    await writer.close()
    expect((await slow).status).toBe(404)
    expect(await keys(upload.folder)).toEqual([])
    expect((await upload.ask('GET')).status).toBe(404)
    expect((await upload.abort()).status).toBe(404)
  })

  test('an upload that is aborted while its chunks are put together does not become a file', async () => {
    const owner = await editor()
    const upload = await begin(owner)
    await upload.putAll()
    const { storage } = server.ctx
    const { read } = storage
    storage.read = async (key, ...rest) => {
      if (key.startsWith(upload.folder)) {
        storage.read = read
        expect((await upload.abort()).status).toBe(204)
      }
      return read(key, ...rest)
    }
    expect(refusal(await upload.complete())).toEqual([404, 'RESOURCE_NOT_FOUND'])
    expect(await server.ctx.db.$count(photoFiles, eq(photoFiles.userId, owner.user.id))).toBe(0)
    expect(await keys(`originals/${owner.user.id}/`)).toEqual([])
  })

  test('a chunk that the storage has lost is missing again', async () => {
    const upload = await begin(await editor())
    await upload.putAll()
    const [first] = await keys(`${upload.folder}${2 * CHUNK}_`)
    await server.ctx.storage.delete([first!])
    const answer = await upload.complete()
    expect([answer.status, answer.body.error.details.missing_chunks]).toEqual([422, [2]])
    expect((await upload.state()).missing_chunks).toEqual([2])
    await upload.put(2)
    expect((await upload.complete()).status).toBe(200)
  })

  test('a completion whose server was lost is taken over', async () => {
    const upload = await begin(await editor())
    await upload.putAll()
    const id = Number(upload.upload_id.slice('chunked_'.length))
    await server.ctx.db
      .update(uploadSessions)
      .set({ status: 'completing', completer: 'lost', completingAt: sql`now() - interval '1 minute'` })
      .where(eq(uploadSessions.id, id))
    expect(refusal(await upload.put(0))).toEqual([409, 'RESOURCE_CONFLICT'])
    expect((await upload.complete()).status).toBe(200)
  })

  test.skipIf(!faults['disk full'])(
    'a disk that is full fails the chunk, which can be sent again',
    async () => {
      const file = Buffer.alloc(6 * 1024 * 1024)
      const upload = await begin(await editor(), { file_size: file.byteLength, chunk_size: file.byteLength })
      {
        await using _ = await faults['disk full']!()
        expect(refusal(await upload.put(0, file))).toEqual([500, 'INTERNAL_SERVER_ERROR'])
      }
      expect(await keys(upload.folder)).toEqual([])
      expect((await upload.put(0, file)).status).toBe(200)
    },
  )

  test('a user has at most 20 unfinished uploads', async () => {
    const owner = await editor()
    const answers = await Promise.all(Array.from({ length: 22 }, () => init(owner)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20)
    const refused = answers.find(({ status }) => status !== 201)!
    expect(refusal(refused)).toEqual([429, 'RATE_LIMIT_EXCEEDED'])
    const path = `/v1/upload/chunked/${answers.find(({ status }) => status === 201)!.body.data.upload_id}`
    await api(server, 'DELETE', path, { token: owner.token })
    expect((await init(owner)).status).toBe(201)
  })

  test('a day after its last chunk an upload is deleted, with its objects and those that nobody needs', async () => {
    const { db, storage } = server.ctx
    const owner = await editor()
    const [idle, active] = [await begin(owner), await begin(owner)]
    await idle.put(0)
    await active.put(0)
    const [row] = await db.select().from(uploadSessions).orderBy(sql`id desc`).limit(1)
    const age = { updatedAt: sql`now() - interval '25 hours'` }
    await db.update(uploadSessions).set(age).where(eq(uploadSessions.userId, owner.user.id))
    const piece = eq(uploadPieces.sessionId, row!.id - 1)
    await db.update(uploadPieces).set({ storedAt: sql`now() - interval '25 hours'` }).where(piece)
    await storage.write(`incoming/${row!.id + 1000}/0_x`, new Response('orphan').body!)
    expect((await expireSessions(server.ctx)).files).toBe(0)
    expect((await idle.ask('GET')).status).toBe(404)
    expect(await keys(idle.folder)).toEqual([])
    expect((await active.state()).missing_chunks).toEqual([1, 2, 3, 4])
    await expireSessions(server.ctx, 0)
    expect(await keys('incoming/')).toEqual([])
  })
})
