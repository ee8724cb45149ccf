import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { photos } from '../../../src/db/schema/index.ts'
import { type TestUser, unique } from '../../support/factories.ts'
import { makePhotos } from '../../support/photos.ts'
import { expectPortfolioError } from '../../support/shapes.ts'
import { openLive } from '../../support/sockets.ts'
import { type Client, idsOf, openPhotoScene } from './photo-scene.ts'

const { server, ctx, client, owner, other, admin, get, send, makeCategory } = await openPhotoScene()
afterAll(server.stop)

/** Counts the statements of all transactions, until it is disposed of. */
function countInTransactions() {
  const { begin } = client
  let statements = 0
  client.begin = (...args) => {
    const work = args.pop() as (tx: Client) => unknown
    return begin(...args, (tx: Client) => {
      const { unsafe } = tx
      tx.unsafe = (...statement) => {
        statements++
        return unsafe(...statement)
      }
      return work(tx)
    })
  }
  return {
    statements: () => statements,
    [Symbol.dispose]: () => {
      client.begin = begin
    },
  }
}

describe('POST /v1/photos/batch', () => {
  const batch = (user: TestUser, ids: number[], action: string, data?: object) =>
    send('POST', '/v1/photos/batch', user, { photo_ids: ids, action, ...(data && { data }) })

  test('one bad id does not spoil the rest, and the answer says which', async () => {
    const [mine, done] = await makePhotos(server, owner, [{}, { status: 'archived' }])
    const [theirs, hidden] = await makePhotos(server, other, [{}, { status: 'draft' }])
    const ids = [hidden!.id, mine!.id, 2147483647, theirs!.id, done!.id, mine!.id]
    const live = await openLive(server, owner.token)
    const answer = await batch(owner, ids, 'update_status', { status: 'archived' })
    expect(answer.body.data).toEqual({
      action: 'update_status',
      succeeded: [mine!.id, done!.id],
      failed: [
        { id: hidden!.id, code: 'RESOURCE_NOT_FOUND', error: expect.stringMatching(/exist/) },
        { id: 2147483647, code: 'RESOURCE_NOT_FOUND', error: expect.any(String) },
        { id: theirs!.id, code: 'PERMISSION_DENIED', error: expect.any(String) },
      ],
      summary: { total: 5, success: 2, failed: 3 },
    })
    await live.next('photo.updated', ({ data }) => data.photo_id === mine!.id && data.status === 'archived')
    expect(live.frames.filter(({ type }) => type === 'photo.updated')).toHaveLength(1)
    live.ws.close()
    expect((await get(`/v1/photos/${mine!.id}`)).status).toBe(404)
    expect((await get(`/v1/photos/${theirs!.id}`)).body.data.status).toBe('published')
    const versions = await ctx.db.select().from(photos).where(eq(photos.id, done!.id))
    expect(versions[0]!.version).toBe(1)
  })

  test('tags and categories come and go; one category stays primary', async () => {
    const [a, b] = [await makeCategory(), await makeCategory()]
    const made = await makePhotos(server, owner, [{ tags: ['old'] }, {}])
    const ids = made.map(({ id }) => id)
    const show = async () => {
      const shown = await Promise.all(ids.map((id) => get(`/v1/photos/${id}`, owner)))
      return shown.map(({ body }) => ({
        tags: body.data.tags.map(({ name }: { name: string }) => name).sort(),
        categories: body.data.categories.map((one: { id: number; is_primary: boolean }) => [
          one.id,
          one.is_primary,
        ]),
      }))
    }
    const tag = unique('new')
    expect((await batch(owner, ids, 'add_tags', { tags: [tag, 'old'] })).status).toBe(200)
    expect((await show()).map(({ tags }) => tags)).toEqual([[tag, 'old'].sort(), [tag, 'old'].sort()])
    expect(idsOf(await get(`/v1/photos?tag=${tag}&sort_order=asc`))).toEqual(ids)
    await batch(owner, ids, 'remove_tags', { tags: [tag.toUpperCase(), 'never-seen'] })
    expect((await show()).map(({ tags }) => tags)).toEqual([['old'], ['old']])
    await batch(owner, ids, 'add_categories', { categories: [a.id, b.id] })
    for (const { categories } of await show())
      expect(categories).toEqual([
        [a.id, true],
        [b.id, false],
      ])
    await batch(owner, ids, 'remove_categories', { categories: [a.id] })
    for (const { categories } of await show()) expect(categories).toEqual([[b.id, true]])
    const unknown = await batch(owner, ids, 'add_categories', { categories: [2147483647] })
    expectPortfolioError(unknown, { status: 422, code: 'UNPROCESSABLE_ENTITY' })
  })

  test('deletes, for those who may', async () => {
    const made = await makePhotos(server, owner, [{}, {}])
    const ids = made.map(({ id }) => id)
    const denied = await batch(owner, ids, 'delete')
    expect(denied.body.error.details).toEqual({ required_permission: 'photo.delete', user_role: 'editor' })
    const answer = await batch(admin, [...ids, 2147483647], 'delete')
    expect(answer.body.data).toMatchObject({ succeeded: ids, summary: { total: 3, success: 2, failed: 1 } })
    expect((await batch(admin, ids, 'delete')).body.data.summary.failed).toBe(2)
  })

  test('takes as many statements for fifty photos as for two', async () => {
    const made = await makePhotos(
      server,
      owner,
      Array.from({ length: 52 }, () => ({})),
    )
    const ids = made.map(({ id }) => id)
    const statementsFor = async (some: number[]) => {
      using counted = countInTransactions()
      await batch(owner, some, 'add_tags', { tags: [unique('t')] })
      return counted.statements()
    }
    const counts: [number, number][] = []
    // A job that runs meanwhile adds its statements to some of the counts.
    for (let run = 0; run < 4; run++)
      counts.push([await statementsFor(ids.slice(0, 2)), await statementsFor(ids.slice(2))])
    const [few, many] = [0, 1].map((i) => Math.min(...counts.map((count) => count[i]!)))
    expect(many).toBe(few!)
    expect(few).toBeGreaterThan(3)
  })

  test.each([
    [{ photo_ids: [], action: 'delete' }, 'photo_ids'],
    [{ photo_ids: Array.from({ length: 101 }, (_, i) => i + 1), action: 'delete' }, 'photo_ids'],
    [{ photo_ids: ['one'], action: 'delete' }, 'photo_ids.0'],
    [{ photo_ids: [1], action: 'publish' }, 'action'],
    [{ photo_ids: [1], action: 'update_status' }, 'data.status'],
    [{ photo_ids: [1], action: 'update_status', data: { status: 'gone' } }, 'data.status'],
    [{ photo_ids: [1], action: 'add_tags', data: { status: 'draft' } }, 'data.tags'],
    [{ photo_ids: [1], action: 'remove_categories', data: null }, 'data.categories'],
  ])('%j is 400', async (body, field) => {
    const answer = await send('POST', '/v1/photos/batch', admin, body)
    expectPortfolioError(answer, { status: 400, code: 'VALIDATION_ERROR', fields: [field] })
  })
})
