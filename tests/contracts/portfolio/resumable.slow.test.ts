/** Protects docs/contracts/portfolio.md, "Resumable uploads". */
import { afterAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { eq, sql } from 'drizzle-orm'
import { photoFiles, uploadSessions } from '../../../src/db/schema/index.ts'
import { type Answer, api, readAnswer } from '../../support/api.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { digestField, sha256Of, unmeasured } from '../../support/files.ts'
import { blindImaging } from '../../support/imaging.ts'
import { jpegWith } from '../../support/photo-fixtures.ts'
import { eventually } from '../../support/process.ts'
import { openStorages } from '../../support/storages.ts'

const storages = await openStorages({ imaging: blindImaging() })
afterAll(storages.stop)

const JPEG = Buffer.concat([await jpegWith({}), Buffer.alloc(3000)])
const SIZE = JPEG.byteLength
const MB = 1024 * 1024
const PROBLEMS = 'https://iana.org/assignments/http-problem-types#'
type Fields = Record<string, string>

describe.each(storages.each)('on %s', (_, { server, keys }) => {
  const editor = () => makeUser(server, { role: 'editor' })
  const send = async (
    { token }: TestUser,
    method: string,
    path: string,
    headers: Fields = {},
    body?: Uint8Array,
  ) =>
    readAnswer(
      await fetch(path.startsWith('http') ? path : server.url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(body && { body: new Uint8Array(body) }),
      }),
    )
  const create = (owner: TestUser, headers: Fields = {}, body?: Uint8Array, query = '?filename=owl.jpg') =>
    send(owner, 'POST', `/v1/upload/resumable${query}`, { 'upload-complete': '?0', ...headers }, body)

  async function begin(owner: TestUser, headers: Fields = {}) {
    const url = (await create(owner, headers)).headers.get('location')!
    const patch = (offset: number, bytes: Uint8Array, isLast = false, more: Fields = {}) =>
      send(
        owner,
        'PATCH',
        url,
        {
          'content-type': 'application/partial-upload',
          'upload-offset': String(offset),
          'upload-complete': isLast ? '?1' : '?0',
          ...more,
        },
        bytes,
      )
    const head = async () => {
      const { status, headers } = await send(owner, 'HEAD', url)
      return [status, headers.get('upload-offset'), headers.get('upload-complete')]
    }
    return { owner, url, patch, head, folder: `incoming/${url.split('/').pop()}/` }
  }
  const shown = ({ status, headers }: { status: number; headers: Headers }, ...names: string[]) => [
    status,
    ...names.map((name) => headers.get(name)),
  ]

  test('a photo comes in several requests; the last one is answered like a single upload', async () => {
    const owner = await editor()
    const created = await create(owner, { 'upload-length': String(SIZE) })
    expect(shown(created, 'upload-limit', 'upload-complete')).toEqual([
      201,
      'max-size=52428800, max-age=86400',
      '?0',
    ])
    expect(created.headers.get('location')).toMatch(`${server.url}/v1/upload/resumable/`)

    const upload = await begin(owner, { 'upload-length': String(SIZE) })
    const { headers } = await send(owner, 'HEAD', upload.url)
    expect(['upload-length', 'upload-limit', 'cache-control'].map((name) => headers.get(name))).toEqual([
      String(SIZE),
      expect.stringMatching(/^max-size=52428800, max-age=86\d{3}$/),
      'no-store',
    ])
    expect(shown(await upload.patch(0, JPEG.subarray(0, 1000)), 'upload-complete')).toEqual([204, '?0'])
    expect(await upload.head()).toEqual([204, '1000', '?0'])
    expect((await upload.patch(1000, JPEG.subarray(1000, 1001))).status).toBe(204)
    const last = await upload.patch(1001, JPEG.subarray(1001), true)
    expect(shown(last, 'upload-complete')).toEqual([201, '?1'])
    expect(last.body.data).toMatchObject({
      original_filename: 'owl.jpg',
      file_size: SIZE,
      mime_type: 'image/jpeg',
      sha256: sha256Of(JPEG),
    })
    expect(Buffer.from(await (await fetch(last.body.data.upload_url)).bytes()).equals(JPEG)).toBe(true)
    expect(await keys(upload.folder)).toEqual([])
    expect(await upload.head()).toEqual([204, String(SIZE), '?1'])

    // A client that did not get the answer asks again.
    const again = await upload.patch(SIZE, Buffer.alloc(0), true)
    expect([again.status, again.body.data.file_id]).toEqual([201, last.body.data.file_id])
    const more = await upload.patch(SIZE, Buffer.from('x'), true)
    expect([more.status, more.body.type]).toEqual([400, `${PROBLEMS}completed-upload`])
    expect((await send(owner, 'DELETE', upload.url)).body.type).toBe(`${PROBLEMS}completed-upload`)
  })

  test('OPTIONS tells the limits without a sign-in, HEAD how long the upload is kept', async () => {
    const upload = await begin(await editor())
    const options = async (url: string) =>
      shown(await fetch(url, { method: 'OPTIONS' }), 'upload-limit', 'allow')
    const limit = 'max-size=52428800, max-age=86400'
    const forNew = [204, limit, 'POST, DELETE, OPTIONS']
    expect(await options(`${server.url}/v1/upload/resumable`)).toEqual(forNew)
    expect(await options(`${server.url}/v1/upload/resumable/`)).toEqual(forNew)
    expect(await options(upload.url)).toEqual([204, 'max-size=52428800', 'GET, HEAD, PATCH, DELETE, OPTIONS'])
    expect(await options(`${server.url}/v1/upload/single`)).toEqual([204, null, 'POST, DELETE, OPTIONS'])
    const id = Number(upload.url.split('/').pop())
    await server.ctx.db
      .update(uploadSessions)
      .set({ updatedAt: sql`now() - interval '23 hours'` })
      .where(eq(uploadSessions.id, id))
    const left = /max-age=(\d+)/.exec(
      (await send(upload.owner, 'HEAD', upload.url)).headers.get('upload-limit')!,
    )
    expect(Math.round(Number(left![1]) / 60)).toBe(60)
  })

  test('GET tells the same as HEAD', async () => {
    const upload = await begin(await editor())
    await upload.patch(0, JPEG.subarray(0, 1000))
    const { status, headers } = await send(upload.owner, 'GET', upload.url)
    expect([status, headers.get('upload-offset'), headers.get('upload-complete')]).toEqual(
      await upload.head(),
    )
  })

  test('an empty last request completes what has arrived, and the whole may come with the first one', async () => {
    const owner = await editor()
    const upload = await begin(owner)
    await upload.patch(0, JPEG)
    expect((await upload.patch(SIZE, Buffer.alloc(0), true)).body.data.file_size).toBe(SIZE)
    const disposition = `inline; filename*=UTF-8''%E7%85%A7%E7%89%87.jpg`
    const whole = { 'upload-complete': '?1', 'content-disposition': disposition }
    const answer = await create(owner, whole, JPEG, '')
    expect(shown(answer, 'upload-complete')).toEqual([201, '?1'])
    expect(answer.body.data.original_filename).toBe('照片.jpg')
  })

  test('a wrong offset is answered with the right one, in the problem of the draft', async () => {
    const upload = await begin(await editor())
    await upload.patch(0, JPEG.subarray(0, 100))
    for (const offset of [0, 99, 101]) {
      const answer = await upload.patch(offset, JPEG)
      expect(shown(answer, 'upload-offset', 'upload-complete', 'content-type')).toEqual([
        409,
        '100',
        '?0',
        'application/problem+json',
      ])
      expect(answer.body).toMatchObject({
        type: `${PROBLEMS}mismatching-upload-offset`,
        status: 409,
        'expected-offset': 100,
        'provided-offset': offset,
      })
    }
  })

  test('lengths that contradict each other are refused, and nothing is appended', async () => {
    const owner = await editor()
    const inconsistent = async (asked: Promise<Answer>) => {
      const { status, body } = await asked
      expect([status, body.type]).toEqual([400, `${PROBLEMS}inconsistent-upload-length`])
    }
    await inconsistent(create(owner, { 'upload-complete': '?1', 'upload-length': '5' }, JPEG))
    const upload = await begin(owner, { 'upload-length': '100' })
    await inconsistent(upload.patch(0, JPEG.subarray(0, 101)))
    await inconsistent(upload.patch(0, JPEG.subarray(0, 99), true))
    await inconsistent(upload.patch(0, JPEG.subarray(0, 10), false, { 'upload-length': '101' }))
    expect(await upload.head()).toEqual([204, '0', '?0'])
    await upload.patch(0, JPEG.subarray(0, 50))
    await inconsistent(upload.patch(50, Buffer.alloc(0), true))
    // Without a Content-Length the server finds out when it is too late, and the upload ends.
    const response = await fetch(upload.url, {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${owner.token}`,
        'content-type': 'application/partial-upload',
        'upload-offset': '50',
        'upload-complete': '?0',
      },
      body: unmeasured(JPEG),
    })
    expect(response.status).toBe(400)
    expect((await upload.head())[0]).toBe(404)
  })

  test('what a request lacks is named, and a wrong type of body too', async () => {
    const owner = await editor()
    const upload = await begin(owner)
    const bare = (headers: Fields) =>
      send(owner, 'PATCH', upload.url, { 'content-type': 'application/partial-upload', ...headers }, JPEG)
    const fields = async (headers: Fields) => (await bare(headers)).body.error.details[0].field
    expect(await fields({ 'upload-complete': '?0' })).toBe('upload-offset')
    expect(await fields({ 'upload-complete': '?0', 'upload-offset': '-1' })).toBe('upload-offset')
    expect(await fields({ 'upload-offset': '0' })).toBe('upload-complete')
    expect(await fields({ 'upload-offset': '0', 'upload-complete': 'true' })).toBe('upload-complete')
    const typed = await bare({ 'content-type': 'image/jpeg' })
    expect(shown(typed, 'accept-patch')).toEqual([415, 'application/partial-upload'])
    expect((await send(owner, 'POST', '/v1/upload/resumable')).status).toBe(400)
    const large = await create(owner, { 'upload-length': '52428801' })
    expect(shown(large, 'upload-limit')).toEqual([413, 'max-size=52428800, max-age=86400'])
    expect((await create(owner, { 'content-type': 'image/gif' })).status).toBe(422)
  })

  test('digests: of one request, which is appended whole or not at all, and of the whole file', async () => {
    const owner = await editor()
    const upload = await begin(owner, { 'repr-digest': digestField(Buffer.from('another file')) })
    const [first, rest] = [JPEG.subarray(0, 1000), JPEG.subarray(1000)]
    const wrong = await upload.patch(0, first, false, { 'content-digest': digestField(rest) })
    expect(shown(wrong, 'upload-complete')).toEqual([422, '?0'])
    expect(await upload.head()).toEqual([204, '0', '?0'])
    expect((await upload.patch(0, first, false, { 'content-digest': digestField(first) })).status).toBe(204)
    // Its bytes cannot be changed any more, so the upload ends.
    expect(shown(await upload.patch(1000, rest, true), 'upload-complete')).toEqual([422, '?1'])
    expect((await upload.head())[0]).toBe(404)
    expect(await keys(upload.folder)).toEqual([])
    const right = await begin(owner, { 'repr-digest': digestField(JPEG) })
    // Two different digests of one file: the server stores nothing of the request.
    const other = { 'repr-digest': digestField(Buffer.from('another file')) }
    expect(shown(await right.patch(0, JPEG, true, other), 'upload-complete')).toEqual([422, '?0'])
    expect(await right.head()).toEqual([204, '0', '?0'])
    expect((await right.patch(0, JPEG, true, { 'repr-digest': digestField(JPEG) })).status).toBe(201)
    expect((await right.patch(SIZE, Buffer.alloc(0), true, other)).status).toBe(422)
    const late = await begin(owner)
    expect((await late.patch(0, JPEG, true)).status).toBe(201)
    expect((await late.patch(SIZE, Buffer.alloc(0), true, other)).status).toBe(422)
    expect(await late.head()).toEqual([204, String(SIZE), '?1'])
    const none = await begin(owner)
    expect(shown(await none.patch(0, Buffer.from('no photo'), true), 'upload-complete')).toEqual([422, '?1'])
    expect(await server.ctx.db.$count(photoFiles, eq(photoFiles.userId, owner.user.id))).toBe(2)
  })

  /** A request that sends some bytes of those that it announces. */
  function slowRequest(owner: TestUser, method: string, url: string, headers: Fields, bytes: Uint8Array) {
    const { hostname, port, pathname } = new URL(url)
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    socket.on('error', () => {})
    const fields = { host: `${hostname}:${port}`, authorization: `Bearer ${owner.token}`, ...headers }
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`${method} ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n`)
    socket.write(bytes)
    return { cut: () => socket.destroy(), answered: () => eventually(() => text || undefined, 'an answer') }
  }
  const slowPatch = (owner: TestUser, url: string, offset: number, length: number, bytes: Uint8Array) =>
    slowRequest(
      owner,
      'PATCH',
      url,
      {
        'content-type': 'application/partial-upload',
        'upload-offset': String(offset),
        'upload-complete': '?1',
        'content-length': String(length),
      },
      bytes,
    )
  /** Resolves when the server has the first bytes of the next piece in this folder. */
  function nextPiece(folder: string): Promise<string> {
    const { storage } = server.ctx
    const { write } = storage
    const { promise, resolve } = Promise.withResolvers<string>()
    storage.write = (key, ...rest) => {
      if (key.startsWith(folder)) {
        storage.write = write
        resolve(key)
      }
      return write(key, ...rest)
    }
    return promise
  }
  const sessionAt = async (url: string) => {
    const id = Number(url.split('/').pop())
    const [row] = await server.ctx.db.select().from(uploadSessions).where(eq(uploadSessions.id, id))
    return row!
  }

  test('a request that breaks off keeps what has arrived, in pieces while it arrives', async () => {
    const owner = await editor()
    const upload = await begin(owner)
    const file = Buffer.concat([JPEG, Buffer.alloc(6 * MB)])
    const slow = slowPatch(owner, upload.url, 0, file.byteLength, file.subarray(0, 5 * MB))
    await eventually(async () => (await sessionAt(upload.url)).received === 4 * MB, 'a piece is stored')
    slow.cut()
    await eventually(async () => !(await sessionAt(upload.url)).appender, 'the request has ended')
    const [status, offset] = await upload.head()
    expect([status, Number(offset) > 4 * MB]).toEqual([204, true])
    const last = await upload.patch(Number(offset), file.subarray(Number(offset)), true)
    expect([last.status, last.body.data.sha256]).toEqual([201, sha256Of(file)])
  })

  test('an upload whose first request breaks off is deleted, because nobody knows its address', async () => {
    const owner = await editor()
    const own = eq(uploadSessions.userId, owner.user.id)
    const begun = nextPiece('incoming/')
    const headers = { 'upload-complete': '?0', 'content-length': String(SIZE) }
    const slow = slowRequest(
      owner,
      'POST',
      `${server.url}/v1/upload/resumable`,
      headers,
      JPEG.subarray(0, 500),
    )
    const folder = (await begun).replace(/[^/]*$/, '')
    expect(await server.ctx.db.$count(uploadSessions, own)).toBe(1)
    slow.cut()
    await eventually(async () => (await server.ctx.db.$count(uploadSessions, own)) === 0, 'it is deleted')
    await eventually(async () => (await keys(folder)).length === 0, 'its bytes are deleted')
  })

  test('a request that hangs is ended by the next one: HEAD keeps its bytes, PATCH takes over', async () => {
    const owner = await editor()
    const upload = await begin(owner)
    const begun = nextPiece(upload.folder)
    const first = slowPatch(owner, upload.url, 0, SIZE, JPEG.subarray(0, 500))
    await begun
    expect(await upload.head()).toEqual([204, '500', '?0'])
    expect(await first.answered()).toStartWith('HTTP/1.1 409')
    const second = slowPatch(owner, upload.url, 500, SIZE - 500, JPEG.subarray(500, 600))
    await eventually(async () => (await sessionAt(upload.url)).appender ?? undefined, 'it has begun')
    const third = await upload.patch(500, JPEG.subarray(500), true)
    expect([third.status, third.body.data?.sha256]).toEqual([201, sha256Of(JPEG)])
    expect(await second.answered()).toMatch(/^HTTP\/1.1 4\d\d/)
    first.cut()
    second.cut()
  })

  test('a request that hangs ends with the session of its user', async () => {
    const owner = await editor()
    const upload = await begin(owner)
    const begun = nextPiece(upload.folder)
    const slow = slowPatch(owner, upload.url, 0, SIZE, JPEG.subarray(0, 500))
    await begun
    const out = await api(server, 'POST', '/v1/auth/logout', { token: owner.token })
    expect(out.status).toBe(200)
    // 408 would be the end of the slow upload, half a minute later.
    expect(await slow.answered()).toStartWith('HTTP/1.1 401')
    slow.cut()
  })

  test('of two requests at once for the same offset one is appended', async () => {
    const upload = await begin(await editor())
    const both = await Promise.all([1, 2].map(() => upload.patch(0, JPEG.subarray(0, 800))))
    expect(both.map(({ status }) => status).sort()).toEqual([204, 409])
    expect(await upload.head()).toEqual([204, '800', '?0'])
    expect(await keys(upload.folder)).toHaveLength(1)
  })

  test('another user finds nothing; a deleted upload leaves nothing', async () => {
    const owner = await editor()
    const upload = await begin(owner)
    await upload.patch(0, JPEG.subarray(0, 100))
    const other = await makeUser(server, { role: 'admin' })
    for (const method of ['HEAD', 'GET', 'PATCH', 'DELETE'])
      expect((await send(other, method, upload.url)).status).toBe(404)
    expect((await send(await makeUser(server), 'HEAD', upload.url)).status).toBe(403)
    expect((await fetch(upload.url)).status).toBe(401)
    const slow = slowPatch(owner, upload.url, 100, SIZE, JPEG.subarray(100, 200))
    await eventually(async () => (await sessionAt(upload.url)).appender ?? undefined, 'it has begun')
    expect((await send(owner, 'DELETE', upload.url)).status).toBe(204)
    expect(await slow.answered()).toMatch(/^HTTP\/1.1 4\d\d/)
    slow.cut()
    expect(await keys(upload.folder)).toEqual([])
    expect((await upload.head())[0]).toBe(404)
    const path = `/v1/upload/chunked/chunked_${upload.url.split('/').pop()}`
    expect((await api(server, 'GET', path, { token: owner.token })).status).toBe(404)
  })
})
