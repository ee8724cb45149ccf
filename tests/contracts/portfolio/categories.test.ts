/** docs/contracts/portfolio.md, "Categories". */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { describedApi } from '../../support/described.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { makePhotos } from '../../support/photos.ts'
import { query, startServer } from '../../support/server.ts'
import { expectAnswer, expectPortfolioError, type Shape } from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const api = describedApi(server)
const admin = await makeUser(server, { role: 'admin' })
const editor = await makeUser(server, { role: 'editor' })
const visitor = await makeUser(server)

const CATEGORY = {
  id: 'integer',
  name: 'string',
  slug: 'string',
  description: 'string',
  parent_id: 'integer|null',
  level: 'integer',
  path: 'string',
  cover_photo: 'object|null',
  color: 'string',
  icon: 'string',
  sort_order: 'integer',
  is_active: 'boolean',
  is_featured: 'boolean',
  photo_count: 'integer',
  direct_photo_count: 'integer',
  created_at: 'instant',
  updated_at: 'instant',
} satisfies Shape
const enveloped = <T extends Shape>(data: T) =>
  ({
    success: 'true',
    code: 'integer',
    message: 'string',
    data,
    meta: { timestamp: 'instant', request_id: 'string' },
  }) as const
const NODE = { id: 'integer', name: 'string', slug: 'string', photo_count: 'integer', children: 'array' }
const DETAIL = {
  ...CATEGORY,
  seo_title: 'string',
  seo_description: 'string',
  ancestors: [{ id: 'integer', name: 'string', slug: 'string' }],
  children: [{ id: 'integer', name: 'string', slug: 'string', photo_count: 'integer' }],
} as const

beforeEach(async () => {
  await query(server, sql`truncate categories cascade`)
})

interface Fields {
  name?: string
  slug?: string
  parent_id?: number | null
  sort_order?: number
  is_active?: boolean
  is_featured?: boolean
}
const post = (body: object, { token }: TestUser = admin) => api('POST', '/v1/categories', { token, body })
const put = (id: number, body: object, { token }: TestUser = admin) =>
  api('PUT', `/v1/categories/${id}`, { token, body })
const show = (id: number, viewer?: TestUser) => api('GET', `/v1/categories/${id}`, { token: viewer?.token })
const list = (viewer?: TestUser, search = '') =>
  api('GET', `/v1/categories${search}`, { token: viewer?.token })

async function make(fields: Fields = {}): Promise<number> {
  const answer = await post({ name: unique('Category '), ...fields })
  expect(answer.status, answer.text).toBe(201)
  return answer.body.data.id
}
/** A chain of categories, each below the one before. */
async function chain(length: number, parent?: number): Promise<number[]> {
  const ids: number[] = []
  for (let n = 0; n < length; n++) ids.push(await make({ parent_id: ids.at(-1) ?? parent ?? null }))
  return ids
}
/** What a viewer is told about how many photos each category has: in the whole subtree, and itself. */
async function counts(viewer?: TestUser): Promise<Record<number, [number, number]>> {
  const { body } = await list(viewer)
  return Object.fromEntries(
    body.data.categories.map((one: typeof body) => [one.id, [one.photo_count, one.direct_photo_count]]),
  )
}

describe('GET /v1/categories', () => {
  test('has every documented field, and tree and stats when they are asked for', async () => {
    const parent = await make({ is_featured: true })
    await make({ parent_id: parent })
    const whole = await list(undefined, '?include_stats=true&include_tree=true')
    const stats = { total_categories: 'integer', max_level: 'integer', featured_count: 'integer' }
    expectAnswer(whole, 200, enveloped({ categories: [CATEGORY], tree: [NODE], stats }))
    expect(whole.body.data.stats).toEqual({ total_categories: 2, max_level: 1, featured_count: 1 })
    expect(whole.body.data.tree).toHaveLength(1)
    expect(whole.body.data.tree[0].children).toHaveLength(1)
    const bare = await list(visitor, '?include_tree=false')
    expect(Object.keys(bare.body.data)).toEqual(['categories'])
  })

  test('is empty, with zeros, when there is none', async () => {
    const { body } = await list(undefined, '?include_stats=true&include_tree=true')
    expect(body.data).toEqual({
      categories: [],
      tree: [],
      stats: { total_categories: 0, max_level: 0, featured_count: 0 },
    })
  })

  test('is in the order of sort_order, then of the name', async () => {
    await make({ name: 'b', sort_order: 1 })
    await make({ name: 'c', sort_order: 0 })
    await make({ name: 'a', sort_order: 1 })
    const { body } = await list(undefined, '?include_tree=true')
    for (const names of [body.data.categories, body.data.tree]) {
      expect(names.map(({ name }: Fields) => name)).toEqual(['c', 'a', 'b'])
    }
  })

  test('refuses what is no boolean', async () => {
    for (const text of ['include_stats=yes', 'include_tree=1%00', 'include_tree=']) {
      expectPortfolioError(await list(undefined, `?${text}`), { status: 400, code: 'VALIDATION_ERROR' })
    }
  })

  test('shows an inactive category and all below it only to those who may change it', async () => {
    const [top, hidden, below] = (await chain(3)) as [number, number, number]
    await put(hidden, { is_active: false })
    const ids = async (viewer?: TestUser) =>
      (await list(viewer)).body.data.categories.map((one: { id: number }) => one.id).sort()
    for (const viewer of [undefined, visitor, editor]) {
      expect(await ids(viewer)).toEqual([top])
      for (const id of [hidden, below]) {
        expectPortfolioError(await show(id, viewer), { status: 404, code: 'RESOURCE_NOT_FOUND' })
      }
      expect((await show(top, viewer)).body.data.children).toEqual([])
      const { stats } = (await list(viewer, '?include_stats=true')).body.data
      expect(stats).toEqual({ total_categories: 1, max_level: 0, featured_count: 0 })
    }
    expect(await ids(admin)).toEqual([top, hidden, below])
    expect((await show(below, admin)).status).toBe(200)
  })
})

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

describe('POST /v1/categories', () => {
  test('creates what the document shows', async () => {
    const body = {
      name: '自然风景',
      slug: 'nature-landscape',
      description: '自然风景摄影作品',
      parent_id: null,
      color: '#27ae60',
      icon: 'tree',
      sort_order: 2,
      is_featured: true,
      seo_title: '自然风景摄影作品集',
      seo_description: '欣赏美丽的自然风景摄影作品',
    }
    const answer = await post(body)
    expectAnswer(answer, 201, enveloped(DETAIL))
    expect(answer.body).toMatchObject({ code: 201, data: { ...body, level: 0, is_active: true } })
    expect(answer.body.data.path).toBe(String(answer.body.data.id))
    expect((await show(answer.body.data.id)).body.data).toEqual(answer.body.data)
  })

  test('makes a slug from the name, another one when it is taken, and one for a name without letters', async () => {
    const slugs: string[] = []
    for (const name of ['城市夜景', '城市夜景', '★']) slugs.push((await post({ name })).body.data.slug)
    expect(slugs[0]).toBe('cheng-shi-ye-jing')
    expect(slugs[1]).toMatch(/^cheng-shi-ye-jing-\w{5}$/)
    expect(slugs[2]).toBe('category')
  })

  test('puts a category below its parent', async () => {
    const parent = await make()
    const { data } = (await post({ name: 'child', parent_id: parent })).body
    expect(data).toMatchObject({ parent_id: parent, level: 1, path: `${parent}/${data.id}` })
    expect(data.ancestors.map(({ id }: { id: number }) => id)).toEqual([parent])
    expect((await show(parent)).body.data.children[0].id).toBe(data.id)
  })

  test('refuses a slug that is taken, also when two requests take it at once', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => post({ name: 'n', slug: 'taken' })))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409])
    expectPortfolioError(answers.find(({ status }) => status === 409)!, {
      status: 409,
      code: 'RESOURCE_CONFLICT',
    })
    const other = await make({ slug: 'free' })
    expectPortfolioError(await put(other, { slug: 'taken' }), { status: 409, code: 'RESOURCE_CONFLICT' })
    expect((await put(other, { slug: 'free' })).status).toBe(200)
  })

  test('refuses a parent that does not exist and names it', async () => {
    const answer = await post({ name: 'n', parent_id: 99_999 })
    expectPortfolioError(answer, { status: 422, code: 'UNPROCESSABLE_ENTITY' })
    expect(answer.body.error.details).toEqual({ category: 99_999 })
  })

  const MISTAKES: [string, object, string[]][] = [
    ['no name', {}, ['name']],
    ['a name of spaces', { name: '   ' }, ['name']],
    ['a name that is too long', { name: 'x'.repeat(101) }, ['name']],
    ['a name that is null', { name: null }, ['name']],
    ['colors of other forms', { color: 'green' }, ['color']],
    ['a short color', { color: '#fff' }, ['color']],
    ['a color with more behind it', { color: '#27ae60;x' }, ['color']],
    ['an upper-case slug', { slug: 'Nature' }, ['slug']],
    ['a slug with a slash', { slug: 'a/b' }, ['slug']],
    ['an empty slug', { slug: '' }, ['slug']],
    ['a parent that is no id', { parent_id: 0 }, ['parent_id']],
    ['a parent in words', { parent_id: 'root' }, ['parent_id']],
    ['a huge sort_order', { sort_order: 2 ** 40 }, ['sort_order']],
    ['half a sort_order', { sort_order: 1.5 }, ['sort_order']],
    ['is_active in words', { is_active: 'perhaps' }, ['is_active']],
    ['a long description', { description: 'x'.repeat(2001) }, ['description']],
    ['a zero character', { seo_title: 'a\0b' }, ['body']],
    ['several mistakes', { color: 1, icon: [] }, ['color', 'icon']],
  ]
  test('refuses each of these mistakes and names the fields', async () => {
    for (const [mistake, fields, named] of MISTAKES) {
      const body = named.includes('name') ? fields : { name: 'n', ...fields }
      const answer = await post(body)
      expect(answer.status, mistake).toBe(400)
      expectPortfolioError(answer, { status: 400, code: 'VALIDATION_ERROR', fields: named })
    }
    expect((await list(admin)).body.data.categories).toEqual([])
  })

  test('keeps other scripts and markup as they are, and trims names', async () => {
    const { data } = (await post({ name: '  Ночь <b>🦉</b> ', description: '' })).body
    expect(data).toMatchObject({ name: 'Ночь <b>🦉</b>', slug: 'ночь-b-b', description: '' })
    expect((await put(data.id, { slug: data.slug })).status).toBe(200)
  })

  test('refuses a level too many', async () => {
    const top = await make()
    // A hundred requests would take long, and the rows are what they would make.
    await query(
      server,
      sql`insert into categories (id, name, slug, path, level, parent_id)
        select ${top} + n, 'n' || n, 's' || n,
          (select string_agg((${top} + k)::text, '/' order by k) from generate_series(0, n) k), n, ${top} + n - 1
        from generate_series(1, 98) n`,
    )
    await query(server, sql`select setval('categories_id_seq', ${top + 1000})`)
    const last = await make({ parent_id: top + 98 })
    expect((await show(last)).body.data).toMatchObject({ level: 99 })
    const deeper = await post({ name: 'n', parent_id: last })
    expectPortfolioError(deeper, { status: 422, code: 'UNPROCESSABLE_ENTITY' })
    expect(deeper.body.error.details).toEqual({ limit: 100 })
    const other = await make()
    expectPortfolioError(await put(top, { parent_id: other }), { status: 422, code: 'UNPROCESSABLE_ENTITY' })
    expect((await list(undefined, '?include_tree=true')).status).toBe(200)
  })

  test('refuses a category too many', async () => {
    await query(
      server,
      sql`insert into categories (name, slug, path) select 'n' || n, 's' || n, 'x' from generate_series(1, 2000) n`,
    )
    const answer = await post({ name: 'one more' })
    expectPortfolioError(answer, { status: 409, code: 'RESOURCE_CONFLICT' })
    expect(answer.body.error.details).toEqual({ limit: 2000 })
  })
})

describe('PUT /v1/categories/{id}', () => {
  test('changes what the body names, and nothing else', async () => {
    const { data } = (await post({ name: 'n', icon: 'tree', sort_order: 3, description: 'd' })).body
    const change = { name: '自然风光', description: '更新后的描述', color: '#2ECC71' }
    const answer = await put(data.id, change)
    expectAnswer(answer, 200, enveloped(DETAIL))
    const { updated_at } = answer.body.data
    expect(answer.body.data).toEqual({ ...data, ...change, updated_at })
    expect(Date.parse(updated_at)).toBeGreaterThan(Date.parse(data.updated_at))
    expect((await put(data.id, { icon: null, description: null, color: null })).body.data).toMatchObject({
      icon: '',
      description: '',
      color: '',
      name: '自然风光',
    })
    expect((await put(data.id, {})).body.data).toMatchObject({ name: '自然风光', sort_order: 3 })
  })

  test('moves a category with all below it, and back to the root', async () => {
    const [a, b, c] = (await chain(3)) as [number, number, number]
    const other = await make()
    await put(b, { parent_id: other })
    expect((await show(c)).body.data).toMatchObject({ path: `${other}/${b}/${c}`, level: 2, parent_id: b })
    await put(b, { parent_id: null, name: 'root' })
    expect((await show(b)).body.data).toMatchObject({ path: `${b}`, level: 0, parent_id: null, name: 'root' })
    expect((await show(c)).body.data).toMatchObject({ path: `${b}/${c}`, level: 1 })
    expect((await show(a)).body.data.children).toEqual([])
  })

  test('refuses a cycle, and a parent that does not exist', async () => {
    const [a, b, c] = (await chain(3)) as [number, number, number]
    for (const [moved, parent] of [
      [a, a],
      [a, b],
      [a, c],
      [b, 99_999],
    ] as const) {
      expectPortfolioError(await put(moved, { parent_id: parent }), {
        status: 422,
        code: 'UNPROCESSABLE_ENTITY',
      })
    }
    expect((await show(c)).body.data.path).toBe(`${a}/${b}/${c}`)
  })

  test('refuses one of two moves at once that would make a cycle together', async () => {
    for (let n = 0; n < 5; n++) {
      const [a, below] = (await chain(2)) as [number, number]
      const [b, under] = (await chain(2)) as [number, number]
      const answers = await Promise.all([put(a, { parent_id: under }), put(b, { parent_id: below })])
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 422])
      const rows = await query(server, sql`select id, path, level, parent_id from categories`)
      const paths = new Map(rows.map((row) => [row.id, row.path as string]))
      for (const { id, path, level, parent_id } of rows) {
        expect(path).toBe(parent_id === null ? `${id}` : `${paths.get(parent_id)}/${id}`)
        expect(level).toBe((path as string).split('/').length - 1)
      }
    }
  })
})

describe('DELETE /v1/categories/{id}', () => {
  const remove = (id: number) => api('DELETE', `/v1/categories/${id}`, { token: admin.token })

  test('answers 204 without a body, and then 404', async () => {
    const id = await make()
    const answer = await remove(id)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expectPortfolioError(await remove(id), { status: 404, code: 'RESOURCE_NOT_FOUND' })
  })

  test('refuses a category with children', async () => {
    const [a, b] = (await chain(2)) as [number, number]
    expectPortfolioError(await remove(a), { status: 409, code: 'RESOURCE_CONFLICT' })
    await remove(b)
    expect((await remove(a)).status).toBe(204)
  })

  test('keeps its photos, with another category of theirs as the primary one', async () => {
    const [gone, next, last] = [await make(), await make(), await make()]
    const [both, only] = await makePhotos(server, editor, [
      { categoryIds: [gone, next, last] },
      { categoryIds: [gone] },
    ])
    const etag = (await api('GET', `/v1/photos/${only!.id}`)).headers.get('etag')!
    await remove(gone)
    const categoriesOf = async (id: number) =>
      (await api('GET', `/v1/photos/${id}`)).body.data.categories.map(
        (one: { id: number; is_primary: boolean }) => [one.id, one.is_primary],
      )
    expect(await categoriesOf(both!.id)).toEqual([
      [next, true],
      [last, false],
    ])
    expect(await categoriesOf(only!.id)).toEqual([])
    const change = { token: editor.token, body: { title: 'x' }, headers: { 'if-match': etag } }
    expect((await api('PUT', `/v1/photos/${only!.id}`, change)).status).toBe(412)
  })
})

describe('PUT /v1/categories/{id}/cover', () => {
  const cover = (id: number, photo_id: unknown, { token }: TestUser = admin) =>
    api('PUT', `/v1/categories/${id}/cover`, { token, body: { photo_id } })

  test('shows the cover to those who may see the photo', async () => {
    const id = await make()
    const [photo] = await makePhotos(server, editor, [{ title: '都市夜景' }])
    const answer = await cover(id, photo!.id)
    expectAnswer(answer, 200, enveloped(DETAIL))
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
