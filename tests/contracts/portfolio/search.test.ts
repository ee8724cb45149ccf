import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { createCategory } from '../../../src/core/categories/changes.ts'
import { api } from '../../support/api.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { makePhoto, makeTag, type NewPhoto } from '../../support/photos.ts'
import { startServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let owner: TestUser
let admin: TestUser
const ids = {} as Record<'night' | 'view' | 'market' | 'draft' | 'hostile' | 'plain', number>
let city: number
let streets: number

const newCategory = async (name: string, parentId?: number) =>
  (await createCategory(server.ctx, SERVER, { name, parentId })).id

beforeAll(async () => {
  server = await startServer()
  owner = await makeUser(server, { role: 'editor' })
  admin = await makeUser(server, { role: 'admin' })
  city = await newCategory('城市风光')
  streets = await newCategory('街道', city)
  const put = (input: NewPhoto) => makePhoto(server, owner, input)
  ids.night = await put({
    title: '夜景',
    description: '繁华都市的夜晚景色',
    takenAt: new Date('2024-01-15T18:30:00Z'),
    locationName: '上海外滩',
    exif: { camera: 'Canon EOS R5', lens: 'RF 24-70mm f/2.8L IS USM' },
    categoryIds: [city],
    tags: ['夜景', '城市'],
  })
  ids.view = await put({
    title: '上海夜景',
    takenAt: new Date('2023-12-31T23:59:59Z'),
    categoryIds: [streets],
    tags: ['夜景'],
  })
  ids.market = await put({
    title: '市场',
    description: `${'街头。'.repeat(100)}这里的夜景很美，<b>真的</b>`,
    takenAt: new Date('2024-12-31T23:59:59Z'),
    tags: ['城市'],
  })
  ids.plain = await put({ title: 'A river', tags: ['夜景'], country: '中国' })
  ids.draft = await put({
    title: '秘密夜景',
    status: 'draft',
    tags: ['夜景'],
    categoryIds: [await newCategory('未公开')],
    takenAt: new Date('2020-05-05T00:00:00Z'),
  })
  ids.hostile = await put({
    title: '<script>alert(1)</script> & "quotes"',
    description: '<img src=x onerror=alert(1)>',
  })
})
afterAll(() => server.stop())

const search = (query: Record<string, string>, token?: string) =>
  api(server, 'GET', `/v1/photos/search?${new URLSearchParams(query)}`, { token })
const found = async (query: Record<string, string>, token?: string): Promise<number[]> => {
  const { status, body } = await search(query, token)
  expect(status).toBe(200)
  expect(body.pagination.total).toBe(body.data.photos.length)
  return body.data.photos.map(({ id }: { id: number }) => id)
}

test('facets leave out inactive categories, those below them, and inactive tags, but not for administrators', async () => {
  const off = await newCategory('停用的分类')
  const below = await newCategory('下级', off)
  const tags = ['停用的标签', '可见']
  await makePhoto(server, owner, { title: 'zebra', categoryIds: [below], tags })
  await makePhoto(server, owner, { title: 'zebra', categoryIds: [city], tags })
  const hidden = await makeTag(server, '停用的标签')
  for (const isActive of [false, true]) {
    await api(server, 'PUT', `/v1/categories/${off}`, { token: admin.token, body: { is_active: isActive } })
    await api(server, 'PUT', `/v1/tags/${hidden}`, { token: admin.token, body: { is_active: isActive } })
    for (const viewer of [undefined, owner, admin]) {
      const { facets } = (await search({ q: 'zebra' }, viewer?.token)).body.data
      const named = (all: { name: string; count: number }[]) =>
        Object.fromEntries(all.map(({ name, count }) => [name, count]))
      const all = isActive || viewer === admin
      expect(named(facets.categories)).toEqual({
        城市风光: 1,
        ...(all && { 停用的分类: 1, 下级: 1 }),
      })
      expect(named(facets.tags)).toEqual({ 可见: 2, ...(all && { 停用的标签: 2 }) })
    }
  }
})

test('the documented fields, the best photo first, and facets over the whole result', async () => {
  const { status, body } = await search({ q: '夜景', limit: '2' })
  expect(status).toBe(200)
  expect(body).toMatchObject({
    success: true,
    code: 200,
    data: {
      photos: [
        {
          id: ids.night,
          title: '夜景',
          score: 1,
          highlight: { title: '<mark>夜景</mark>', description: '繁华都市的夜晚景色' },
        },
        {
          id: ids.view,
          title: '上海夜景',
          score: 0.9,
          highlight: { title: '上海<mark>夜景</mark>', description: '' },
        },
      ],
    },
    pagination: { page: 1, limit: 2, total: 4, total_pages: 2, has_next: true, has_prev: false },
  })
  const { facets } = body.data
  expect(facets.categories.map(({ name, count }: never) => [name, count])).toEqual([
    ['城市风光', 2],
    ['街道', 1],
  ])
  expect(facets.tags.map(({ name, count }: never) => [name, count])).toEqual([
    ['夜景', 3],
    ['城市', 2],
  ])
  expect(facets.years).toEqual([
    { year: 2024, count: 2 },
    { year: 2023, count: 1 },
  ])
  const second = await search({ q: '夜景', limit: '2', page: '2' })
  expect(second.body.data.photos.map(({ id, score }: never) => [id, score])).toEqual([
    [ids.plain, 0.7],
    [ids.market, 0.4],
  ])
  expect(second.body.data.facets).toEqual(facets)
  const beyond = await search({ q: '夜景', limit: '2', page: '9' })
  expect(beyond.body.data).toEqual({ photos: [], facets })
})

test('a photo that the viewer may not see is neither found nor counted', async () => {
  expect(await found({ q: '秘密' })).toEqual([])
  expect((await search({ q: '夜景' })).text).not.toContain('未公开')
  const stranger = await makeUser(server)
  expect(await found({ q: '秘密' }, stranger.token)).toEqual([])
  for (const { token } of [owner, admin]) {
    expect(await found({ q: '秘密' }, token)).toEqual([ids.draft])
    const { body } = await search({ q: '夜景' }, token)
    expect(body.data.facets.years).toContainEqual({ year: 2020, count: 1 })
  }
})

test('pinyin is highlighted as the characters that were typed', async () => {
  for (const [q, title] of [
    ['shyj', '<mark>上海夜景</mark>'],
    ['yej', '上海<mark>夜景</mark>'],
    ['hai', '上<mark>海</mark>夜景'],
  ] as const) {
    const { body } = await search({ q })
    const item = body.data.photos.find(({ id }: { id: number }) => id === ids.view)
    expect(item?.highlight.title).toBe(title)
  }
})

test('what the owner wrote stays text in a highlight', async () => {
  const { body } = await search({ q: 'script quotes' })
  expect(body.data.photos[0].highlight).toEqual({
    title:
      '&lt;<mark>script</mark>&gt;alert(1)&lt;/<mark>script</mark>&gt; &amp; &quot;<mark>quotes</mark>&quot;',
    description: '&lt;img src=x onerror=alert(1)&gt;',
  })
})

test('a long description is cut around the match', async () => {
  const { body } = await search({ q: '夜景很美' })
  expect(body.data.photos).toHaveLength(1)
  const { description } = body.data.photos[0].highlight
  expect(description).toMatch(/^…[街头。]+这里的<mark>夜景很美<\/mark>，&lt;b&gt;真的&lt;\/b&gt;$/)
  expect(description.length).toBeLessThan(250)
})

describe('filters', () => {
  test('a category has the photos below it', async () => {
    expect(await found({ q: '夜景', category: String(city) })).toEqual([ids.night, ids.view])
    expect(await found({ q: '夜景', category: String(streets) })).toEqual([ids.view])
    expect(await found({ q: '夜景', category: '2147483647' })).toEqual([])
  })

  test('the other filters', async () => {
    const night = (filter: Record<string, string>) => found({ q: '夜景', ...filter })
    expect(await night({ tags: '夜景' })).toEqual([ids.night, ids.view, ids.plain])
    expect(await night({ tags: '城市,夜景' })).toEqual([ids.night])
    expect(await night({ tags: '城市，夜景,夜景,' })).toEqual([ids.night])
    expect(await night({ tags: '城市,nobody' })).toEqual([])
    expect(await night({ location: '海外' })).toEqual([ids.night])
    expect(await night({ location: 'waitan' })).toEqual([ids.night])
    expect(await night({ location: '上海滩' })).toEqual([])
    expect(await night({ location: '中国' })).toEqual([ids.plain])
    expect(await night({ location: '?' })).toEqual([])
    expect(await night({ date_from: '2024-01-01', date_to: '2024-12-31' })).toEqual([ids.night, ids.market])
    expect(await night({ date_from: '2023-12-31', date_to: '2023-12-31' })).toEqual([ids.view])
    expect(await night({ date_to: '2023-12-30' })).toEqual([])
    expect(await night({ camera: 'canon r5' })).toEqual([ids.night])
    expect(await night({ camera: 'nikon' })).toEqual([])
    expect(await night({ lens: '24-70' })).toEqual([ids.night])
    expect(await night({ lens: '%' })).toEqual([])
  })
})

describe('input', () => {
  test.each([
    ['', 'q'],
    ['   ', 'q'],
    ['x'.repeat(101), 'q'],
  ])('q=%j is wrong', async (q, field) => {
    const { status, body } = await search({ q })
    expect(status).toBe(400)
    expect(body.error.details[0].field).toBe(field)
  })

  test.each([
    ['date_from', '2024-02-30'],
    ['date_to', '2024-1-1'],
    ['date_to', '0000-01-01'],
    ['page', '0'],
    ['limit', '1000'],
    ['category', 'x'],
    ['category', '99999999999'],
  ])('%s=%s is wrong', async (field, value) => {
    const { status, body } = await search({ q: '夜', [field]: value })
    expect([status, body.error.details[0].field]).toEqual([400, field])
  })

  test('each day that does not exist is named', async () => {
    const { body } = await search({ q: '夜', date_from: '2024-02-30', date_to: '2024-13-01' })
    expect(body.error.details.map(({ field }: { field: string }) => field)).toEqual(['date_from', 'date_to'])
  })

  test('the end before the start is impossible', async () => {
    const { status, body } = await search({ q: '夜', date_from: '2024-02-01', date_to: '2024-01-01' })
    expect([status, body.error.type]).toEqual([422, 'UNPROCESSABLE_ENTITY'])
  })

  test.each([
    ['!?，。 ', []],
    ['\0', []],
    ["'); drop table photos; --", []],
    ["夜':* | !'景", ['market', 'night', 'plain', 'view']],
    ['a'.repeat(100), []],
    ['𠀀'.repeat(100), []],
    ['%', []],
    ['_', []],
    ['夜\0景', ['market', 'night', 'plain', 'view']],
    ['  夜  景  ', ['market', 'night', 'plain', 'view']],
  ] as const)('q=%j is only text', async (q, names) => {
    const wanted = names.map((name) => ids[name])
    expect((await found({ q })).toSorted()).toEqual(wanted.toSorted())
  })

  test('NUL in a filter', async () => {
    for (const field of ['tags', 'location', 'camera', 'lens'])
      expect(await found({ q: '夜', [field]: 'a\0b' })).toEqual([])
  })
})
