/** The photos of categories, how many there are, and the covers: docs/contracts/portfolio.md, "Categories". */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { type TestUser, unique } from '../../support/factories.ts'
import { makePhotos } from '../../support/photos.ts'
import { query } from '../../support/server.ts'
import { expectAnswer, expectPortfolioError } from '../../support/shapes.ts'
import { openCategoryScene } from './category-scene.ts'
import { CATEGORY_DETAIL, enveloped } from './shapes.ts'

const { server, api, admin, editor, visitor, put, show, list, make, chain } = await openCategoryScene()
afterAll(server.stop)

/** What a viewer is told about how many photos each category has: in the whole subtree, and itself. */
async function counts(viewer?: TestUser): Promise<Record<number, [number, number]>> {
  const { body } = await list(viewer)
  return Object.fromEntries(
    body.data.categories.map((one: typeof body) => [one.id, [one.photo_count, one.direct_photo_count]]),
  )
}

describe('counts', () => {
  test('are of the photos that the viewer may see, each once, own and with those below', async () => {
    const [top, left] = (await chain(2)) as [number, number]
    const right = await make({ parent_id: top })
    await makePhotos(server, editor, [
      { categoryIds: [top] },
      { categoryIds: [left, right] },
      { categoryIds: [left], visibility: 'private' },
      { categoryIds: [right], status: 'draft' },
      {},
    ])
    await makePhotos(server, admin, [{ categoryIds: [top, left], status: 'archived' }])
    const open: Awaited<ReturnType<typeof counts>> = { [top]: [2, 1], [left]: [1, 1], [right]: [1, 1] }
    expect(await counts()).toEqual(open)
    expect(await counts(visitor)).toEqual(open)
    expect(await counts(editor)).toEqual({ [top]: [4, 1], [left]: [2, 2], [right]: [2, 2] })
    expect(await counts(admin)).toEqual({ [top]: [5, 2], [left]: [3, 3], [right]: [2, 2] })
    const { body } = await list(editor, '?include_tree=true')
    expect(body.data.tree[0]).toMatchObject({ id: top, photo_count: 4 })
    expect((await show(top)).body.data.children).toContainEqual(
      expect.objectContaining({ id: left, photo_count: 1 }),
    )
  })

  test('follow a move and a deletion', async () => {
    const [a, b] = (await chain(2)) as [number, number]
    const other = await make()
    await makePhotos(server, editor, [{ categoryIds: [b] }, { categoryIds: [a, b] }])
    expect(await counts()).toEqual({ [a]: [2, 1], [b]: [2, 2], [other]: [0, 0] })
    await put(b, { parent_id: other })
    expect(await counts()).toEqual({ [a]: [1, 1], [b]: [2, 2], [other]: [2, 0] })
    await api('DELETE', `/v1/categories/${b}`, { token: admin.token })
    expect(await counts()).toEqual({ [a]: [1, 1], [other]: [0, 0] })
  })
})

describe('PUT /v1/categories/{id}/cover', () => {
  const cover = (id: number, photo_id: unknown, { token }: TestUser = admin) =>
    api('PUT', `/v1/categories/${id}/cover`, { token, body: { photo_id } })

  test('shows the cover to those who may see the photo', async () => {
    const id = await make()
    const [photo] = await makePhotos(server, editor, [{ title: '都市夜景' }])
    const answer = await cover(id, photo!.id)
    expectAnswer(answer, 200, enveloped(CATEGORY_DETAIL))
    const shown = { id: photo!.id, title: '都市夜景' }
    for (const viewer of [undefined, visitor, admin]) {
      const [{ cover_photo }] = (await list(viewer)).body.data.categories
      expect(cover_photo).toMatchObject(shown)
      expect(cover_photo.thumb_url).toStartWith('http')
    }
    expect((await cover(id, null)).body.data.cover_photo).toBeNull()
  })

  test('shows no cover to those who may not see the photo, and none that was deleted', async () => {
    const id = await make()
    const [photo] = await makePhotos(server, editor, [{ visibility: 'private', title: 'Hidden Title' }])
    expect((await cover(id, photo!.id)).body.data.cover_photo.id).toBe(photo!.id)
    for (const viewer of [undefined, visitor]) {
      const answer = await show(id, viewer)
      expect(answer.body.data.cover_photo).toBeNull()
      expect(answer.text).not.toContain('Hidden Title')
    }
    expect((await show(id, editor)).body.data.cover_photo.id).toBe(photo!.id)
    await query(server, sql`delete from photos where id = ${photo!.id}`)
    expect((await show(id, admin)).body.data.cover_photo).toBeNull()
  })

  test('refuses a photo that does not exist, and what is no id', async () => {
    const id = await make()
    expectPortfolioError(await cover(id, 99_999), { status: 422, code: 'UNPROCESSABLE_ENTITY' })
    for (const photoId of ['x', 2 ** 31, 0, undefined]) {
      expectPortfolioError(await cover(id, photoId), { status: 400, code: 'VALIDATION_ERROR' })
    }
  })
})

describe('/v1/categories/{id}/photos', () => {
  const photosOf = (id: number, viewer?: TestUser, search = '') =>
    api('GET', `/v1/categories/${id}/photos${search}`, { token: viewer?.token })
  const change = (
    method: 'POST' | 'DELETE',
    id: number,
    body: { photo_ids: unknown; is_primary?: unknown },
    { token }: TestUser = editor,
  ) => api(method, `/v1/categories/${id}/photos`, { token, body })
  const idsIn = (answer: Awaited<ReturnType<typeof photosOf>>) =>
    answer.body.data.map(({ id }: { id: number }) => id)
  const primaryOf = async (photoId: number) =>
    (await api('GET', `/v1/photos/${photoId}`, { token: admin.token })).body.data.categories.find(
      ({ is_primary }: { is_primary: boolean }) => is_primary,
    )?.id

  test('lists the photos of the category and of those below, in pages, for each viewer', async () => {
    const [top, below] = (await chain(2)) as [number, number]
    const [a, b, hidden] = await makePhotos(server, editor, [
      { categoryIds: [top], title: 'a' },
      { categoryIds: [top, below], title: 'b' },
      { categoryIds: [below], title: 'c', visibility: 'private' },
      { title: 'elsewhere' },
    ])
    const order = '?sort_by=title&sort_order=asc'
    const answer = await photosOf(top, undefined, order)
    expect(idsIn(answer)).toEqual([a!.id, b!.id])
    expect(answer.body.pagination).toEqual({
      page: 1,
      limit: 20,
      total: 2,
      total_pages: 1,
      has_next: false,
      has_prev: false,
    })
    expect(idsIn(await photosOf(top, editor, order))).toEqual([a!.id, b!.id, hidden!.id])
    expect(idsIn(await photosOf(top, undefined, `${order}&page=2&limit=1`))).toEqual([b!.id])
    expect(idsIn(await photosOf(below))).toEqual([b!.id])
    expectPortfolioError(await photosOf(99_999), { status: 404, code: 'RESOURCE_NOT_FOUND' })
    for (const search of ['?page=0', '?limit=101', '?sort_by=size', '?sort_order=up']) {
      expectPortfolioError(await photosOf(top, undefined, search), { status: 400, code: 'VALIDATION_ERROR' })
    }
  })

  test('adds photos; one that the caller may not change, or that does not exist, fails alone', async () => {
    const id = await make()
    const [mine, other] = await makePhotos(server, editor, [{}, {}])
    const [foreign, secret] = await makePhotos(server, admin, [{}, { visibility: 'private' }])
    const answer = await change('POST', id, {
      photo_ids: [mine!.id, foreign!.id, secret!.id, 99_999, other!.id, mine!.id],
    })
    expect(answer.status).toBe(200)
    expect(answer.body.data).toMatchObject({
      succeeded: [mine!.id, other!.id],
      failed: [
        { id: foreign!.id, code: 'PERMISSION_DENIED' },
        { id: secret!.id, code: 'RESOURCE_NOT_FOUND' },
        { id: 99_999, code: 'RESOURCE_NOT_FOUND' },
      ],
      summary: { total: 5, success: 2, failed: 3 },
    })
    expect(await counts()).toEqual({ [id]: [2, 2] })
    expect(await primaryOf(mine!.id)).toBe(id)
  })

  test('counts a photo once that is added twice, and changes nothing then', async () => {
    const id = await make()
    const [photo] = await makePhotos(server, editor, [{}])
    const version = async () =>
      (await query(server, sql`select version from photos where id = ${photo!.id}`))[0]
    for (let n = 0; n < 2; n++) {
      expect((await change('POST', id, { photo_ids: [photo!.id] })).body.data.succeeded).toEqual([photo!.id])
      expect(await version()).toEqual({ version: 2 })
    }
    expect(await counts()).toEqual({ [id]: [1, 1] })
  })

  test('makes the category the primary one when that is asked for, and only then', async () => {
    const [first, second] = [await make(), await make()]
    const [photo] = await makePhotos(server, editor, [{ categoryIds: [first] }])
    await change('POST', second, { photo_ids: [photo!.id] })
    expect(await primaryOf(photo!.id)).toBe(first)
    await change('POST', second, { photo_ids: [photo!.id], is_primary: true })
    expect(await primaryOf(photo!.id)).toBe(second)
    await change('DELETE', second, { photo_ids: [photo!.id] })
    expect(await primaryOf(photo!.id)).toBe(first)
  })

  test('removes photos from the category alone, with a body and 200', async () => {
    const [top, below] = (await chain(2)) as [number, number]
    const [photo, other] = await makePhotos(server, editor, [{ categoryIds: [top, below] }, {}])
    const answer = await change('DELETE', top, { photo_ids: [photo!.id, other!.id, 99_999] })
    expect(answer.status).toBe(200)
    expect(answer.body.data).toMatchObject({
      succeeded: [photo!.id, other!.id],
      failed: [{ id: 99_999, code: 'RESOURCE_NOT_FOUND' }],
    })
    expect(await counts()).toEqual({ [top]: [1, 0], [below]: [1, 1] })
    await change('DELETE', below, { photo_ids: [photo!.id] })
    expect(await counts()).toEqual({ [top]: [0, 0], [below]: [0, 0] })
    expect(await primaryOf(photo!.id)).toBeUndefined()
  })

  test('refuses other bodies, an unknown category, and users without photo.update', async () => {
    const id = await make()
    for (const method of ['POST', 'DELETE'] as const) {
      for (const photo_ids of [
        undefined,
        [],
        'x',
        [0],
        [1.5],
        Array.from({ length: 101 }, (_, n) => n + 1),
      ]) {
        expectPortfolioError(await change(method, id, { photo_ids }), {
          status: 400,
          code: 'VALIDATION_ERROR',
        })
      }
      const unknown = await change(method, 99_999, { photo_ids: [1] })
      expectPortfolioError(unknown, { status: 404, code: 'RESOURCE_NOT_FOUND' })
      expect(unknown.body.error.details).toEqual({ resource_type: 'category', resource_id: 99_999 })
      const refused = await change(method, id, { photo_ids: [1] }, visitor)
      expectPortfolioError(refused, { status: 403, code: 'PERMISSION_DENIED' })
    }
    const odd = await change('POST', id, { photo_ids: [1], is_primary: 'perhaps' })
    expectPortfolioError(odd, { status: 400, code: 'VALIDATION_ERROR', fields: ['is_primary'] })
  })

  test('counts follow a batch of photos and their deletion', async () => {
    const id = await make()
    const [a, b] = await makePhotos(server, admin, [{}, {}])
    const batch = (action: string, data?: object) =>
      api('POST', '/v1/photos/batch', {
        token: admin.token,
        body: { photo_ids: [a!.id, b!.id], action, data },
      })
    await batch('add_categories', { categories: [id] })
    expect(await counts()).toEqual({ [id]: [2, 2] })
    await batch('update_status', { status: 'draft' })
    expect(await counts()).toEqual({ [id]: [0, 0] })
    expect(await counts(admin)).toEqual({ [id]: [2, 2] })
    await api('DELETE', `/v1/photos/${a!.id}`, { token: admin.token })
    expect(await counts(admin)).toEqual({ [id]: [1, 1] })
    await batch('remove_categories', { categories: [id] })
    expect(await counts(admin)).toEqual({ [id]: [0, 0] })
  })
})

test('a change of a category or a tag is told once, and not for each photo that shows it', async () => {
  const id = await make()
  const tag = await api('POST', '/v1/tags', { token: admin.token, body: { name: unique('tag ') } })
  const [photo] = await makePhotos(server, admin, [{ categoryIds: [id] }])
  const add = { photo_ids: [photo!.id], action: 'add_tags', data: { tags: [tag.body.data.name] } }
  await api('POST', '/v1/photos/batch', { token: admin.token, body: add })
  const [{ head }] = (await query(
    server,
    sql`select last_seq as head from channels where user_id = ${admin.user.id}`,
  )) as [{ head: number }]
  await put(id, { name: unique('Another ') })
  for (const path of [`/v1/tags/${tag.body.data.id}`, `/v1/categories/${id}`]) {
    await api('PUT', path, { token: admin.token, body: { name: unique('again ') } })
    expect((await api('DELETE', path, { token: admin.token })).status).toBe(204)
  }
  const events = await query(
    server,
    sql`select type from events where user_id = ${admin.user.id} and seq > ${head} order by seq`,
  )
  expect(events.map(({ type }) => type)).toEqual(['category.updated', 'category.updated', 'category.deleted'])
})
