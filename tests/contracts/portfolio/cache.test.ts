/** The cache of the site, and that nobody gets an answer from it that is old or is somebody else's. */
import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import type { Principal } from '../../../src/core/accounts/principals.ts'
import { listCategories } from '../../../src/core/categories/read.ts'
import type { Context } from '../../../src/core/context.ts'
import { rebuildPhotoIndex } from '../../../src/core/photo-index/rebuild.ts'
import { listPhotos } from '../../../src/core/photos/list.ts'
import { searchPhotos } from '../../../src/core/photos/search.ts'
import { listTags, tagCloud } from '../../../src/core/tags/lists.ts'
import { readTimeline } from '../../../src/core/timeline/timeline.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { photoFiles } from '../../../src/db/schema/index.ts'
import { type Answer, api } from '../../support/api.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { fileRow } from '../../support/photos.ts'
import { eventually, temporaryDirectory } from '../../support/process.ts'
import { Random } from '../../support/random.ts'
import { startServer, type TestServer, write } from '../../support/server.ts'
import { expectAnswer, expectPortfolioError } from '../../support/shapes.ts'
import { watchGenerations } from '../../support/unraised.ts'
import { enveloped } from './shapes.ts'

const JWT_SECRET = 'a secret that both servers of this test know, 0123456789'
const a = await startServer({ JWT_SECRET })
/** Another server on the same database. An embedded one has only one server. */
const directory = temporaryDirectory('cache')
const { databaseUrl } = a.ctx.config
const b = databaseUrl ? await startServer({ JWT_SECRET, DATABASE_URL: databaseUrl, DATA_DIR: directory }) : a
afterAll(async () => {
  if (b !== a) await b.stop()
  await a.stop()
  rmSync(directory, { recursive: true, force: true })
})

const servers = [...new Set([a, b])]

/** The groups of the answers that were computed. */
const computed: string[] = []
for (const { cache } of servers.map(({ ctx }) => ctx)) {
  const read = cache.read.bind(cache)
  // Callers share what the cache keeps, so whoever changes it gets an error here.
  cache.read = async (entry, compute) =>
    frozen(
      await read(entry, () => {
        computed.push(entry.group)
        return compute()
      }),
    )
}
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value && !Object.isFrozen(value))
    Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

const [owner, other, admin, reader] = await Promise.all([
  makeUser(a, { role: 'editor' }),
  makeUser(a, { role: 'editor' }),
  makeUser(a, { role: 'admin' }),
  makeUser(a),
])

const send = (server: TestServer, method: string, path: string, user?: TestUser, body?: unknown) =>
  api(server, method, path, { token: user?.token, ...(body !== undefined && { body }) })
async function done(answer: Promise<Answer>): Promise<Answer> {
  const { status, text } = await answer
  expect(status, text).toBeWithin(200, 300)
  return answer
}
const idOf = async (answer: Promise<Answer>): Promise<number> => (await done(answer)).body.data.id

async function makePhoto(server: TestServer, body: object = {}, by = owner): Promise<number> {
  const [file] = await server.ctx.db.insert(photoFiles).values(fileRow(by.user.id)).returning()
  const photo = { title: unique('Photo '), file_id: `upload_${file!.id}`, status: 'published', ...body }
  return idOf(send(server, 'POST', '/v1/photos', by, photo))
}

const principal = ({ user }: TestUser): Principal => ({
  userId: user.id,
  userUuid: user.uuid,
  username: user.username,
  role: user.role,
  sessionId: '',
})

/** Everything that the cache keeps, for one viewer. Scores of trends change with the time. */
async function readAll(ctx: Context, viewer: Principal | undefined, words: string) {
  const page = { page: 1, limit: 20, sortBy: 'createdAt', sortOrder: 'desc' } as const
  const noTrends = <T extends { trendScore: number }>(tags: readonly T[]) =>
    tags.map((tag) => ({ ...tag, trendScore: 0 }))
  const tagPage = await listTags(ctx, viewer, {
    group: 'all',
    sortBy: 'name',
    sortOrder: 'asc',
    page: 1,
    limit: 50,
  })
  return {
    photos: await listPhotos(ctx, viewer, page),
    drafts: await listPhotos(ctx, viewer, { ...page, status: 'draft' }),
    found: await searchPhotos(ctx, viewer, { query: words, tags: [], page: 1, limit: 20 }),
    categories: await listCategories(ctx, viewer, 'http://localhost'),
    tags: { ...tagPage, tags: noTrends(tagPage.tags) },
    cloud: noTrends(await tagCloud(ctx, viewer, { minUsage: 1, maxTags: 50 })),
    months: (await readTimeline(ctx, { viewer, origin: '' }, { photosOfEach: 0 })).stats,
  }
}

/** Inside a transaction nothing comes from the cache. */
async function expectCurrent(
  server: TestServer,
  words: string,
  viewer: Principal | undefined,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const cached = await readAll(server.ctx, viewer, words)
    const now = await transaction(server.ctx, (tx) => readAll(tx, viewer, words))
    // A job may have changed a photo in between: then the cache has the change the next time.
    if (tries < 3 && !Bun.deepEquals(cached, now)) continue
    return expect(cached).toEqual(now)
  }
}

describe('the cached answers are those of now, on this server and on another one', () => {
  test('after every kind of change', async () => {
    const word = unique('w')
    const generations = await watchGenerations(a)
    // The owner's answers have parts for everybody and parts for the owner alone. It is the same viewer before and after a change,
    // because other answers are not in the cache. After a change of photos alone, one check is enough for several of them.
    const check = () => expectCurrent(b, word, principal(owner))
    const checkAll = async () => {
      for (const viewer of [undefined, principal(owner), principal(admin)])
        await expectCurrent(b, word, viewer)
    }
    await check()
    const put = (path: string, by: TestUser, body: object) => done(send(a, 'PUT', `/v1/${path}`, by, body))
    const batch = (ids: number[], action: string, data?: object) =>
      done(send(a, 'POST', '/v1/photos/batch', admin, { photo_ids: ids, action, data }))

    const parent = await idOf(send(a, 'POST', '/v1/categories', admin, { name: unique('c') }))
    const child = await idOf(
      send(a, 'POST', '/v1/categories', admin, { name: unique('c'), parent_id: parent }),
    )
    await check()
    const one = await makePhoto(a, { title: `${word} one`, categories: [child], tags: [unique('t'), 'both'] })
    const two = await makePhoto(a, { title: `two ${word}`, tags: ['both'], taken_at: '2020-05-01T00:00:00Z' })
    await check()
    await put(`photos/${one}`, owner, { title: `${word} renamed`, tags: ['both', unique('t')] })
    await check()
    await put(`photos/${one}`, owner, { visibility: 'private' })
    await batch([one, two], 'update_status', { status: 'draft' })
    await check()
    await batch([two], 'update_status', { status: 'published' })
    await batch([one], 'add_tags', { tags: [unique('t')] })
    await batch([two], 'add_categories', { categories: [parent] })
    await checkAll()
    await batch([one], 'remove_categories', { categories: [child] })
    await check()
    await put(`categories/${child}`, admin, { name: unique('renamed'), parent_id: null })
    await check()
    await put(`categories/${parent}/cover`, admin, { photo_id: two })
    await check()
    await put(`categories/${parent}`, admin, { is_active: false })
    await check()

    const tag = await idOf(send(a, 'POST', '/v1/tags', admin, { name: unique('tag') }))
    await check()
    await put(`tags/${tag}`, admin, { name: unique('renamed'), is_featured: true })
    await check()
    const { tags } = (await send(a, 'GET', `/v1/photos/${two}`, owner)).body.data
    await put(`tags/${tags[0].id}`, admin, { is_active: false })
    await check()
    await done(send(a, 'DELETE', `/v1/tags/${tags[0].id}`, admin))
    await check()
    await done(send(a, 'DELETE', `/v1/photos/${two}`, admin))
    await check()
    await done(send(a, 'DELETE', `/v1/categories/${parent}`, admin))
    await batch([one], 'delete')
    await check()
    const leaving = await makeUser(a, { role: 'editor' })
    const three = await makePhoto(a, { title: `${word} three` }, leaving)
    // An index row that is wrong, as `photos:reindex` finds it.
    await write(a, sql`update photo_index set title = 'wrong' where photo_id = ${three}`)
    await check()
    expect((await rebuildPhotoIndex(a.ctx)).changed).toBe(1)
    await check()
    await done(send(a, 'DELETE', `/v1/users/${leaving.user.id}`, await makeUser(a, { role: 'super_admin' })))
    await checkAll()
    expect(await generations.noticed()).toContain('delete of photo_index')
    expect(await generations.unraised()).toEqual([])
  })

  test('for writers who look on another server at once, while others write', async () => {
    const random = Random.announced('writers on two servers')
    const tag = unique('t')
    const writer = async () => {
      const id = await makePhoto(random.pick(servers), { tags: [tag] })
      for (let n = 0; n < 4; n++) {
        const title = unique('title')
        await done(send(random.pick(servers), 'PUT', `/v1/photos/${id}`, owner, { title }))
        const { data } = (await send(random.pick(servers), 'GET', `/v1/photos?tag=${tag}`)).body
        expect(data.find((photo: { id: number }) => photo.id === id)?.title).toBe(title)
      }
    }
    await Promise.all([writer(), writer(), writer(), writer()])
  })
})

test('a photo is in the lists of those who may see it alone, before and after it and their roles change', async () => {
  const tag = unique('t')
  const editor = await makeUser(a, { role: 'editor' })
  const id = await makePhoto(a, { tags: [tag], visibility: 'private' })
  const shownTo = async () => {
    const found: boolean[] = []
    // Each server computes first, and then has the answer.
    for (const server of [...servers, ...servers])
      for (const user of [undefined, reader, other, editor, owner, admin]) {
        const { body, text } = await send(server, 'GET', `/v1/photos?tag=${tag}`, user)
        found.push(body.data.length === 1)
        if (body.data.length === 0) expect(text).not.toContain('photos/')
      }
    return found
  }
  const always = (each: boolean[]) => [...servers, ...servers].flatMap(() => each)
  expect(await shownTo()).toEqual(always([false, false, false, false, true, true]))
  await done(send(a, 'PUT', `/v1/photos/${id}`, owner, { visibility: 'public' }))
  expect(await shownTo()).toEqual(always([true, true, true, true, true, true]))
  await done(send(b, 'PUT', `/v1/photos/${id}`, owner, { status: 'draft' }))
  expect(await shownTo()).toEqual(always([false, false, false, false, true, true]))
  // The same session: what it sees follows the role.
  const role = (role: string) => done(send(a, 'PUT', `/v1/users/${editor.user.id}`, superAdmin, { role }))
  const superAdmin = await makeUser(a, { role: 'super_admin' })
  const sees = async () => (await send(a, 'GET', `/v1/photos?tag=${tag}`, editor)).body.data.length
  await role('admin')
  expect(await sees()).toBe(1)
  await role('user')
  expect(await sees()).toBe(0)
})

describe('the routes of the cache', () => {
  const path = '/v1/settings/cache'
  const counted = { keys: 'integer', hit_rate: 'number' }
  const STATS = {
    adapter: 'string',
    redis: { connected: 'boolean', used_memory: 'string', total_keys: 'integer', hit_rate: 'number' },
    categories: { photos: counted, categories: counted, tags: counted, settings: counted },
  }
  const stats = async (server = a) => {
    const answer = await send(server, 'GET', `${path}/stats`, admin)
    expectAnswer(answer, 200, enveloped(STATS))
    return answer.body.data
  }

  test('are for administrators', async () => {
    for (const [method, route, body] of [
      ['POST', 'clear', { types: ['photos'], confirm: true }],
      ['POST', 'warm', { types: ['tag_cloud'] }],
      ['GET', 'stats', undefined],
    ] as const) {
      const refused = await send(a, method, `${path}/${route}`, owner, body)
      expectPortfolioError(refused, { status: 403, code: 'PERMISSION_DENIED' })
      const anonymous = await send(a, method, `${path}/${route}`, undefined, body)
      expectPortfolioError(anonymous, { status: 401, code: 'AUTHENTICATION_REQUIRED' })
    }
  })

  test.each([
    ['clear', { types: ['photos'] }, 'confirm'],
    ['clear', { types: ['photos'], confirm: false }, 'confirm'],
    ['clear', { types: [], confirm: true }, 'types'],
    ['clear', { types: ['photos', 'everything'], confirm: true }, 'types.1'],
    ['clear', { confirm: true }, 'types'],
    ['warm', { types: ['photos'] }, 'types.0'],
    ['warm', { types: [] }, 'types'],
  ])('%s with %j is 400', async (route, body, field) => {
    const answer = await send(a, 'POST', `${path}/${route}`, admin, body)
    expectPortfolioError(answer, { status: 400, code: 'VALIDATION_ERROR', fields: [field] })
  })

  test('a clearing leaves no key of its types, and the next reader computes; a warming computes for visitors', async () => {
    await makePhoto(a, { tags: [unique('t')] })
    // A warming computes the pages that visitors get.
    await done(send(a, 'PUT', '/v1/settings', admin, { display_photos_per_page: 7 }))
    const types = ['photos', 'categories', 'tags', 'settings']
    const cleared = await send(a, 'POST', `${path}/clear`, admin, { types, confirm: true })
    expect(cleared.body.data).toEqual({ types })
    const none = await stats()
    for (const type of types) expect([type, none.categories[type].keys]).toEqual([type, 0])

    const warmed = ['popular_photos', 'category_tree', 'tag_cloud']
    const answer = await send(a, 'POST', `${path}/warm`, admin, { types: warmed })
    expect(answer.body.data).toEqual({ types: warmed })
    const client = (a.ctx.db as unknown as { $client: { unsafe(...query: unknown[]): unknown } }).$client
    using statements = spyOn(client, 'unsafe')
    for (const list of ['photos', 'categories', 'tags/cloud'])
      expect((await send(a, 'GET', `/v1/${list}`)).status).toBe(200)
    const texts = statements.mock.calls.map(([text]) => String(text))
    // Not those of jobs, which follow the photo that was made.
    expect(texts.filter((text) => /from ("?photo_index|photos p |"?tags|"?categories)/.test(text))).toEqual(
      [],
    )
    const full = await stats()
    for (const kind of ['photos', 'categories', 'tags']) {
      expect(full.categories[kind].keys).toBeGreaterThan(0)
      expect(full.categories[kind].hit_rate).toBeWithin(0.001, 1)
    }
    expect(full.redis.used_memory).toMatch(/^\d+\.\dMB$/)
    expect(full.redis.total_keys).toBeGreaterThan(2)
    const redis = a.ctx.config.redisUrl !== undefined
    expect([full.adapter, full.redis.connected]).toEqual([redis ? 'redis' : 'memory', redis])
  })

  test('settings come from the cache, until they change on another server or their cache is cleared', async () => {
    /** The answer of the other server, and how often it was computed for it. */
    const shown = async () => {
      computed.length = 0
      const { data } = (await send(b, 'GET', '/v1/settings')).body
      return [data.general.site_author, computed.filter((group) => group === 'settings').length]
    }
    const [before] = await shown()
    expect(await shown()).toEqual([before, 0])
    await done(send(a, 'PUT', '/v1/settings', admin, { site_author: 'Ada' }))
    expect(await shown()).toEqual(['Ada', 1])
    expect(await shown()).toEqual(['Ada', 0])
    await done(send(a, 'POST', `${path}/clear`, admin, { types: ['settings'], confirm: true }))
    expect((await stats()).categories.settings.keys).toBe(0)
    expect(await shown()).toEqual(['Ada', 1])
    await eventually(async () => (await stats(b)).categories.settings.keys === 1, 'the answer is kept')
    expect((await stats(b)).categories.settings.hit_rate).toBeWithin(0.01, 1)
  })

  test('a clearing on one server counts on the other', async () => {
    const compute = spyOn(b.ctx.cache, 'read')
    const keys = () => compute.mock.calls.splice(0).map(([{ key }]) => key)
    await send(b, 'GET', '/v1/photos')
    const before = keys()
    await send(a, 'POST', `${path}/clear`, admin, { types: ['tags'], confirm: true })
    await send(b, 'GET', '/v1/photos')
    expect(keys()[0]).not.toBe(before[0])
    compute.mockRestore()
  })
})
