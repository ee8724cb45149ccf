import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { createCategory } from '../../../src/core/categories/changes.ts'
import { foldCounts, recount } from '../../../src/core/statistics/counts.ts'
import { photoFiles } from '../../../src/db/schema/index.ts'
import { createDiskStorage } from '../../../src/storage/disk.ts'
import { type Ask, api } from '../../support/api.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { fileRow, makePhotos } from '../../support/photos.ts'
import { temporaryDirectory } from '../../support/process.ts'
import { Random } from '../../support/random.ts'
import { query, startServer } from '../../support/server.ts'
import { expectAnswer, expectPortfolioError } from '../../support/shapes.ts'
import { DASHBOARD, enveloped } from './shapes.ts'

const LIMIT = 10_737_418_240
const directory = temporaryDirectory('statistics')
const disk = await createDiskStorage(directory)
let ping = disk.ping
const server = await startServer(
  { STORAGE_LIMIT: String(LIMIT) },
  { storage: { ...disk, ping: () => ping() } },
)
const { ctx } = server
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true })
})

const AMOUNT = { objects: 'integer', bytes: 'integer' } as const
const PERIODS = [{ date: 'string', period: 'string', count: 'integer' }] as const
const PHOTOS = {
  total_photos: 'integer',
  by_status: { published: 'integer', draft: 'integer', archived: 'integer' },
  by_visibility: { public: 'integer', private: 'integer' },
  periods: PERIODS,
  cameras: [{ name: 'string', count: 'integer' }],
  formats: [{ mime_type: 'string', ...AMOUNT }],
  file_sizes: [{ from: 'integer', to: 'integer|null', ...AMOUNT }],
} as const
const VIEWS = {
  total_views: 'integer',
  periods: PERIODS,
  previous_count: 'integer',
  change_percentage: 'number|null',
} as const
const STORAGE = {
  storage_used: 'integer',
  storage_limit: 'integer',
  breakdown: { originals: AMOUNT, renditions: AMOUNT, materials: AMOUNT },
  users: [{ id: 'integer', username: 'string', ...AMOUNT }],
} as const

let owner: TestUser
let admin: TestUser
beforeAll(async () => {
  owner = await makeUser(server, { role: 'editor' })
  admin = await makeUser(server, { role: 'admin' })
})

const ask = (path: string, rest: Ask = {}) =>
  api(server, 'GET', `/v1${path}`, { token: admin.token, ...rest })
async function read(path: string, shape: object) {
  const answer = await ask(path)
  expectAnswer(answer, 200, enveloped(shape as typeof DASHBOARD))
  return answer.body.data
}
const dashboard = (rest = '') => read(`/dashboard/stats${rest}`, DASHBOARD)
const photoStats = (rest = '') => read(`/stats/photos${rest}`, PHOTOS)
const viewStats = (rest = '') => read(`/stats/views${rest}`, VIEWS)
const storageStats = () => read('/stats/storage', STORAGE)

const makeCategory = async (name: string, parentId?: number) =>
  (await createCategory(ctx, SERVER, { name, parentId })).id

const numbers = (periods: { period?: string; date: string; count: number }[]) =>
  Object.fromEntries(
    periods.filter(({ count }) => count > 0).map(({ period, date, count }) => [period ?? date, count]),
  )

test('of nothing: every field, every day, zeros', async () => {
  const { summary, recent, trends, popular } = await dashboard()
  expect(summary).toEqual({
    total_photos: 0,
    total_categories: 0,
    total_tags: 0,
    total_views: 0,
    storage_used: 0,
    storage_limit: LIMIT,
  })
  expect(recent).toEqual({ new_photos: 0, new_views: 0, new_likes: 0, period: '30d' })
  expect([trends.uploads.length, trends.views.length]).toEqual([30, 30])
  expect(trends.uploads.at(-1)).toEqual({ date: new Date().toISOString().slice(0, 10), count: 0 })
  expect(popular).toEqual({ categories: [], tags: [], photos: [] })
  expect((await photoStats()).periods).toEqual([
    expect.objectContaining({ period: new Date().toISOString().slice(0, 7), count: 0 }),
  ])
  expect(await viewStats()).toMatchObject({ count: 0, previous_count: 0, change_percentage: null })
  expect((await storageStats()).users).toEqual([])
})

describe('with photos', () => {
  const ids: number[] = []
  beforeAll(async () => {
    const top = await makeCategory('Cities')
    const [below, other] = await Promise.all([makeCategory('Bridges', top), makeCategory('Nature')])
    const made = await makePhotos(server, owner, [
      { categoryIds: [below], tags: ['night', 'city'], takenAt: new Date('2023-12-31T18:20:00Z') },
      {
        categoryIds: [top, below],
        tags: ['night'],
        takenAt: new Date('2024-02-29T12:00:00Z'),
        exif: { camera: 'Canon EOS R5' },
      },
      {
        categoryIds: [other],
        status: 'draft',
        takenAt: new Date('2024-03-01T00:00:00Z'),
        exif: { camera: 'Canon EOS R5', lens: 'RF 50' },
      },
      { visibility: 'private' },
    ])
    ids.push(...made.map(({ id }) => id))
    for (const id of [ids[0], ids[0], ids[1]]) await api(server, 'GET', `/v1/photos/${id}`)
  })

  test('the dashboard counts them, also private ones, and their views at once', async () => {
    const { summary, recent, trends, popular, timezone } = await dashboard('?period=7d')
    expect(summary).toMatchObject({ total_photos: 4, total_categories: 3, total_tags: 2, total_views: 3 })
    expect(summary.storage_used).toBe(4 * 5000)
    expect(recent).toEqual({ new_photos: 4, new_views: 3, new_likes: 0, period: '7d' })
    const today = new Date().toISOString().slice(0, 10)
    expect(trends.uploads).toHaveLength(7)
    expect([numbers(trends.uploads), numbers(trends.views)]).toEqual([{ [today]: 4 }, { [today]: 3 }])
    expect(popular.categories).toMatchObject([
      { name: 'Cities', count: 2, percentage: 66.7 },
      { name: 'Bridges', count: 2, percentage: 66.7 },
      { name: 'Nature', count: 1, percentage: 33.3 },
    ])
    expect(popular.tags).toMatchObject([
      { name: 'night', count: 2 },
      { name: 'city', count: 1 },
    ])
    expect(popular.photos).toMatchObject([
      { id: ids[0], view_count: 2, like_count: 0 },
      { id: ids[1], view_count: 1 },
    ])
    expect(timezone).toBe('UTC')
  })

  test('photos by month of taken_at in a time zone, empty months too', async () => {
    const { periods, count, undated, by_status, by_visibility, cameras, lenses } = await photoStats(
      '?group_by=month&year=2024&tz=Asia/Kathmandu',
    )
    expect(periods).toHaveLength(12)
    expect(numbers(periods)).toEqual({ '2024-01': 1, '2024-02': 1, '2024-03': 1 })
    expect([count, undated]).toEqual([3, 1])
    expect([by_status, by_visibility]).toEqual([
      { published: 3, draft: 1, archived: 0 },
      { public: 3, private: 1 },
    ])
    expect([cameras, lenses]).toEqual([[{ name: 'Canon EOS R5', count: 2 }], [{ name: 'RF 50', count: 1 }]])
    const weeks = await photoStats('?group_by=week&year=2024')
    expect(numbers(weeks.periods)).toEqual({ '2024-W09': 2 })
    const years = await photoStats('?group_by=year')
    expect(numbers(years.periods)).toEqual({ '2023': 1, '2024': 2 })
    expect(years.periods.at(-1).period).toBe(String(new Date().getUTCFullYear()))
    const created = await photoStats('?group_by=day&by=created')
    expect(created).toMatchObject({ count: 4, undated: 0, year: null })
  })

  test('views by day and by hour of the clock, against the time before', async () => {
    const at = (hours: number) => new Date(Math.floor(Date.now() / 900_000) * 900_000 - hours * 3_600_000)
    for (const [hours, count] of [
      [23, 10],
      [25, 4],
      [100, 100],
    ] as const)
      await query(
        server,
        sql`
          insert into photo_views
          select n, date_bin(n * interval '15 minutes', ${at(hours).toISOString()}::timestamptz, timestamptz '1970-01-01 00:00Z'), ${count}::int
          from unnest('{1,4,32}'::int[]) n
          on conflict (quarters, at) do update set count = photo_views.count + excluded.count`,
      )
    expect(await viewStats('?period=24h&group_by=day&tz=Australia/Lord_Howe')).toMatchObject({
      period: '24h',
      count: 13,
      previous_count: 4,
      change_percentage: 225,
      total_views: 3,
      recorded_since: at(100).toISOString(),
    })
    const { periods } = await viewStats('?period=1y&group_by=week&tz=Asia/Kathmandu')
    expect(periods.length).toBeGreaterThanOrEqual(53)
    expect(periods.every(({ period }: { period: string }) => /^\d{4}-W\d\d$/.test(period))).toBe(true)
    expect(periods.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(117)
  })

  test('storage is what rows say, by kind, type and user', async () => {
    const file = { ...fileRow(owner.user.id), fileSize: 30_000_000, exposed: true, mimeType: 'image/heic' }
    const [made] = await ctx.db.insert(photoFiles).values(file).returning()
    const { storage_used, storage_limit, usage_percentage, breakdown, originals, users } =
      await storageStats()
    expect([storage_used, storage_limit, usage_percentage]).toEqual([30_030_000, LIMIT, 0.3])
    expect(breakdown).toEqual({
      originals: { objects: 5, bytes: 30_000_000 },
      renditions: { objects: 25, bytes: 25_000 },
      public_copies: { objects: 5, bytes: 5000 },
      unfinished_uploads: { objects: 0, bytes: 0 },
      materials: { objects: 0, bytes: 0 },
    })
    expect(originals).toContainEqual({ mime_type: 'image/heic', objects: 1, bytes: 30_000_000 })
    expect(users).toEqual([
      { id: owner.user.id, username: owner.user.username, objects: 5, bytes: 30_030_000 },
    ])
    const { file_sizes } = await photoStats()
    expect(file_sizes[4]).toEqual({ from: 26_214_400, to: 52_428_800, objects: 1, bytes: 30_000_000 })
    await query(server, sql`delete from photo_files where id = ${made!.id}`)
    expect((await storageStats()).storage_used).toBe(20_000)
  })

  test('a part that fails or hangs is unhealthy, and the answer comes all the same', async () => {
    const healthy = { database: 'healthy', redis: 'healthy', storage: 'healthy', queue: 'healthy' }
    expect((await dashboard()).system_status).toMatchObject({
      ...healthy,
      parts: {
        database: { kind: ctx.config.databaseUrl ? 'postgresql' : 'embedded' },
        redis: { kind: ctx.bus.kind },
        storage: { kind: 'disk' },
      },
    })
    for (const broken of [() => Promise.reject(new Error('away')), () => new Promise<number>(() => {})]) {
      ping = broken
      expect((await dashboard()).system_status).toMatchObject({ ...healthy, storage: 'unhealthy' })
    }
    ping = disk.ping
    expect((await dashboard()).system_status).toMatchObject(healthy)
  })
})

describe('the counts', () => {
  test('are those of the rows, whatever happens to these', async () => {
    const random = Random.announced('counts')
    const categories = await Promise.all([1, 2, 3].map(() => makeCategory(unique('c'))))
    const some = <T>(items: readonly T[]) => items.filter(() => random.chance(0.4))
    const change = (statement: ReturnType<typeof sql>) => query(server, statement)
    const one = (table: string) => sql.raw(`(select id from ${table} order by random() limit 3)`)
    const make = () =>
      makePhotos(
        server,
        random.pick([owner, admin]),
        Array.from({ length: random.between(1, 4) }, () => ({
          status: random.pick(['published', 'draft', 'archived'] as const),
          categoryIds: some(categories),
          tags: some(['甲', '乙', '丙']),
          exif: random.chance(0.5) ? { camera: random.pick(['A', 'B', 'x'.repeat(5000)]), lens: 'L' } : {},
        })),
      )
    const steps = [
      make,
      make,
      make,
      () =>
        change(
          sql`update photos set view_count = view_count + ${random.between(0, 9)} where id in ${one('photos')}`,
        ),
      () =>
        change(
          sql`update photos set status = 'archived', visibility = 'private' where id in ${one('photos')}`,
        ),
      () =>
        change(
          sql`update photo_files set exposed = not exposed, file_size = ${random.between(0, 60_000_000)} where id in ${one('photo_files')}`,
        ),
      () =>
        change(
          sql`update photo_files set status = 'receiving', renditions = '[]', width = null where id in ${one('photo_files')}`,
        ),
      () =>
        change(
          sql`update photo_index set category_ids = '{}', tag_ids = tag_ids[2:] where photo_id in ${one('photos')}`,
        ),
      () => change(sql`delete from photos where id in ${one('photos')}`),
      () =>
        change(
          sql`insert into materials (user_id, title, type, status, file_path, file_format, file_size) values (${owner.user.id}, 'm', 'pdf', 'active', ${unique('m/')}, 'pdf', 123)`,
        ),
      () => change(sql`update materials set removed_at = now() where id in ${one('materials')}`),
      () => foldCounts(ctx),
    ]
    for (let step = 0; step < 40; step++) await random.pick(steps)()
    expect(await recount(ctx)).toBe(0)
    const { summary } = await dashboard()
    const [rows] = await query(
      server,
      sql`select count(*)::int as photos, coalesce(sum(view_count), 0)::int as views from photos`,
    )
    expect([summary.total_photos, summary.total_views]).toEqual([rows!.photos, rows!.views] as number[])
  })

  test('are corrected when somebody has changed them by hand', async () => {
    await makePhotos(server, owner, [{}])
    await Promise.all([foldCounts(ctx), foldCounts(ctx)])
    await query(server, sql`update counts set n = n + 5 where kind = 'photo' and name = 'published public'`)
    expect(await recount(ctx)).toBe(1)
    expect(await recount(ctx)).toBe(0)
    await foldCounts(ctx)
    const [left] = await query(server, sql`select count(*)::int as n from count_changes`)
    expect(left!.n).toBe(0)
  })
})

describe('a request', () => {
  test.each([
    ['/dashboard/stats?period=0d', 'period'],
    ['/dashboard/stats?period=', 'period'],
    ['/dashboard/stats?period=30', 'period'],
    ['/dashboard/stats?period=11y', 'period'],
    ['/dashboard/stats?tz=Mars/Olympus', 'tz'],
    ['/dashboard/stats?tz=%2B08:00', 'tz'],
    ['/dashboard/stats?tz=', 'tz'],
    ['/dashboard/stats?tz=UTC%00', 'tz'],
    ['/stats/photos?group_by=hour', 'group_by'],
    ['/stats/photos?year=0', 'year'],
    ['/stats/photos?year=10000', 'year'],
    ['/stats/photos?year=2024.5', 'year'],
    ['/stats/photos?by=uploaded', 'by'],
    ['/stats/views?group_by=', 'group_by'],
    ['/stats/views?period=1h%00', 'period'],
  ])('%s is 400', async (path, field) => {
    expectPortfolioError(await ask(path), { status: 400, code: 'VALIDATION_ERROR', fields: [field] })
  })

  test('of the first and the last year, and of ten years by day, is answered', async () => {
    for (const year of [1, 9999])
      expect(
        (await photoStats(`?year=${year}&tz=Pacific/Apia&by=created&group_by=day`)).periods,
      ).toHaveLength(365)
    expect((await photoStats('?year=9999&group_by=year')).periods).toHaveLength(1)
    expect((await viewStats('?period=10y')).periods.length).toBeGreaterThan(3650)
  })

  test('needs stats.read', async () => {
    for (const path of ['/dashboard/stats', '/stats/photos', '/stats/views', '/stats/storage']) {
      const refused = await ask(path, { token: owner.token })
      expectPortfolioError(refused, { status: 403, code: 'PERMISSION_DENIED' })
      expect(refused.body.error.details).toEqual({ required_permission: 'stats.read', user_role: 'editor' })
    }
  })
})
