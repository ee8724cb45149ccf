import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { transaction } from '../../../src/core/transaction.ts'
import { categories, photos } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { type TestUser, unique } from '../../support/factories.ts'
import { makePhoto, makePhotos } from '../../support/photos.ts'
import { query } from '../../support/server.ts'
import { expectPortfolioError } from '../../support/shapes.ts'
import { idsOf, openPhotoScene } from './photo-scene.ts'

const { server, ctx, client, owner, other, admin, reader, get, send, makeFile, makeCategory } =
  await openPhotoScene()
afterAll(server.stop)

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

  test('a page takes as many statements for twenty photos as for one, and none while nothing changes', async () => {
    const category = await makeCategory()
    const tags = [unique('t'), unique('t')]
    const one = { categoryIds: [category.id], tags }
    await makePhotos(
      server,
      owner,
      Array.from({ length: 30 }, () => one),
    )
    for (const limit of [1, 20]) {
      const statementsOf = async () => {
        using statements = spyOn(client, 'unsafe')
        const answer = await get(`/v1/photos?category=${category.id}&limit=${limit}`)
        expect(answer.body.data).toHaveLength(limit)
        expect(answer.body.data[0].tags).toHaveLength(2)
        return statements.mock.calls.filter(([text]) => /from ("?photo_index|photos p )/.test(String(text)))
          .length
      }
      await transaction(ctx, async (tx) => tx.changed('photos'))
      // The total, which photos, and the photos.
      expect([await statementsOf(), await statementsOf()]).toEqual([3, 0])
    }
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

    // By the functions of the core alone, as when another server has made the change.
    const write = (values: Partial<typeof photos.$inferInsert>) =>
      transaction(ctx, async (tx) => {
        await tx.db.update(photos).set(values).where(eq(photos.id, id))
        tx.changed('photos')
      })
    await write({ title: 'Elsewhere', viewCount: 7 })
    expect(await first()).toMatchObject({ title: 'Elsewhere', view_count: before.view_count + 7 })
    await write({ visibility: 'private' })
    expect((await first()).id).toBe(made[0]!.id)
    expect((await first(owner)).id).toBe(id)
    await transaction(ctx, async (tx) => {
      await tx.db.delete(photos).where(eq(photos.id, id))
      tx.changed('photos')
    })
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
    const id = await makePhoto(server, owner, { tags: [tag], categoryIds: [child.id] })
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
    const id = await makePhoto(server, owner, {})
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
    const id = await makePhoto(server, owner, { tags: [tag] })
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
