/** docs/contracts/portfolio.md, "Categories". */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import type { TestUser } from '../../support/factories.ts'
import { makePhotos } from '../../support/photos.ts'
import { query } from '../../support/server.ts'
import { expectAnswer, expectPortfolioError } from '../../support/shapes.ts'
import { type Fields, openCategoryScene } from './category-scene.ts'
import { CATEGORY, CATEGORY_DETAIL, enveloped } from './shapes.ts'

const { server, api, admin, editor, visitor, post, put, show, list, make, chain } = await openCategoryScene()
afterAll(server.stop)

const NODE = { id: 'integer', name: 'string', slug: 'string', photo_count: 'integer', children: 'array' }

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
    expectAnswer(answer, 201, enveloped(CATEGORY_DETAIL))
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
    ['a zero character', { seo_title: 'a\0b' }, ['seo_title']],
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
    expectAnswer(answer, 200, enveloped(CATEGORY_DETAIL))
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
