import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { hiddenFolder } from '../../../src/core/photo-files/keys.ts'
import { photoFiles, photoIndex } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { type TestUser, unique } from '../../support/factories.ts'
import { makePhotos } from '../../support/photos.ts'
import { eventually } from '../../support/process.ts'
import { query } from '../../support/server.ts'
import { expectPortfolioError } from '../../support/shapes.ts'
import { openLive } from '../../support/sockets.ts'
import { openPhotoScene } from './photo-scene.ts'

const { server, ctx, owner, other, admin, get, send, makeFile, makeCategory, create } = await openPhotoScene()
afterAll(server.stop)

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
    const bodyWith = (text: string) => `{"title":"x","file_id":"${fileId}",${text}}`
    for (const bad of ['"description":"a\\u0000b"', '"metadata":{"a\\u0000":1}', '"tags":["\\ud800"]'])
      expect((await send('POST', '/v1/photos', owner, undefined, { raw: bodyWith(bad) })).status).toBe(400)
    const odd = '{"__proto__":{"polluted":true},"constructor":1,"":null,"n":12345678901234567890}'
    const answer = await send('POST', '/v1/photos', owner, undefined, { raw: bodyWith(`"metadata":${odd}`) })
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
    const keys = [file!.objectKey, `${hiddenFolder(file!.id)}thumb_small_abc.jpg`]
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
    const areGone = async () =>
      (await Promise.all(keys.map((key) => ctx.storage.head(key)))).every((head) => !head)
    await eventually(areGone, 'the objects are deleted')
  })
})
