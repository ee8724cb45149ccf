import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { indexPhotos } from '../../../src/core/photo-index/write.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { photos } from '../../../src/db/schema/index.ts'
import { type Answer, type Ask, api } from '../../support/api.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { makePhotos } from '../../support/photos.ts'
import { query, startServer } from '../../support/server.ts'
import { expectAnswer, expectPortfolioError, expectWithout } from '../../support/shapes.ts'
import { enveloped, PAGINATION, TAG } from './shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = (method: string, path: string, { token }: Partial<TestUser> = {}, rest: Ask = {}) =>
  api(server, method, `/v1/tags${path}`, { token, ...rest })

let owner: TestUser
let stranger: TestUser
let editor: TestUser
let admin: TestUser
beforeAll(async () => {
  const roles = ['editor', 'user', 'editor', 'admin'] as const
  ;[owner, stranger, editor, admin] = (await Promise.all(
    roles.map((role) => makeUser(server, { role })),
  )) as [TestUser, TestUser, TestUser, TestUser]
})

const create = async (fields: object, user = admin) => {
  const answer = await ask('POST', '', user, { body: fields })
  expectAnswer(answer, 201, enveloped(TAG))
  return answer.body.data as { id: number; name: string; slug: string }
}
/** Reads a photo. @returns a request that changes the photo only if it is still as it was read */
async function readForChange(id: number): Promise<() => Promise<Answer>> {
  const { headers } = await api(server, 'GET', `/v1/photos/${id}`)
  const change = { token: owner.token, body: { title: 'x' }, headers: { 'if-match': headers.get('etag')! } }
  return () => api(server, 'PUT', `/v1/photos/${id}`, change)
}
/** The tag as this viewer sees it in the list. */
const seen = async (name: string, viewer?: TestUser) => {
  const { body } = await ask('GET', '?limit=100', viewer)
  return body.data.find((tag: { name: string }) => tag.name === name)
}

describe('who sees which tags, and what is counted for them', () => {
  test('only photos that the viewer sees are counted, everywhere', async () => {
    const name = unique('count ')
    await create({ name })
    await makePhotos(server, owner, [
      { tags: [name] },
      { tags: [name] },
      { tags: [name], visibility: 'private' },
      { tags: [name], status: 'draft' },
    ])
    const expected = [
      [undefined, 2],
      [stranger, 2],
      [owner, 4],
      [admin, 4],
    ] as const
    for (const [viewer, count] of expected) {
      const tag = await seen(name, viewer)
      expect(tag.usage_count).toBe(count)
      expect(tag.trend_score).toBeCloseTo(count, 1)
      expect((await ask('GET', `/${tag.id}`, viewer)).body.data.usage_count).toBe(count)
      const [suggestion] = (await ask('GET', `/suggestions?q=${encodeURIComponent(name)}`, viewer)).body.data
      expect(suggestion).toMatchObject({ name, usage_count: count, match_score: 1 })
      const of = (list: { name: string }[]) => list.find((one) => one.name === name)
      expect(of((await ask('GET', '/cloud?max_tags=200', viewer)).body.data)).toMatchObject({
        usage_count: count,
      })
      expect(of((await ask('GET', '/trending?limit=100', viewer)).body.data)).toMatchObject({
        usage_count: count,
      })
    }
  })

  test('a name that was only given to a private photo is nowhere, until the photo is public', async () => {
    const name = unique('secret ')
    const [photo] = await makePhotos(server, owner, [{ tags: [name], visibility: 'private' }])
    const { id } = await seen(name, owner)
    const lists = ['?limit=100', `/suggestions?q=${name.slice(0, 9)}`, '/cloud?min_usage=0', '/trending']
    for (const viewer of [undefined, stranger, editor]) {
      for (const path of lists) expectWithout(await ask('GET', path, viewer), name)
      expectPortfolioError(await ask('GET', `/${id}`, viewer), { status: 404, code: 'RESOURCE_NOT_FOUND' })
    }
    expect((await seen(name, admin)).usage_count).toBe(1)
    await server.ctx.db.update(photos).set({ visibility: 'public' }).where(sql`id = ${photo!.id}`)
    await transaction(server.ctx, (tx) => indexPhotos(tx, [photo!.id]))
    expect((await seen(name))?.usage_count).toBe(1)
  })

  test('a user who creates a tag learns nothing of an equal one that only private photos have', async () => {
    const name = unique('hidden ')
    await makePhotos(server, owner, [{ tags: [name], visibility: 'private' }])
    const answer = await ask('POST', '', owner, { body: { name } })
    expectPortfolioError(answer, { status: 409, code: 'RESOURCE_CONFLICT' })
    const tag = await create({ name, color: '#9b59b6' }, editor)
    expect(await seen(name)).toMatchObject({ id: tag.id, color: '#9b59b6', usage_count: 0 })
    expect((await seen(name, owner)).usage_count).toBe(1)
  })

  test('an inactive tag is shown only to those who may change it', async () => {
    const { id, name } = await create({ name: unique('old '), is_active: false }, editor)
    expect(await seen(name)).toBeUndefined()
    expect(await seen(name, editor)).toBeUndefined()
    expect(await seen(name, admin)).toMatchObject({ is_active: false })
    expect((await ask('GET', `/${id}`)).status).toBe(404)
  })
})

describe('GET /v1/tags', () => {
  test('pages, filters and sorts, with the groups in the language of the request', async () => {
    const [a, b] = [
      await create({ name: '啊啊', tag_group: 'location' }),
      await create({ name: 'zz top', tag_group: 'location' }),
    ]
    await makePhotos(server, owner, [{ tags: ['zz top'] }])
    const list = async (q: string, language = 'zh') => {
      const answer = await ask('GET', `?group=location&${q}`, undefined, {
        headers: { 'accept-language': language },
      })
      const group = { name: 'string', count: 'integer' }
      expectAnswer(answer, 200, {
        ...enveloped([TAG]),
        groups: { style: group, subject: group, technique: group, location: group },
        pagination: PAGINATION,
      })
      return answer.body
    }
    const ids = (body: { data: { id: number }[] }) => body.data.map(({ id }) => id)
    const first = await list('limit=1')
    expect(ids(first)).toEqual([b.id])
    expect(first.groups.location).toEqual({ name: '地理位置', count: 2 })
    expect(first.pagination).toMatchObject({ total: 2, total_pages: 2, has_next: true })
    expect(ids(await list('limit=1&page=2'))).toEqual([a.id])
    expect((await list('page=9')).pagination.total).toBe(2)
    expect((await list('', 'en')).groups.location.name).toBe('Location')
    for (const [by, up] of [
      ['name', [a.id, b.id]],
      ['created_at', [a.id, b.id]],
      ['usage_count', [a.id, b.id]],
      ['trend_score', [a.id, b.id]],
      ['last_used_at', [a.id, b.id]],
    ] as const) {
      expect(ids(await list(`sort_by=${by}&sort_order=asc`)), by).toEqual([...up])
      expect(ids(await list(`sort_by=${by}&sort_order=desc`)), by).toEqual(up.toReversed())
    }
  })

  test.each(['limit=101', 'limit=0', 'page=0', 'group=other', 'sort_by=id', 'sort_order=up', 'limit=x'])(
    '%s is 400',
    async (q) => {
      const field = q.split('=')[0]!
      expectPortfolioError(await ask('GET', `?${q}`), {
        status: 400,
        code: 'VALIDATION_ERROR',
        fields: [field],
      })
    },
  )
})

describe('GET /v1/tags/suggestions', () => {
  const suggest = async (q: string, limit = 10) => {
    const answer = await ask('GET', `/suggestions?q=${encodeURIComponent(q)}&limit=${limit}`)
    expectAnswer(
      answer,
      200,
      enveloped([
        { id: 'integer', name: 'string', slug: 'string', usage_count: 'integer', match_score: 'number' },
      ]),
    )
    return answer.body.data as { name: string; match_score: number }[]
  }
  const names = async (q: string) => (await suggest(q)).map(({ name }) => name)

  beforeAll(async () => {
    await create({ name: '夜景', slug: 'night-view' })
    for (const name of ['夜市', '城市夜色', '叶子', '100% 纯色']) await create({ name })
    await makePhotos(server, owner, [{ tags: ['夜市'] }])
  })

  test('the name first, then what begins with the text, then what contains it, then pinyin', async () => {
    expect(await names('夜景')).toEqual(['夜景'])
    expect(await names('夜')).toEqual(['夜市', '夜景', '城市夜色'])
    expect((await names('YJ'))[0]).toBe('夜景')
    expect((await names('ye jing'))[0]).toBe('夜景')
    expect(await names('ye')).toEqual(['夜市', '夜景', '城市夜色', '叶子'])
    expect(await names('view')).toEqual(['夜景'])
    expect(await names('hengshi')).toEqual([])
    expect((await names('Night View'))[0]).toBe('夜景')
    expect(await names('nosuchtag')).toEqual([])
    const scores = (await suggest('ye')).map(({ match_score }) => match_score)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    for (const score of scores) expect(score).toBeGreaterThan(0)
    expect(await suggest('夜', 1)).toHaveLength(1)
  })

  test('signs that mean something to databases mean themselves', async () => {
    expect(await names('%')).toEqual(['100% 纯色'])
    expect(await names('_')).toEqual([])
    expect(await names("'")).toEqual([])
    expect(await names('\\')).toEqual([])
    expect(await names('\u200b')).toEqual([])
    expect((await ask('GET', '/suggestions?q=a%00')).status).toBe(200)
  })

  test.each(['', 'q=', 'q=%20', `q=${'x'.repeat(51)}`])('%s is 400', async (q) => {
    const answer = await ask('GET', `/suggestions?${q}`)
    expectPortfolioError(answer, { status: 400, code: 'VALIDATION_ERROR', fields: ['q'] })
  })
})

describe('cloud and trending', () => {
  const [big, small] = [unique('big '), unique('small ')]
  beforeAll(async () => {
    await makePhotos(server, owner, [
      ...Array.from({ length: 45 }, () => ({ tags: [big] })),
      ...Array.from({ length: 38 }, () => ({ tags: [small] })),
    ])
  })

  test('sizes are in proportion to the largest', async () => {
    const answer = await ask('GET', '/cloud?min_usage=5&max_tags=50')
    expectAnswer(
      answer,
      200,
      enveloped([
        { id: 'integer', name: 'string', usage_count: 'integer', relative_size: 'integer', color: 'string' },
      ]),
    )
    const sizes = answer.body.data.map((tag: { name: string; relative_size: number }) => [
      tag.name,
      tag.relative_size,
    ])
    expect(sizes).toEqual([
      [big, 100],
      [small, 84],
    ])
    expect((await ask('GET', '/cloud?max_tags=1')).body.data).toHaveLength(1)
    expect((await ask('GET', '/cloud?min_usage=46')).body.data).toEqual([])
  })

  test('recent uses count, newer ones more, and older ones than the period not at all', async () => {
    const age = (name: string, days: number) =>
      query(
        server,
        sql`update photo_tags set created_at = now() - make_interval(days => ${days})
          where tag_id = (select id from tags where name = ${name})`,
      )
    await age(big, 20)
    await age(small, 1)
    // What was counted before is kept for some seconds unless a photo changes.
    await makePhotos(server, owner, [{}])
    const trending = async (q: string) => {
      const { body } = await ask('GET', `/trending?limit=100&${q}`)
      const both = body.data.filter(({ name }: { name: string }) => name === big || name === small)
      return { period: body.period, names: both.map(({ name }: { name: string }) => name), both }
    }
    const month = await trending('period=30d')
    expect(month).toMatchObject({ period: '30d', names: [small, big] })
    expect(month.both[1].trend_score).toBeCloseTo(45 * 0.5 ** (20 / 7.5), 1)
    expect(await trending('period=7d')).toMatchObject({ period: '7d', names: [small] })
    expect((await trending('period=365d')).names).toEqual([big, small])
  })

  test.each(['period=0d', 'period=366d', 'period=30', 'period=d', 'period=-1d', 'limit=101'])(
    '%s is 400',
    async (q) => {
      expectPortfolioError(await ask('GET', `/trending?${q}`), {
        status: 400,
        code: 'VALIDATION_ERROR',
        fields: [q.split('=')[0]!],
      })
    },
  )
})

describe('POST, PUT and DELETE', () => {
  test('a name or a slug that is taken is 409, in any spelling', async () => {
    const slug = unique('s')
    const { id } = await create({ name: `Golden ${slug}`, slug })
    const other = await create({ name: unique('x') })
    for (const body of [{ name: ` golden  ${slug.toUpperCase()}` }, { name: unique('y'), slug }]) {
      expectPortfolioError(await ask('POST', '', editor, { body }), {
        status: 409,
        code: 'RESOURCE_CONFLICT',
      })
      expectPortfolioError(await ask('PUT', `/${other.id}`, admin, { body }), {
        status: 409,
        code: 'RESOURCE_CONFLICT',
      })
    }
    expect((await ask('PUT', `/${id}`, admin, { body: { name: `GOLDEN ${slug}`, slug } })).status).toBe(200)
  })

  test('two requests that create the same tag at once: one 201, the others 409', async () => {
    const body = { name: unique('race ') }
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask('POST', '', editor, { body })))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409])
  })

  test.each([
    [{}, 'name'],
    [{ name: '  ' }, 'name'],
    [{ name: '\u200b' }, 'name'],
    [{ name: 'x'.repeat(51) }, 'name'],
    [{ name: 5 }, 'name'],
    [{ name: 'a', slug: 'Not A Slug' }, 'slug'],
    [{ name: 'a', slug: '' }, 'slug'],
    [{ name: 'a', slug: 'a--b' }, 'slug'],
    [{ name: 'a', color: 'red' }, 'color'],
    [{ name: 'a', tag_group: 'all' }, 'tag_group'],
    [{ name: 'a', is_featured: 1 }, 'is_featured'],
    [{ name: 'a\0b' }, 'name'],
  ])('%j is 400', async (body, field) => {
    const answer = await ask('POST', '', editor, { body })
    expectPortfolioError(answer, { status: 400, code: 'VALIDATION_ERROR', fields: [field] })
  })

  test('a change leaves the other fields; null takes a color or a description away; photos show the new name', async () => {
    const { id, name } = await create({
      name: unique('old '),
      color: '#111111',
      icon: 'moon',
      description: 'd',
    })
    const [photo] = await makePhotos(server, owner, [{ tags: [name] }])
    const changeAsRead = await readForChange(photo!.id)
    const renamed = unique('new ')
    const answer = await ask('PUT', `/${id}`, admin, { body: { name: renamed, color: null } })
    expectAnswer(answer, 200, enveloped(TAG))
    expect(answer.body.data).toMatchObject({
      name: renamed,
      color: '',
      icon: 'moon',
      description: 'd',
      usage_count: 1,
    })
    expect((await changeAsRead()).status).toBe(412)
    const emptied = await ask('PUT', `/${id}`, admin, { body: { description: null } })
    expect(emptied.body.data).toMatchObject({ name: renamed, description: '' })
    expect((await ask('PUT', `/${id}`, admin, { body: {} })).status).toBe(200)
  })

  test('with another slug its photos are found by that slug, and no longer by the earlier one', async () => {
    const [earlier, later] = [unique('earlier'), unique('later')]
    const { id, name } = await create({ name: unique('slugged '), slug: earlier })
    await makePhotos(server, owner, [{ tags: [name] }])
    const found = async (slug: string) =>
      (await api(server, 'GET', `/v1/photos?tag=${slug}`)).body.pagination.total
    expect([await found(earlier), await found(later)]).toEqual([1, 0])
    expect((await ask('PUT', `/${id}`, admin, { body: { slug: later } })).status).toBe(200)
    expect([await found(earlier), await found(later)]).toEqual([0, 1])
  })

  test('a deleted tag is gone from its photos too', async () => {
    const { id, name } = await create({ name: unique('gone ') })
    const [photo] = await makePhotos(server, owner, [{ tags: [name] }])
    const changeAsRead = await readForChange(photo!.id)
    expect((await ask('DELETE', `/${id}`, editor)).status).toBe(403)
    const answer = await ask('DELETE', `/${id}`, admin)
    expect([answer.status, answer.text]).toEqual([204, ''])
    const [row] = await query(server, sql`select tag_ids from photo_index where photo_id = ${photo!.id}`)
    expect(row).toEqual({ tag_ids: '{}' })
    expect((await changeAsRead()).status).toBe(412)
    expect(await seen(name, admin)).toBeUndefined()
    for (const method of ['GET', 'PUT', 'DELETE'])
      expectPortfolioError(await ask(method, `/${id}`, admin, method === 'PUT' ? { body: {} } : {}), {
        status: 404,
        code: 'RESOURCE_NOT_FOUND',
      })
  })
})
