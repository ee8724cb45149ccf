import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { photos, photoTags, tags } from '../../../src/db/schema/index.ts'
import { type Ask, api } from '../../support/api.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { makePhotos } from '../../support/photos.ts'
import { Random } from '../../support/random.ts'
import { query, startServer } from '../../support/server.ts'
import { expectAnswer, expectPortfolioError, expectWithout } from '../../support/shapes.ts'
import { enveloped, PAGINATION } from './shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = (method: string, path: string, { token }: Partial<TestUser> = {}, rest: Ask = {}) =>
  api(server, method, `/v1/timeline${path}`, { token, ...rest })

const PHOTO = { id: 'integer', title: 'string', thumb_url: 'string', taken_at: 'instant|null' } as const
const LISTED_EVENT = {
  id: 'integer',
  title: 'string',
  description: 'string',
  date: 'string',
  type: 'string',
  photos: [PHOTO],
} as const
const EVENT = { ...LISTED_EVENT, related_photos: ['integer'] } as const
const MONTH = {
  month: 'integer',
  month_name: 'string',
  photo_count: 'integer',
  photos: [PHOTO],
  events: [LISTED_EVENT],
} as const
const TIMELINE = {
  years: [{ year: 'integer', photo_count: 'integer', months: [MONTH] }],
  stats: {
    total_photos: 'integer',
    year_range: ['integer'],
    most_active_month: 'null|object',
    photos_by_year: [{ year: 'integer', count: 'integer' }],
  },
} as const

let owner: TestUser
let stranger: TestUser
let admin: TestUser
beforeAll(async () => {
  const roles = ['editor', 'user', 'admin'] as const
  ;[owner, stranger, admin] = (await Promise.all(roles.map((role) => makeUser(server, { role })))) as [
    TestUser,
    TestUser,
    TestUser,
  ]
})

const timeline = async (query = '', viewer?: TestUser, headers: Record<string, string> = {}) => {
  const answer = await ask('GET', query, viewer, { headers })
  expectAnswer(answer, 200, enveloped(TIMELINE))
  return answer.body.data
}
const createEvent = async (fields: object = {}) => {
  const body = { title: unique('event '), date: '2024-01-15', type: 'milestone', ...fields }
  const answer = await ask('POST', '/events', admin, { body })
  expectAnswer(answer, 201, enveloped(EVENT))
  return answer.body.data as { id: number; related_photos: number[]; title: string; type: string }
}

test('without photos and events: no years, and statistics of nothing', async () => {
  expect(await timeline()).toEqual({
    years: [],
    stats: { total_photos: 0, year_range: [], most_active_month: null, photos_by_year: [] },
  })
})

describe('GET /v1/timeline', () => {
  const ids: number[] = []
  beforeAll(async () => {
    const at = (text: string) => ({ takenAt: new Date(text) })
    const made = await makePhotos(server, owner, [
      at('2024-01-15T18:30:00Z'),
      at('2024-01-31T23:59:59.999Z'),
      at('2024-02-01T00:00:00Z'),
      at('2022-12-31T23:30:00Z'),
      { ...at('2021-05-05T12:00:00Z'), visibility: 'private' },
      { ...at('2024-01-20T12:00:00Z'), status: 'draft' },
      {},
    ])
    ids.push(...made.map(({ id }) => id))
  })

  test('years and months with photos, the newest first, in UTC, with the newest photos of each', async () => {
    const { years, stats } = await timeline('?include_photos=true&photos_limit=1')
    const shape = years.map((year: { year: number; photo_count: number; months: (typeof MONTH)[] }) => [
      year.year,
      year.photo_count,
      year.months.map((month) => [
        month.month,
        month.photo_count,
        (month.photos as unknown as { id: number }[]).map(({ id }) => id),
      ]),
    ])
    expect(shape).toEqual([
      [
        2024,
        3,
        [
          [2, 1, [ids[2]]],
          [1, 2, [ids[1]]],
        ],
      ],
      [2022, 1, [[12, 1, [ids[3]]]]],
    ])
    expect(stats).toEqual({
      total_photos: 4,
      year_range: [2022, 2024],
      most_active_month: { year: 2024, month: 1, count: 2 },
      photos_by_year: [
        { year: 2024, count: 3 },
        { year: 2022, count: 1 },
      ],
    })
  })

  test('the owner and an administrator also see and count what is private or a draft; a stranger does not', async () => {
    for (const viewer of [owner, admin]) {
      const { years, stats } = await timeline('', viewer)
      expect(stats).toMatchObject({ total_photos: 6, year_range: [2021, 2024] })
      expect(years[0].months[1].photos.map(({ id }: { id: number }) => id)).toEqual([ids[1], ids[5], ids[0]])
    }
    expect((await timeline('', stranger)).stats.total_photos).toBe(4)
  })

  test('one year, and a year without anything; the statistics are over all', async () => {
    const one = await timeline('?year=2022')
    expect(one.years.map(({ year }: { year: number }) => year)).toEqual([2022])
    expect(one.stats.total_photos).toBe(4)
    expect((await timeline('?year=2021')).years).toEqual([])
    expect((await timeline('?year=9999')).years).toEqual([])
  })

  test('no photos when the request wants none; the names of months in the language of the request', async () => {
    const english = await timeline('?year=2024&include_photos=false')
    expect(english.years[0].months).toMatchObject([
      { month_name: 'February', photos: [] },
      { month_name: 'January', photos: [] },
    ])
    const chinese = await timeline('?year=2022', undefined, { 'accept-language': 'zh-CN' })
    expect(chinese.years[0].months[0].month_name).toBe('十二月')
  })

  test.each(['year=0', 'year=10000', 'year=x', 'photos_limit=0', 'photos_limit=21', 'include_photos=maybe'])(
    '%s is 400',
    async (query) => {
      const fields = [query.split('=')[0]!]
      expectPortfolioError(await ask('GET', `?${query}`), { status: 400, code: 'VALIDATION_ERROR', fields })
    },
  )

  test('a month in pages', async () => {
    const page = async (path: string, viewer?: TestUser) => {
      const answer = await ask('GET', path, viewer)
      expectAnswer(answer, 200, { ...enveloped({ year: 'integer', ...MONTH }), pagination: PAGINATION })
      return answer.body
    }
    const photoIds = ({ data }: { data: { photos: { id: number }[] } }) => data.photos.map(({ id }) => id)
    const first = await page('/2024/1?include_photos=true&limit=1')
    expect(photoIds(first)).toEqual([ids[1]!])
    expect(first.pagination).toMatchObject({ total: 2, total_pages: 2, has_next: true })
    expect(photoIds(await page('/2024/1?limit=1&page=2'))).toEqual([ids[0]!])
    expect(photoIds(await page('/2024/1', owner))).toEqual([ids[1]!, ids[5]!, ids[0]!])
    expect(photoIds(await page('/2024/01?include_photos=false'))).toEqual([])
    expect((await page('/1999/7')).data).toEqual({
      year: 1999,
      month: 7,
      month_name: 'July',
      photo_count: 0,
      photos: [],
      events: [],
    })
    expect((await page('/2021/5')).data.photo_count).toBe(0)
  })

  test.each(['/2024/13', '/2024/0', '/0/1', '/10000/1', '/x/1', '/2024/x', '/2024/1?limit=101'])(
    '%s is 400',
    async (path) => {
      expectPortfolioError(await ask('GET', path), { status: 400, code: 'VALIDATION_ERROR' })
    },
  )
})

describe('events', () => {
  test('stand in their months, also where there is no photo', async () => {
    const { id } = await createEvent({ date: '1998-02-28' })
    const { years, stats } = await timeline('?year=1998')
    expect(years).toMatchObject([
      { year: 1998, photo_count: 0, months: [{ month: 2, photo_count: 0, photos: [], events: [{ id }] }] },
    ])
    expect(stats.year_range[0]).not.toBe(1998)
    expect((await ask('GET', '/1998/2')).body.data.events).toMatchObject([{ id, date: '1998-02-28' }])
    expect((await ask('GET', '/1998/3')).body.data.events).toEqual([])
  })

  test('related photos keep their order, and each viewer gets those that they may see', async () => {
    const [a, b, c] = (await makePhotos(server, owner, [{}, { visibility: 'private' }, {}])).map(
      ({ id }) => id,
    )
    const event = await createEvent({ date: '1997-01-01', related_photos: [c, b, a, c] })
    expect(event.related_photos).toEqual([c!, b!, a!])
    const related = async (viewer?: TestUser) =>
      (await ask('GET', `/events/${event.id}`, viewer)).body.data.related_photos
    expect(await related(owner)).toEqual([c, b, a])
    expect(await related(stranger)).toEqual([c, a])
    const { years } = await timeline('?year=1997')
    expect(years[0].months[0].events[0].photos.map(({ id }: { id: number }) => id)).toEqual([c, a])
    const body = { related_photos: [a] }
    expect((await ask('PUT', `/events/${event.id}`, admin, { body })).body.data.related_photos).toEqual([a])
  })

  test('in the timeline they show the first photos that a viewer may see, in their month and alone all of them', async () => {
    const inputs = Array.from({ length: 8 }, (_, n) => ({
      visibility: n === 0 ? ('private' as const) : ('public' as const),
    }))
    const ids = (await makePhotos(server, owner, inputs)).map(({ id }) => id)
    const event = await createEvent({ date: '1995-06-01', related_photos: ids })
    const eventIn = ({ events }: { events: { photos: { id: number }[] }[] }) =>
      events[0]!.photos.map(({ id }) => id)
    const overview = async (query = '') => (await timeline(`?year=1995${query}`)).years[0].months[0]
    expect(eventIn(await overview())).toEqual(ids.slice(1, 6))
    expect(eventIn(await overview('&photos_limit=2'))).toEqual(ids.slice(1, 3))
    expect(eventIn(await overview('&include_photos=false'))).toEqual([])
    expect((await overview()).events[0]).not.toHaveProperty('related_photos')
    const month = async (query = '') => (await ask('GET', `/1995/6${query}`)).body.data
    expect(eventIn(await month())).toEqual(ids.slice(1))
    expect(eventIn(await month('?include_photos=false'))).toEqual([])
    expect((await ask('GET', `/events/${event.id}`)).body.data.related_photos).toEqual(ids.slice(1))
  })

  test('of many at once, each shows so few photos that an answer has five thousand at most', async () => {
    const ids = (await makePhotos(server, owner, Array(10).fill({}))).map(({ id }) => id)
    await query(
      server,
      sql`insert into timeline_events (title, date, type) select 'filler', '1994-01-01', 'x' from generate_series(1, 900)`,
    )
    await query(
      server,
      sql`insert into timeline_event_photos (event_id, photo_id, position)
        select e.id, p.id, p.id from timeline_events e, photos p
        where e.title = 'filler' and p.id between ${ids[0]} and ${ids[9]}`,
    )
    const photosIn = (events: { photos: unknown[] }[]) => new Set(events.map(({ photos }) => photos.length))
    const { years } = await timeline('?year=1994&photos_limit=20')
    expect([...photosIn(years[0].months[0].events)]).toEqual([5])
    expect([...photosIn((await ask('GET', '/1994/1')).body.data.events)]).toEqual([5])
    await query(server, sql`delete from timeline_events where title = 'filler'`)
  })

  test('a change leaves the other fields; null takes the description away', async () => {
    const event = await createEvent({ description: 'd', type: 'achievement' })
    const answer = await ask('PUT', `/events/${event.id}`, admin, { body: { title: ' 更新后的标题 ' } })
    expectAnswer(answer, 200, enveloped(EVENT))
    expect(answer.body.data).toMatchObject({
      title: '更新后的标题',
      description: 'd',
      type: 'achievement',
      date: '2024-01-15',
    })
    const emptied = await ask('PUT', `/events/${event.id}`, admin, { body: { description: null } })
    expect(emptied.body.data).toMatchObject({ title: '更新后的标题', description: '' })
    expect((await ask('PUT', `/events/${event.id}`, admin, { body: {} })).status).toBe(200)
  })

  test.each([
    [{ title: undefined }, 'title'],
    [{ title: '  ' }, 'title'],
    [{ title: 'x'.repeat(201) }, 'title'],
    [{ date: undefined }, 'date'],
    [{ date: '2023-02-29' }, 'date'],
    [{ date: '2024-13-01' }, 'date'],
    [{ date: '2024-1-1' }, 'date'],
    [{ date: '0000-01-01' }, 'date'],
    [{ date: '15.3.2024' }, 'date'],
    [{ type: '' }, 'type'],
    [{ type: 'x'.repeat(51) }, 'type'],
    [{ related_photos: [0] }, 'related_photos.0'],
    [{ related_photos: ['x'] }, 'related_photos.0'],
    [{ related_photos: [2 ** 31] }, 'related_photos.0'],
    [{ related_photos: Array.from({ length: 101 }, (_, i) => i + 1) }, 'related_photos'],
    [{ title: 'a\0b' }, 'title'],
  ])('%j is 400', async (change, field) => {
    const body = { title: 't', date: '2024-01-15', ...change }
    const answer = await ask('POST', '/events', admin, { body })
    expectPortfolioError(answer, { status: 400, code: 'VALIDATION_ERROR', fields: [field] })
  })

  test('photos that do not exist are 422 and named, and then nothing has changed', async () => {
    const [photo] = await makePhotos(server, owner, [{}])
    const body = { title: 'never', date: '1996-01-01', related_photos: [999_999, photo!.id, 888_888] }
    const refused = await ask('POST', '/events', admin, { body })
    expectPortfolioError(refused, { status: 422, code: 'UNPROCESSABLE_ENTITY' })
    expect(refused.body.error.details).toEqual({ photos: [999_999, 888_888] })
    expectWithout(await ask('GET', '/1996/1'), 'never')
  })

  test('a date is a day that exists', async () => {
    for (const date of ['2024-02-30', '2024-01-15T00:00:00Z', '15.1.2024', '0000-01-01', '']) {
      const answer = await ask('POST', '/events', admin, { body: { title: 'a', date } })
      expectPortfolioError(answer, { status: 400, code: 'VALIDATION_ERROR', fields: ['date'] })
      expect(answer.body.error.details[0].code).toBe('CALENDAR_DATE')
    }
  })

  test('are a thousand at most', async () => {
    const [{ n: before } = {}] = await query(server, sql`select count(*)::int as n from timeline_events`)
    const rest = 1000 - Number(before)
    const fill = sql`insert into timeline_events (title, date, type) select 'filler', '1990-01-01', 'x' from generate_series(1, ${rest})`
    await query(server, fill)
    const body = { title: 'one more', date: '1990-01-01' }
    const refused = await ask('POST', '/events', admin, { body })
    expectPortfolioError(refused, { status: 409, code: 'RESOURCE_CONFLICT' })
    await query(server, sql`delete from timeline_events where title = 'filler'`)
    expect((await ask('POST', '/events', admin, { body })).status).toBe(201)
  })

  test('are written by administrators only, and gone after their deletion', async () => {
    const { id } = await createEvent()
    for (const viewer of [owner, stranger])
      expectPortfolioError(await ask('DELETE', `/events/${id}`, viewer), {
        status: 403,
        code: 'PERMISSION_DENIED',
      })
    const deleted = await ask('DELETE', `/events/${id}`, admin)
    expect([deleted.status, deleted.text]).toEqual([204, ''])
    for (const method of ['GET', 'PUT', 'DELETE'])
      expectPortfolioError(await ask(method, `/events/${id}`, admin, method === 'PUT' ? { body: {} } : {}), {
        status: 404,
        code: 'RESOURCE_NOT_FOUND',
      })
  })
})

describe('whatever happens to photos', () => {
  test('tags and timeline count exactly what each viewer sees', async () => {
    const random = Random.announced('counts of tags and months')
    const names = ['甲', '乙', '丙', '丁'].map((name) => unique(name))
    const owners = [owner, await makeUser(server, { role: 'editor' })]
    const viewers = [undefined, stranger, ...owners, admin]
    const status = () => random.pick(['published', 'draft', 'archived'] as const)
    const visibility = () => random.pick(['public', 'private'] as const)
    const takenAt = () =>
      random.chance(0.2) ? null : new Date(Date.UTC(2000 + random.between(0, 3), random.between(0, 11)))
    const some = () => names.filter(() => random.chance(0.4))
    let alive: number[] = []
    const change = async (method: string, path: string, body?: object) => {
      const answer = await api(server, method, `/v1/photos${path}`, { token: admin.token, body })
      expect([200, 204], answer.text).toContain(answer.status)
    }
    const batch = async (action: string, data?: object) => {
      const ids = alive.filter(() => random.chance(action === 'delete' ? 0.1 : 0.4))
      if (ids.length > 0) await change('POST', '/batch', { photo_ids: ids, action, data })
      return ids
    }
    const steps = {
      async add() {
        const inputs = Array.from({ length: random.between(1, 5) }, () => ({
          status: status(),
          visibility: visibility(),
          takenAt: takenAt(),
          tags: some(),
        }))
        alive.push(...(await makePhotos(server, random.pick(owners), inputs)).map(({ id }) => id))
      },
      async change() {
        if (alive.length === 0) return
        const body = { visibility: visibility(), taken_at: takenAt(), tags: some() }
        await change('PUT', `/${random.pick(alive)}`, body)
      },
      publish: () => batch('update_status', { status: status() }),
      tag: () => batch('add_tags', { tags: [random.pick(names)] }),
      untag: () => batch('remove_tags', { tags: [random.pick(names)] }),
      async remove() {
        const gone = await batch('delete')
        alive = alive.filter((id) => !gone.includes(id))
      },
    }
    for (let step = 0; step < 15; step++) {
      await random.pick(Object.values(steps))()
      const viewer = random.pick(viewers)
      expect(await shownTo(viewer, names), `step ${step}`).toEqual(await recounted(viewer, names))
    }
  })

  const shownTo = async (viewer: TestUser | undefined, names: string[]) => {
    const list = (await api(server, 'GET', '/v1/tags?limit=100', { token: viewer?.token })).body.data
    const { years } = await timeline('?include_photos=false', viewer)
    return {
      tags: Object.fromEntries(
        list
          .filter(
            (tag: { name: string; usage_count: number }) => names.includes(tag.name) && tag.usage_count > 0,
          )
          .map((tag: { name: string; usage_count: number }) => [tag.name, tag.usage_count]),
      ),
      months: Object.fromEntries(
        years.flatMap(
          ({ year, months }: { year: number; months: { month: number; photo_count: number }[] }) =>
            months
              .filter(({ photo_count }) => photo_count > 0)
              .map(({ month, photo_count }) => [`${year}-${month}`, photo_count]),
        ),
      ),
    }
  }

  /** From the photos themselves, without the index. */
  async function recounted(viewer: TestUser | undefined, names: string[]) {
    const { db } = server.ctx
    const rows = await db.select().from(photos)
    const seen = rows.filter(
      ({ userId, status, visibility }) =>
        viewer === admin || viewer?.user.id === userId || (status === 'published' && visibility === 'public'),
    )
    const counted = (keys: string[]) => {
      const counts: Record<string, number> = {}
      for (const key of keys) counts[key] = (counts[key] ?? 0) + 1
      return counts
    }
    const used = await db.select().from(photoTags).innerJoin(tags, eq(tags.id, photoTags.tagId))
    const ids = new Set(seen.map(({ id }) => id))
    return {
      tags: counted(
        used
          .filter(({ photo_tags, tags }) => ids.has(photo_tags.photoId) && names.includes(tags.name))
          .map(({ tags }) => tags.name),
      ),
      months: counted(
        seen.flatMap(({ takenAt }) =>
          takenAt ? [`${takenAt.getUTCFullYear()}-${takenAt.getUTCMonth() + 1}`] : [],
        ),
      ),
    }
  }
})
