import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { namesChangedHint, photosChangedHint } from '../../../src/core/photo-index/hints.ts'
import { categories, photoFiles, photoIndex, photos } from '../../../src/db/schema/index.ts'
import { type Answer, type Ask, api } from '../../support/api.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { fileRow, makePhotos } from '../../support/photos.ts'
import { query, startServer } from '../../support/server.ts'
import { expectPortfolioError } from '../../support/shapes.ts'
import { openLive } from '../../support/sockets.ts'

const server = await startServer()
afterAll(server.stop)
const { ctx } = server
const [owner, other, admin, reader] = await Promise.all([
  makeUser(server, { role: 'editor' }),
  makeUser(server, { role: 'editor' }),
  makeUser(server, { role: 'admin' }),
  makeUser(server),
])

const get = (path: string, user?: TestUser, headers: Record<string, string> = {}) =>
  api(server, 'GET', path, { token: user?.token, headers })
const send = (method: string, path: string, user: TestUser, body: unknown, ask: Ask = {}) =>
  api(server, method, path, { token: user.token, body, ...ask })
const idsOf = (answer: Answer): number[] => answer.body.data.map(({ id }: { id: number }) => id)

async function makeFile(user: TestUser, values: Partial<typeof photoFiles.$inferInsert> = {}) {
  const [file] = await ctx.db
    .insert(photoFiles)
    .values({ ...fileRow(user.user.id), ...values })
    .returning()
  return { ...file!, fileId: `upload_${file!.id}` }
}

async function makeCategory(parent?: { id: number; path: string }) {
  const name = unique('c')
  const [row] = await ctx.db
    .insert(categories)
    .values({ name, slug: name, path: '', parentId: parent?.id ?? null, level: parent ? 1 : 0 })
    .returning()
  const path = parent ? `${parent.path}/${row!.id}` : `${row!.id}`
  await ctx.db.update(categories).set({ path }).where(eq(categories.id, row!.id))
  return { ...row!, path }
}

const create = async (user: TestUser, body: object = {}) => {
  const file = await makeFile(user)
  return send('POST', '/v1/photos', user, { title: unique('Photo '), file_id: file.fileId, ...body })
}

/** Through which every statement outside of transactions goes. */
const { $client: client } = ctx.db as unknown as { $client: Client }
interface Client {
  unsafe(...statement: unknown[]): unknown
  begin(...args: unknown[]): unknown
}

/** Statements of the transactions that begin until it is disposed of. */
function countInTransactions() {
  const { begin } = client
  let statements = 0
  client.begin = (...args) => {
    const work = args.pop() as (tx: Client) => unknown
    return begin(...args, (tx: Client) => {
      const { unsafe } = tx
      tx.unsafe = (...statement) => {
        statements++
        return unsafe(...statement)
      }
      return work(tx)
    })
  }
  return {
    statements: () => statements,
    [Symbol.asyncDispose]: async () => {
      client.begin = begin
    },
  }
}

describe('GET /v1/photos', () => {
  test('shows published, public photos to everybody, and the others to their owner and to photo.*', async () => {
    const tag = unique('tag')
    const [seen, draft, hidden, archived] = await makePhotos(server, owner, [
      { tags: [tag] },
      { tags: [tag], status: 'draft' },
      { tags: [tag], visibility: 'private' },
      { tags: [tag], status: 'archived' },
    ])
    const all = [archived!.id, hidden!.id, draft!.id, seen!.id]
    for (const [user, ids] of [
      [undefined, [seen!.id]],
      [reader, [seen!.id]],
      [other, [seen!.id]],
      [owner, all],
      [admin, all],
    ] as const) {
      const answer = await get(`/v1/photos?tag=${tag}`, user)
      expect(idsOf(answer)).toEqual([...ids])
      expect(answer.body.pagination).toMatchObject({ total: ids.length, has_next: false, has_prev: false })
      const drafts = await get(`/v1/photos?tag=${tag}&status=draft`, user)
      expect(idsOf(drafts)).toEqual(ids.length > 1 ? [draft!.id] : [])
    }
  })

  test('pages in every order; equal photos by id, and those without a time last', async () => {
    const tag = unique('tag')
    const at = (text: string) => new Date(text)
    const made = await makePhotos(server, owner, [
      { tags: [tag], title: 'banana', takenAt: at('2023-05-01T00:00:00Z') },
      { tags: [tag], title: 'Apple', takenAt: null },
      { tags: [tag], title: 'cherry', takenAt: at('2021-05-01T00:00:00Z') },
      { tags: [tag], title: 'apple', takenAt: null },
      { tags: [tag], title: 'Banana', takenAt: at('2023-05-01T00:00:00Z') },
    ])
    const [b, A, c, a, B] = made.map(({ id }) => id) as [number, number, number, number, number]
    const orders = {
      'sort_by=created_at&sort_order=asc': [b, A, c, a, B],
      'sort_by=created_at&sort_order=desc': [B, a, c, A, b],
      'sort_by=taken_at&sort_order=asc': [c, b, B, A, a],
      'sort_by=taken_at&sort_order=desc': [B, b, c, a, A],
      'sort_by=title&sort_order=asc': [A, a, b, B, c],
      'sort_by=title&sort_order=desc': [c, B, b, a, A],
      '': [B, a, c, A, b],
    }
    for (const [order, ids] of Object.entries(orders)) {
      expect(idsOf(await get(`/v1/photos?tag=${tag}&${order}`)), order).toEqual(ids)
      const second = await get(`/v1/photos?tag=${tag}&${order}&page=2&limit=2`)
      expect(idsOf(second)).toEqual(ids.slice(2, 4))
      expect(second.body.pagination).toEqual({
        page: 2,
        limit: 2,
        total: 5,
        total_pages: 3,
        has_next: true,
        has_prev: true,
      })
      expect(idsOf(await get(`/v1/photos?tag=${tag}&${order}&page=4&limit=2`))).toEqual([])
    }
  })

  test('filters by category with those below it, by name or slug of a tag, by words, by year and month', async () => {
    const parent = await makeCategory()
    const child = await makeCategory(parent)
    const tag = unique('Tag')
    const [inParent, inChild, outside] = await makePhotos(server, owner, [
      { categoryIds: [parent.id], title: '城市夜景', takenAt: new Date('2019-12-31T23:30:00Z') },
      { categoryIds: [child.id], title: 'Harbour at night', takenAt: new Date('2020-01-01T00:00:00Z') },
      { tags: [tag], title: 'Nothing' },
    ])
    const found = async (filter: string) => idsOf(await get(`/v1/photos?sort_order=asc&${filter}`))
    const both = [inParent!.id, inChild!.id]
    expect(await found(`category=${parent.id}`)).toEqual(both)
    expect(await found(`category=${child.id}`)).toEqual([inChild!.id])
    expect(await found('category=2147483647')).toEqual([])
    expect(await found(`category=${parent.id}&year=2019`)).toEqual([inParent!.id])
    expect(await found(`category=${parent.id}&year=2020&month=1`)).toEqual([inChild!.id])
    expect(await found(`category=${parent.id}&month=12`)).toEqual([inParent!.id])
    expect(await found(`category=${parent.id}&search=${encodeURIComponent('夜景')}`)).toEqual([inParent!.id])
    expect(await found(`category=${parent.id}&search=yejing`)).toEqual([inParent!.id])
    expect(await found(`category=${parent.id}&search=harb`)).toEqual([inChild!.id])
    expect(await found(`category=${parent.id}&search=`)).toEqual(both)
    for (const name of [tag, tag.toUpperCase(), tag.toLowerCase()])
      expect(await found(`tag=${name}`), name).toEqual([outside!.id])
    expect(await found('tag=no-such-tag')).toEqual([])
    expect(await found(`category=${parent.id}&tag=`)).toEqual(both)
    expect(await found('tag=%00&search=%00%F0%9F%A6%89')).toEqual([])
  })

  test.each([
    'page=0',
    'page=-1',
    'page=x',
    'limit=0',
    'limit=101',
    'limit=1000',
    'sort_by=view_count',
    'sort_by=',
    'sort_order=up',
    'status=deleted',
    'category=x',
    'category=2147483648',
    'year=12345',
    'month=13',
  ])('%s is 400', async (bad) => {
    const field = bad.split('=')[0]!
    expectPortfolioError(await get(`/v1/photos?${bad}`), {
      status: 400,
      code: 'VALIDATION_ERROR',
      fields: [field],
    })
  })

  test('a page takes as many statements for twenty photos as for one, and one while nothing changes', async () => {
    const category = await makeCategory()
    const tags = [unique('t'), unique('t')]
    const one = { categoryIds: [category.id], tags }
    const made = await makePhotos(
      server,
      owner,
      Array.from({ length: 30 }, () => one),
    )
    const counts: number[][] = []
    for (const limit of [1, 20]) {
      const statementsOf = async () => {
        const statements = spyOn(client, 'unsafe')
        const answer = await get(`/v1/photos?category=${category.id}&limit=${limit}`)
        const count = statements.mock.calls.filter(([text]) =>
          /from ("?photo_index|photos p )/.test(String(text)),
        ).length
        statements.mockRestore()
        expect(answer.body.data).toHaveLength(limit)
        expect(answer.body.data[0].tags).toHaveLength(2)
        return count
      }
      ctx.bus.publish(namesChangedHint, {})
      ctx.bus.publish(photosChangedHint, {})
      const first = await statementsOf()
      const again = await statementsOf()
      await ctx.db
        .update(photos)
        .set({ likeCount: limit })
        .where(eq(photos.id, made.at(-1)!.id))
      const changed = await statementsOf()
      counts.push([first, again, changed])
    }
    // The total, which photos, and the photos; then only whether they have changed; then also those that have.
    expect(counts).toEqual([
      [3, 1, 2],
      [3, 1, 2],
    ])
  })

  test('shows at once what has changed of its photos', async () => {
    const [tag, category] = [unique('t'), await makeCategory()]
    const made = await makePhotos(server, owner, [
      { tags: [tag], categoryIds: [category.id] },
      { tags: [tag], categoryIds: [category.id] },
    ])
    const id = made[1]!.id
    const first = async (user?: TestUser) =>
      (await get(`/v1/photos?category=${category.id}`, user)).body.data[0]
    const before = await first()
    const change = (body: object) => send('PUT', `/v1/photos/${id}`, owner, body)
    const batch = (action: string, data: object) =>
      send('POST', '/v1/photos/batch', owner, { photo_ids: [id], action, data })

    await change({ title: 'Another', tags: ['second', 'third'] })
    expect(await first()).toMatchObject({
      id,
      title: 'Another',
      tags: [{ name: 'second' }, { name: 'third' }],
    })
    await batch('remove_tags', { tags: ['third'] })
    expect((await first()).tags).toMatchObject([{ name: 'second' }])
    await send('PUT', `/v1/categories/${category.id}`, admin, { name: 'Renamed', color: '#123456' })
    expect((await first()).categories).toMatchObject([{ name: 'Renamed', color: '#123456' }])
    const shown = (await first()).tags[0]
    await send('PUT', `/v1/tags/${shown.id}`, admin, { color: '#654321' })
    expect((await first()).tags).toMatchObject([{ color: '#654321' }])
    await send('PUT', `/v1/tags/${shown.id}`, admin, { is_active: false })
    expect((await first()).tags).toEqual([])
    expect((await first(owner)).tags).toMatchObject([{ name: 'second' }])
    await send('PUT', `/v1/categories/${category.id}`, admin, { is_active: false })
    expect((await first()).categories).toEqual([])

    // Without a hint, as when another server has made the change and the hint was lost.
    const write = (values: Partial<typeof photos.$inferInsert>) =>
      ctx.db.update(photos).set(values).where(eq(photos.id, id))
    await write({ title: 'Elsewhere', viewCount: 7 })
    expect(await first()).toMatchObject({ title: 'Elsewhere', view_count: before.view_count + 7 })
    await ctx.db.update(photoFiles).set({ placeholder: 'new' }).where(eq(photoFiles.id, made[1]!.fileId))
    expect((await first()).placeholder).toBe('new')
    await write({ visibility: 'private' })
    expect((await first()).id).toBe(made[0]!.id)
    expect((await first(owner)).id).toBe(id)
    await ctx.db.delete(photos).where(eq(photos.id, id))
    expect((await first(owner)).id).toBe(made[0]!.id)
  })
})

describe('GET /v1/photos/{id}', () => {
  test('a photo that the viewer may not see does not exist', async () => {
    const made = await makePhotos(server, owner, [{ status: 'draft' }, { visibility: 'private' }])
    for (const { id } of made) {
      for (const user of [undefined, reader, other])
        expectPortfolioError(await get(`/v1/photos/${id}`, user), { status: 404, code: 'RESOURCE_NOT_FOUND' })
      for (const user of [owner, admin]) expect((await get(`/v1/photos/${id}`, user)).status).toBe(200)
    }
    const gone = await get('/v1/photos/2147483647')
    expect(gone.body.error.details).toEqual({ resource_type: 'photo', resource_id: 2147483647 })
  })

  test('others see neither the uploaded file nor the place in it, but what the owner typed', async () => {
    const place = {
      latitude: 31.23037,
      longitude: 121.4737,
      name: 'Home',
      city: 'Shanghai',
      country: 'China',
    }
    const file = await makeFile(owner, {
      place,
      exif: { camera: 'Canon EOS R5', iso: 800, shutterSpeed: '1/125' },
    })
    const { id } = (
      await send('POST', '/v1/photos', owner, { title: 'x', file_id: file.fileId, status: 'published' })
    ).body.data
    const own = (await get(`/v1/photos/${id}`, owner)).body.data
    expect(own).toMatchObject({ location: place, file_id: file.fileId })
    expect(own.formats.original).toContain(file.objectKey)
    const shown = await get(`/v1/photos/${id}`, reader)
    expect(shown.body.data).toMatchObject({
      location: { name: '', latitude: null, longitude: null, country: '', city: '' },
      file_id: null,
      exif: {
        camera: 'Canon EOS R5',
        lens: null,
        iso: 800,
        aperture: null,
        shutter_speed: '1/125',
        focal_length: null,
      },
      file_info: { original_filename: 'DSC_0001.jpg', mime_type: 'image/jpeg' },
    })
    for (const secret of ['31.2', '121.4', 'Home', file.objectKey]) expect(shown.text).not.toContain(secret)
    await send('PUT', `/v1/photos/${id}`, owner, {
      location: { name: ' 上海外滩 ', latitude: 0, longitude: 0 },
    })
    const typed = { name: '上海外滩', latitude: 0, longitude: 0, country: '', city: '' }
    for (const user of [owner, undefined])
      expect((await get(`/v1/photos/${id}`, user)).body.data.location).toEqual(typed)
    await send('PUT', `/v1/photos/${id}`, owner, { location: null })
    expect((await get(`/v1/photos/${id}`, owner)).body.data.location).toMatchObject(place)
  })

  test('inactive categories, those below them, and inactive tags are for who sees all of the photo', async () => {
    const parent = await makeCategory()
    const child = await makeCategory(parent)
    const tag = unique('tag')
    const [{ id }] = (await makePhotos(server, owner, [
      { tags: [tag], categoryIds: [child.id] },
    ])) as unknown as [{ id: number }]
    const shown = async (user?: TestUser) => {
      const { categories, tags } = (await get(`/v1/photos/${id}`, user)).body.data
      return [categories.length, tags.length]
    }
    expect(await shown()).toEqual([1, 1])
    await ctx.db.update(categories).set({ isActive: false }).where(eq(categories.id, parent.id))
    await query(server, sql`update tags set is_active = false where name = ${tag}`)
    expect(await shown()).toEqual([0, 0])
    expect(idsOf(await get(`/v1/photos?category=${child.id}`))).toEqual([id])
    expect(await shown(owner)).toEqual([1, 1])
  })

  test('counts the views of others, many at once too, and stores them together', async () => {
    const [{ id }] = (await makePhotos(server, owner, [{}])) as unknown as [{ id: number }]
    await Promise.all(Array.from({ length: 9 }, () => get(`/v1/photos/${id}`)))
    expect((await get(`/v1/photos/${id}`, reader)).body.data.view_count).toBe(10)
    for (const user of [owner, admin]) await get(`/v1/photos/${id}`, user)
    await api(server, 'HEAD', `/v1/photos/${id}`)
    const counted = async () => (await get(`/v1/photos/${id}`, owner)).body.data.view_count
    expect(await counted()).toBe(10)
    await ctx.services.viewCounts.flush()
    expect(await counted()).toBe(10)
    const [row] = await ctx.db.select().from(photos).where(eq(photos.id, id))
    expect(row).toMatchObject({ viewCount: 10, version: 1 })
  })

  test('the ETag differs by viewer and language, changes with what is shown, and spares the answer', async () => {
    const tag = unique('tag')
    const [{ id }] = (await makePhotos(server, owner, [{ tags: [tag] }])) as unknown as [{ id: number }]
    const etag = async (user?: TestUser, language = 'en') => {
      const answer = await get(`/v1/photos/${id}`, user, { 'accept-language': language })
      expect(answer.headers.get('vary')).toContain('Authorization, Accept-Language')
      return answer.headers.get('etag')!
    }
    const first = await etag()
    expect(first).toMatch(/^"1\.[\w-]{12}-[\w-]{32}"$/)
    expect(await etag(reader)).toBe(first)
    expect(
      new Set([first, await etag(undefined, 'zh'), await etag(owner), await etag(owner, 'zh')]).size,
    ).toBe(4)
    for (const known of [first, `W/${first}`, `"x", ${first}`, '*']) {
      const answer = await get(`/v1/photos/${id}`, undefined, { 'if-none-match': known })
      expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([304, '', first])
    }
    await ctx.services.viewCounts.flush()
    expect(await etag()).toBe(first)
    await query(server, sql`update tags set name = ${unique('renamed')} where name = ${tag}`)
    const renamed = await etag()
    expect(renamed).not.toBe(first)
    await send('PUT', `/v1/photos/${id}`, owner, { title: 'other' })
    expect(await etag()).toMatch(/^"2\./)
    expect((await get(`/v1/photos/${id}`, undefined, { 'if-none-match': renamed })).status).toBe(200)
  })
})

describe('POST /v1/photos', () => {
  test('makes a photo with everything that the client says, and tells the owner and photo.*', async () => {
    const [parent, second] = [await makeCategory(), await makeCategory()]
    const file = await makeFile(owner, { status: 'processing', renditions: [], width: null, height: null })
    const sockets = [
      await openLive(server, owner.token),
      await openLive(server, admin.token),
      await openLive(server, other.token),
    ]
    const body = {
      title: ' 城市夜景 ',
      description: 'line\nline',
      file_id: file.fileId,
      status: 'published',
      visibility: 'private',
      taken_at: '2024-01-16T02:30:00+08:00',
      location: { name: '上海外滩', latitude: 31.23037, longitude: 121.4737 },
      categories: [second.id, parent.id, second.id],
      tags: ['夜景', '城市', '夜景'],
      metadata: { z: 1, weather: 'clear', deep: { list: [1, 'a', null] }, seed: 1 },
    }
    const answer = await send('POST', '/v1/photos', owner, body)
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject({ code: 201 })
    const { data } = answer.body
    expect(answer.headers.get('location')).toBe(`/v1/photos/${data.id}`)
    expect(data).toMatchObject({
      title: '城市夜景',
      description: 'line\nline',
      status: 'published',
      visibility: 'private',
      taken_at: '2024-01-15T18:30:00.000Z',
      location: { name: '上海外滩', latitude: 31.23037, longitude: 121.4737, country: '', city: '' },
      processing_status: 'processing',
      width: null,
      file_id: file.fileId,
      view_count: 0,
    })
    expect(data.slug).toMatch(/^cheng-shi-ye-jing/)
    expect(
      data.categories.map((one: { id: number; is_primary: boolean }) => [one.id, one.is_primary]),
    ).toEqual([
      [second.id, true],
      [parent.id, false],
    ])
    expect(data.tags.map((one: { name: string }) => one.name).sort()).toEqual(['城市', '夜景'])
    expect(data.tags[0]).toMatchObject({ confidence: 1, source: 'manual' })
    expect(JSON.stringify(data.metadata)).toBe(JSON.stringify(body.metadata))
    expect((await get(`/v1/photos/${data.id}`, owner)).body.data).toEqual({
      ...data,
      formats: expect.anything(),
    })
    for (const socket of sockets.slice(0, 2)) {
      const { data: said } = await socket.next('photo.created', (frame) => frame.data.photo_id === data.id)
      expect(said).toMatchObject({ file_id: file.fileId, slug: data.slug, visibility: 'private' })
    }
    await send('PUT', `/v1/photos/${data.id}`, admin, { title: 'x' })
    await sockets[0]!.next('photo.updated', (frame) => frame.data.photo_id === data.id)
    expect(sockets[2]!.frames.filter(({ type }) => type.startsWith('photo.'))).toEqual([])
    for (const socket of sockets) socket.ws.close()
  })

  test('is a draft for everybody with the time of the file, unless the client says otherwise', async () => {
    const takenAt = new Date('2020-02-29T12:00:00.000Z')
    const file = await makeFile(owner, { takenAt })
    const { body } = await send('POST', '/v1/photos', owner, {
      title: 'Leap',
      file_id: file.fileId,
      taken_at: null,
      location: null,
      metadata: null,
      description: null,
    })
    expect(body.data).toMatchObject({
      status: 'draft',
      visibility: 'public',
      taken_at: takenAt.toISOString(),
      description: '',
      metadata: {},
      categories: [],
      tags: [],
    })
  })

  test('slugs are unique, also of titles that come together and of those without a letter', async () => {
    const title = unique('Same title ')
    const answers = await Promise.all(Array.from({ length: 6 }, () => create(owner, { title })))
    const slugs = answers.map(({ body }) => body.data.slug)
    expect(new Set(slugs).size).toBe(6)
    for (const slug of slugs) expect(slug).toMatch(/^same-title-[0-9a-z]+(-[2-9a-z]{5})?$/)
    expect((await create(owner, { title: '🌃' })).body.data.slug).toMatch(/^photo/)
  })

  test('a file makes one photo, also when two requests come at once', async () => {
    const file = await makeFile(owner)
    const both = await Promise.all([
      send('POST', '/v1/photos', owner, { title: 'a', file_id: file.fileId }),
      send('POST', '/v1/photos', owner, { title: 'b', file_id: file.fileId }),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409])
    expectPortfolioError(both.find(({ status }) => status === 409)!, {
      status: 409,
      code: 'RESOURCE_CONFLICT',
    })
  })

  test('the file of somebody else, and a category that does not exist, are 422 and change nothing', async () => {
    const file = await makeFile(other)
    for (const fileId of [file.fileId, 'upload_999999999']) {
      const answer = await send('POST', '/v1/photos', owner, { title: 'x', file_id: fileId })
      expectPortfolioError(answer, { status: 422, code: 'UNPROCESSABLE_ENTITY' })
      expect(answer.body.error.details).toMatchObject({ field: 'file_id' })
    }
    const own = await makeFile(owner)
    const name = unique('tag')
    const bad = { title: 'x', file_id: own.fileId, tags: [name] }
    expect((await send('POST', '/v1/photos', owner, { ...bad, categories: [2147483647] })).status).toBe(422)
    const half = { ...bad, location: { latitude: 1 } }
    expectPortfolioError(await send('POST', '/v1/photos', owner, half), {
      status: 422,
      code: 'UNPROCESSABLE_ENTITY',
    })
    expect(await query(server, sql`select from tags where name = ${name}`)).toEqual([])
    expect((await send('POST', '/v1/photos', owner, bad)).status).toBe(201)
  })

  test.each([
    [{ title: '' }, 'title'],
    [{ title: ' \t ' }, 'title'],
    [{ title: 'x'.repeat(201) }, 'title'],
    [{ title: 'x'.repeat(10_000) }, 'title'],
    [{ title: 5 }, 'title'],
    [{ file_id: '5' }, 'file_id'],
    [{ file_id: 'upload_0' }, 'file_id'],
    [{ file_id: 'upload_9999999999' }, 'file_id'],
    [{ status: 'public' }, 'status'],
    [{ visibility: 'friends' }, 'visibility'],
    [{ description: 'x'.repeat(10_001) }, 'description'],
    [{ taken_at: '2024-02-30T10:00:00Z' }, 'taken_at'],
    [{ taken_at: '2024-01-15T25:00:00Z' }, 'taken_at'],
    [{ taken_at: '2024-01-15T18:30:00' }, 'taken_at'],
    [{ taken_at: '2024-01-15' }, 'taken_at'],
    [{ taken_at: '0001-01-01T00:00:00Z' }, 'taken_at'],
    [{ title: '\u200b \u2060' }, 'title'],
    [{ sort_order: '0x10' }, 'sort_order'],
    [{ categories: ['1'] }, 'categories.0'],
    [{ taken_at: '0000-06-01T00:00:00Z' }, 'taken_at'],
    [{ taken_at: '9999-12-31T23:59:59-12:00' }, 'taken_at'],
    [{ taken_at: 0 }, 'taken_at'],
    [{ location: { latitude: 90.1, longitude: 0 } }, 'location.latitude'],
    [{ location: { latitude: 0, longitude: -181 } }, 'location.longitude'],
    [{ location: { latitude: 'north', longitude: 2 } }, 'location.latitude'],
    [{ location: { name: 'x'.repeat(201) } }, 'location.name'],
    [{ categories: [0] }, 'categories.0'],
    [{ categories: [1.5] }, 'categories.0'],
    [{ categories: Array.from({ length: 51 }, (_, i) => i + 1) }, 'categories'],
    [{ tags: [''] }, 'tags.0'],
    [{ tags: ['x'.repeat(51)] }, 'tags.0'],
    [{ tags: Array.from({ length: 51 }, (_, i) => `${i}`) }, 'tags'],
    [{ metadata: [] }, 'metadata'],
    [{ metadata: { a: 'x'.repeat(17_000) } }, 'metadata'],
    [{ metadata: { a: { b: { c: { d: { e: {} } } } } } }, 'metadata'],
  ])('%j is 400 for its field', async (bad, field) => {
    const { fileId } = await makeFile(owner)
    const answer = await send('POST', '/v1/photos', owner, { title: 'x', file_id: fileId, ...bad })
    expectPortfolioError(answer, { status: 400, code: 'VALIDATION_ERROR', fields: [field] })
  })

  test('characters that no database stores are refused, and odd keys of metadata are kept', async () => {
    const { fileId } = await makeFile(owner)
    const with_ = (text: string) => `{"title":"x","file_id":"${fileId}",${text}}`
    for (const bad of ['"description":"a\\u0000b"', '"metadata":{"a\\u0000":1}', '"tags":["\\ud800"]'])
      expect((await send('POST', '/v1/photos', owner, undefined, { raw: with_(bad) })).status).toBe(400)
    const odd = '{"__proto__":{"polluted":true},"constructor":1,"":null,"n":12345678901234567890}'
    const answer = await send('POST', '/v1/photos', owner, undefined, { raw: with_(`"metadata":${odd}`) })
    expect(answer.status).toBe(201)
    expect(answer.text).toContain(`"metadata":${odd}`)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('PUT /v1/photos/{id}', () => {
  test('changes only what it names; categories and tags replace', async () => {
    const [a, b, c] = [await makeCategory(), await makeCategory(), await makeCategory()]
    const { body } = await create(owner, {
      title: 'Before',
      description: 'text',
      status: 'published',
      categories: [a.id, b.id],
      tags: ['x', 'y'],
      metadata: { k: 1 },
    })
    const { id, slug } = body.data
    const put = async (change: object) => (await send('PUT', `/v1/photos/${id}`, owner, change)).body.data
    const after = await put({ title: 'After', categories: [c.id, b.id], tags: ['y', 'z'] })
    expect(after).toMatchObject({
      title: 'After',
      slug,
      description: 'text',
      status: 'published',
      metadata: { k: 1 },
    })
    const names = (photo: typeof after) => photo.tags.map(({ name }: { name: string }) => name).sort()
    expect(names(after)).toEqual(['y', 'z'])
    expect(after.categories.map((one: { id: number }) => one.id).sort()).toEqual([b.id, c.id].sort())
    expect(names(await put({ tags: [] }))).toEqual([])
    expect(await put({ categories: [], taken_at: '2001-01-01T00:00:00Z', status: 'archived' })).toMatchObject(
      {
        categories: [],
        taken_at: '2001-01-01T00:00:00.000Z',
        status: 'archived',
      },
    )
    const [row] = await ctx.db.select().from(photoIndex).where(eq(photoIndex.photoId, id))
    expect(row).toMatchObject({
      isPublic: false,
      status: 'archived',
      year: 2001,
      tagIds: [],
      categoryIds: [],
    })
  })

  test('the slug follows the title until the photo is public for the first time', async () => {
    const slugAfter = async (id: number, change: object) => {
      const answer = await send('PUT', `/v1/photos/${id}`, owner, change)
      expect([answer.status, (await get(`/v1/photos/${id}`, owner)).body.data.slug]).toEqual([
        200,
        answer.body.data.slug,
      ])
      return answer.body.data.slug as string
    }
    const [secret, shown, later] = [unique('secret'), unique('shown'), unique('later')]
    const { id, slug } = (await create(owner, { title: secret, status: 'draft' })).body.data
    expect(slug).toBe(secret)
    expect(await slugAfter(id, { title: `${secret}!` })).toBe(secret)
    expect(await slugAfter(id, { title: later, status: 'published', visibility: 'private' })).toBe(later)
    expect(await slugAfter(id, { title: shown, visibility: 'public' })).toBe(shown)
    expect(await slugAfter(id, { title: later, status: 'draft' })).toBe(shown)
    expect(await slugAfter(id, { title: secret })).toBe(shown)

    const inBatch = (await create(owner, { title: unique('batch'), status: 'draft' })).body.data
    for (const status of ['published', 'draft'])
      await send('POST', '/v1/photos/batch', owner, {
        photo_ids: [inBatch.id],
        action: 'update_status',
        data: { status },
      })
    expect(await slugAfter(inBatch.id, { title: secret })).toBe(inBatch.slug)
  })

  test('of drafts that get the same title at once, each has a slug of its own', async () => {
    const title = unique('together')
    const drafts = await Promise.all(Array.from({ length: 4 }, () => create(owner, { status: 'draft' })))
    const answers = await Promise.all(
      drafts.map(({ body }) => send('PUT', `/v1/photos/${body.data.id}`, owner, { title })),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const slugs = answers.map(({ body }) => body.data.slug).sort()
    expect(new Set(slugs).size).toBe(4)
    expect(slugs[0]).toBe(title)
  })

  test('tags come in the order in which the owner names them', async () => {
    const names = Array.from({ length: 4 }, () => unique('t'))
    const [a, b, c, d] = names as [string, string, string, string]
    await create(owner, { tags: [d, b] })
    const { id } = (await create(owner, { tags: [c, a, b] })).body.data
    const shown = async () =>
      (await get(`/v1/photos/${id}`, owner)).body.data.tags.map(({ name }: { name: string }) => name)
    expect(await shown()).toEqual([c, a, b])
    await send('PUT', `/v1/photos/${id}`, owner, { tags: [b, d, c] })
    expect(await shown()).toEqual([b, d, c])
    const data = { tags: [a, b] }
    await send('POST', '/v1/photos/batch', owner, { photo_ids: [id], action: 'add_tags', data })
    expect(await shown()).toEqual([b, d, c, a])
  })

  test('nothing to change changes nothing', async () => {
    const { id } = (await create(owner)).body.data
    const before = await get(`/v1/photos/${id}`, owner)
    const answer = await send('PUT', `/v1/photos/${id}`, owner, {})
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, before.headers.get('etag')])
    expect(answer.body.data.updated_at).toBe(before.body.data.updated_at)
  })

  test('If-Match: of two changes of one version, also at once, the later one is 412', async () => {
    const created = await create(owner)
    const { id } = created.body.data
    const put = (etag: string, title: string) =>
      send('PUT', `/v1/photos/${id}`, owner, { title }, { headers: { 'if-match': etag } })
    const first = created.headers.get('etag')!
    const both = await Promise.all([put(first, 'one'), put(first, 'two')])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412])
    expectPortfolioError(both.find(({ status }) => status === 412)!, {
      status: 412,
      code: 'PRECONDITION_FAILED',
    })
    const newest = both.find(({ status }) => status === 200)!.headers.get('etag')!
    for (const stale of [first, `W/${newest}`, '"nonsense"', 'nonsense', ''])
      expect((await put(stale, 'no')).status, stale).toBe(412)
    expect((await put(`"other", ${newest}`, 'three')).status).toBe(200)
    expect((await put('*', 'four')).status).toBe(200)
    expect((await send('PUT', `/v1/photos/${id}`, owner, { title: 'five' })).body.data.title).toBe('five')
    // The ETag of another language and viewer names the same version.
    const chinese = await get(`/v1/photos/${id}`, admin, { 'accept-language': 'zh' })
    expect((await put(chinese.headers.get('etag')!, 'six')).status).toBe(200)
  })

  test('another editor may not change it: 403 for a photo that they see, 404 for another one', async () => {
    const made = await makePhotos(server, owner, [{}, { status: 'draft' }])
    const [seen, unseen] = made.map(({ id }) => id)
    const refused = await send('PUT', `/v1/photos/${seen}`, other, { title: 'x', categories: [2147483647] })
    expectPortfolioError(refused, { status: 403, code: 'PERMISSION_DENIED' })
    expect(refused.body.error.details).toEqual({ required_permission: 'photo.*', user_role: 'editor' })
    expect((await send('PUT', `/v1/photos/${unseen}`, other, { title: 'x' })).status).toBe(404)
    expect((await send('PUT', `/v1/photos/${seen}`, admin, { title: 'x' })).status).toBe(200)
    for (const bad of [{ title: null }, { title: '' }, { status: null }, { taken_at: 'x' }])
      expect((await send('PUT', `/v1/photos/${seen}`, owner, bad)).status).toBe(400)
    expect((await send('PUT', `/v1/photos/${seen}`, owner, { categories: [2147483647] })).status).toBe(422)
  })
})

describe('DELETE /v1/photos/{id}', () => {
  test('takes rows and objects, tells the owner, and a second time is 404', async () => {
    const { body } = await create(owner, { tags: [unique('t')] })
    const { id, file_id } = body.data
    const [file] = await ctx.db
      .select()
      .from(photoFiles)
      .where(eq(photoFiles.id, Number(file_id.slice('upload_'.length))))
    const keys = [file!.objectKey, `hidden/photos/${file!.id}/thumb_small_abc.jpg`]
    const content = async function* () {
      yield new Uint8Array(8)
    }
    for (const key of keys) await ctx.storage.write(key, content())
    const live = await openLive(server, owner.token)
    const remove = (user: TestUser) => api(server, 'DELETE', `/v1/photos/${id}`, { token: user.token })
    const denied = await remove(owner)
    expectPortfolioError(denied, { status: 403, code: 'PERMISSION_DENIED' })
    expect(denied.body.error.details).toEqual({ required_permission: 'photo.delete', user_role: 'editor' })
    const answer = await remove(admin)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expectPortfolioError(await remove(admin), { status: 404, code: 'RESOURCE_NOT_FOUND' })
    expect((await live.next('photo.deleted')).data).toEqual({ photo_id: id })
    live.ws.close()
    for (const [table, column] of [
      ['photos', 'id'],
      ['photo_index', 'photo_id'],
      ['photo_tags', 'photo_id'],
    ])
      expect(await query(server, sql.raw(`select from ${table} where ${column} = ${id}`))).toEqual([])
    expect(await query(server, sql`select from photo_files where id = ${file!.id}`)).toEqual([])
    for (let i = 0; (await Promise.all(keys.map((key) => ctx.storage.head(key)))).some(Boolean); i++) {
      expect(i).toBeLessThan(400)
      await Bun.sleep(20)
    }
  })
})

describe('POST /v1/photos/batch', () => {
  const batch = (user: TestUser, ids: number[], action: string, data?: object) =>
    send('POST', '/v1/photos/batch', user, { photo_ids: ids, action, ...(data && { data }) })

  test('one bad id does not spoil the rest, and the answer says which', async () => {
    const [mine, done] = await makePhotos(server, owner, [{}, { status: 'archived' }])
    const [theirs, hidden] = await makePhotos(server, other, [{}, { status: 'draft' }])
    const ids = [hidden!.id, mine!.id, 2147483647, theirs!.id, done!.id, mine!.id]
    const live = await openLive(server, owner.token)
    const answer = await batch(owner, ids, 'update_status', { status: 'archived' })
    expect(answer.body.data).toEqual({
      action: 'update_status',
      succeeded: [mine!.id, done!.id],
      failed: [
        { id: hidden!.id, code: 'RESOURCE_NOT_FOUND', error: expect.stringMatching(/exist/) },
        { id: 2147483647, code: 'RESOURCE_NOT_FOUND', error: expect.any(String) },
        { id: theirs!.id, code: 'PERMISSION_DENIED', error: expect.any(String) },
      ],
      summary: { total: 5, success: 2, failed: 3 },
    })
    await live.next('photo.updated', ({ data }) => data.photo_id === mine!.id && data.status === 'archived')
    expect(live.frames.filter(({ type }) => type === 'photo.updated')).toHaveLength(1)
    live.ws.close()
    expect((await get(`/v1/photos/${mine!.id}`)).status).toBe(404)
    expect((await get(`/v1/photos/${theirs!.id}`)).body.data.status).toBe('published')
    const versions = await ctx.db.select().from(photos).where(eq(photos.id, done!.id))
    expect(versions[0]!.version).toBe(1)
  })

  test('tags and categories come and go; one category stays primary', async () => {
    const [a, b] = [await makeCategory(), await makeCategory()]
    const made = await makePhotos(server, owner, [{ tags: ['old'] }, {}])
    const ids = made.map(({ id }) => id)
    const show = async () => {
      const shown = await Promise.all(ids.map((id) => get(`/v1/photos/${id}`, owner)))
      return shown.map(({ body }) => ({
        tags: body.data.tags.map(({ name }: { name: string }) => name).sort(),
        categories: body.data.categories.map((one: { id: number; is_primary: boolean }) => [
          one.id,
          one.is_primary,
        ]),
      }))
    }
    const tag = unique('new')
    expect((await batch(owner, ids, 'add_tags', { tags: [tag, 'old'] })).status).toBe(200)
    expect((await show()).map(({ tags }) => tags)).toEqual([[tag, 'old'].sort(), [tag, 'old'].sort()])
    expect(idsOf(await get(`/v1/photos?tag=${tag}&sort_order=asc`))).toEqual(ids)
    await batch(owner, ids, 'remove_tags', { tags: [tag.toUpperCase(), 'never-seen'] })
    expect((await show()).map(({ tags }) => tags)).toEqual([['old'], ['old']])
    await batch(owner, ids, 'add_categories', { categories: [a.id, b.id] })
    for (const { categories } of await show())
      expect(categories).toEqual([
        [a.id, true],
        [b.id, false],
      ])
    await batch(owner, ids, 'remove_categories', { categories: [a.id] })
    for (const { categories } of await show()) expect(categories).toEqual([[b.id, true]])
    const unknown = await batch(owner, ids, 'add_categories', { categories: [2147483647] })
    expectPortfolioError(unknown, { status: 422, code: 'UNPROCESSABLE_ENTITY' })
  })

  test('deletes, for those who may', async () => {
    const made = await makePhotos(server, owner, [{}, {}])
    const ids = made.map(({ id }) => id)
    const denied = await batch(owner, ids, 'delete')
    expect(denied.body.error.details).toEqual({ required_permission: 'photo.delete', user_role: 'editor' })
    const answer = await batch(admin, [...ids, 2147483647], 'delete')
    expect(answer.body.data).toMatchObject({ succeeded: ids, summary: { total: 3, success: 2, failed: 1 } })
    expect((await batch(admin, ids, 'delete')).body.data.summary.failed).toBe(2)
  })

  test('takes as many statements for fifty photos as for two', async () => {
    const made = await makePhotos(
      server,
      owner,
      Array.from({ length: 52 }, () => ({})),
    )
    const ids = made.map(({ id }) => id)
    const statementsFor = async (some: number[]) => {
      await using counted = countInTransactions()
      await batch(owner, some, 'add_tags', { tags: [unique('t')] })
      return counted.statements()
    }
    const counts: [number, number][] = []
    // A job that runs meanwhile adds its statements to some of the counts.
    for (let run = 0; run < 4; run++)
      counts.push([await statementsFor(ids.slice(0, 2)), await statementsFor(ids.slice(2))])
    const [few, many] = [0, 1].map((i) => Math.min(...counts.map((count) => count[i]!)))
    expect(many).toBe(few!)
    expect(few).toBeGreaterThan(3)
  })

  test.each([
    [{ photo_ids: [], action: 'delete' }, 'photo_ids'],
    [{ photo_ids: Array.from({ length: 101 }, (_, i) => i + 1), action: 'delete' }, 'photo_ids'],
    [{ photo_ids: ['one'], action: 'delete' }, 'photo_ids.0'],
    [{ photo_ids: [1], action: 'publish' }, 'action'],
    [{ photo_ids: [1], action: 'update_status' }, 'data.status'],
    [{ photo_ids: [1], action: 'update_status', data: { status: 'gone' } }, 'data.status'],
    [{ photo_ids: [1], action: 'add_tags', data: { status: 'draft' } }, 'data.tags'],
    [{ photo_ids: [1], action: 'remove_categories', data: null }, 'data.categories'],
  ])('%j is 400', async (body, field) => {
    const answer = await send('POST', '/v1/photos/batch', admin, body)
    expectPortfolioError(answer, { status: 400, code: 'VALIDATION_ERROR', fields: [field] })
  })
})
