/** A tag or category of more photos than one transaction indexes: docs/contracts/portfolio.md, "Search". */

import { afterAll, beforeAll, expect, test } from 'bun:test'
import { and, sql } from 'drizzle-orm'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { createCategory, deleteCategory, updateCategory } from '../../../src/core/categories/changes.ts'
import { categoryCounts } from '../../../src/core/categories/counts.ts'
import { matchPhotos } from '../../../src/core/photo-index/match.ts'
import { rebuildPhotoIndex } from '../../../src/core/photo-index/rebuild.ts'
import { countPhotos } from '../../../src/core/photos/list.ts'
import { deleteTag, updateTag } from '../../../src/core/tags/tags.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { photoIndex } from '../../../src/db/schema/index.ts'
import { makeUser, unique } from '../../support/factories.ts'
import { somebodyWaits } from '../../support/locks.ts'
import { makePhotos, makeTag } from '../../support/photos.ts'
import { eventually } from '../../support/process.ts'
import { query, startServer } from '../../support/server.ts'

const PHOTOS = 201

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server

let category: number
let tagId: number
let tag: string
beforeAll(async () => {
  const owner = await makeUser(server, { role: 'editor' })
  category = (await createCategory(ctx, SERVER, { name: unique('first ') })).id
  tag = unique('tag')
  tagId = await makeTag(server, tag)
  const photo = { categoryIds: [category], tags: [tag] }
  await makePhotos(server, owner, Array(PHOTOS).fill(photo))
})

const found = (words: string) => ctx.db.$count(photoIndex, and(matchPhotos(words)))

/** Waits for the job. */
async function expectFound(words: string, photos: number) {
  let last: number | undefined
  await eventually(
    async () => {
      last = await found(words)
      return last === photos
    },
    () => `${words} finds ${last} photos, not ${photos}`,
  )
}

test('counts and lists show a move at once, and the search follows', async () => {
  const name = unique('target')
  const target = await createCategory(ctx, SERVER, { name })
  await updateCategory(ctx, SERVER, category, { parentId: target.id })
  expect(await countPhotos(ctx, undefined, { category: target.id })).toBe(PHOTOS)
  const counts = await categoryCounts(ctx, undefined)
  expect(counts(target.id)).toEqual({ photoCount: PHOTOS, directPhotoCount: 0 })
  expect(counts(category)).toEqual({ photoCount: PHOTOS, directPhotoCount: PHOTOS })
  await expectFound(name, PHOTOS)
})

test('counts and lists ask the tree, not the index rows that follow it', async () => {
  const other = await createCategory(ctx, SERVER, { name: unique('other ') })
  const place = { path: `${other.id}/${category}`, level: 1, parent: other.id }
  await query(
    server,
    sql`update categories set path = ${place.path}, level = ${place.level}, parent_id = ${place.parent} where id = ${category}`,
  )
  await transaction(ctx, async (tx) => tx.changed('categories'))
  expect(await countPhotos(ctx, undefined, { category: other.id })).toBe(PHOTOS)
  expect((await categoryCounts(ctx, undefined))(other.id).photoCount).toBe(PHOTOS)
  expect(await rebuildPhotoIndex(ctx, { which: { categoryId: other.id } })).toEqual({
    photos: PHOTOS,
    changed: PHOTOS,
  })
})

test('a run of the job that was cut off is completed by the next one', async () => {
  await query(server, sql`update tags set name = 'interrupted' where id = ${tagId}`)
  let batches = 0
  const signal = {
    throwIfAborted() {
      if (++batches > 1) throw new Error('the server stops')
    },
  } as AbortSignal
  const which = { tagId }
  await expect(rebuildPhotoIndex(ctx, { which, signal })).rejects.toThrow('the server stops')
  const done = await found('interrupted')
  expect(done).toBeGreaterThan(0)
  expect(done).toBeLessThan(PHOTOS)
  expect(await rebuildPhotoIndex(ctx, { which })).toEqual({ photos: PHOTOS, changed: PHOTOS - done })
  expect(await found('interrupted')).toBe(PHOTOS)
})

test('the job waits for a change that has found it waiting, and does its work too', async () => {
  let job: Promise<unknown> | undefined
  let isOver = false
  await transaction(ctx, async (tx) => {
    await tx.db.execute(sql`update tags set name = 'late' where id = ${tagId}`)
    // The retry of a transaction must not begin another run.
    job ??= rebuildPhotoIndex(ctx, { which: { tagId } }).finally(() => {
      isOver = true
    })
    // On the embedded database the job waits for the only connection.
    while (process.env.TEST_DATABASE_URL && !isOver && !(await somebodyWaits(tx))) await Bun.sleep(5)
  })
  await job
  expect(await found('late')).toBe(PHOTOS)
})

test('a renamed tag is found by its new name alone, soon', async () => {
  const name = unique('renamed')
  await updateTag(ctx, SERVER, tagId, { name })
  expect(await countPhotos(ctx, undefined, { tag: name })).toBe(PHOTOS)
  await expectFound(name, PHOTOS)
  await expectFound('late', 0)
})

test('a deleted tag and category are gone from lists at once, and soon from the index', async () => {
  const [{ name } = {}] = await query(server, sql`select name from categories where id = ${category}`)
  await deleteTag(ctx, SERVER, tagId)
  await deleteCategory(ctx, SERVER, category)
  expect(await countPhotos(ctx, undefined, { tag })).toBe(0)
  expect(await countPhotos(ctx, undefined, { category })).toBe(0)
  await expectFound(name as string, 0)
  await expectFound('renamed', 0)
  expect(await ctx.db.$count(photoIndex, sql`category_ids <> '{}' or tag_ids <> '{}'`)).toBe(0)
  expect(await rebuildPhotoIndex(ctx)).toMatchObject({ changed: 0 })
})
