/** Changes of categories and of the photos in them, many at once: docs/contracts/portfolio.md, "Categories". */

import { afterAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { assertCategories } from '../../../src/core/categories/assert.ts'
import { addCategories, removeCategories } from '../../../src/core/categories/assign.ts'
import { createCategory, deleteCategory, updateCategory } from '../../../src/core/categories/changes.ts'
import { AppError } from '../../../src/core/errors.ts'
import { matchPhotos } from '../../../src/core/photo-index/match.ts'
import { indexPhotos, writeIndexRows } from '../../../src/core/photo-index/write.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { photoIndex } from '../../../src/db/schema/index.ts'
import { makeUser, unique } from '../../support/factories.ts'
import { somebodyWaits } from '../../support/locks.ts'
import { makePhotos } from '../../support/photos.ts'
import { Random } from '../../support/random.ts'
import { query, startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
const random = Random.announced('changes of categories at once')

const ROUNDS = 8
const AT_ONCE = 12

test('leave the tree whole, the index right, and every photo with one primary category', async () => {
  const owner = await makeUser(server, { role: 'editor' })
  const photoIds = (
    await makePhotos(
      server,
      owner,
      Array.from({ length: 8 }, () => ({})),
    )
  ).map(({ id }) => id)
  const all = new Set<number>()
  for (let n = 0; n < 6; n++) all.add((await createCategory(ctx, SERVER, { name: `c${n}` })).id)
  const errors = new Set<string>()
  for (let round = 0; round < ROUNDS; round++) {
    const changes = Array.from({ length: AT_ONCE }, () => oneChange([...all], photoIds))
    for (const outcome of await Promise.allSettled(changes.map((change) => change()))) {
      if (outcome.status === 'fulfilled') continue
      if (!(outcome.reason instanceof AppError)) throw outcome.reason
      errors.add(outcome.reason.code)
    }
    for (const { id } of await query(server, sql`select id from categories`)) all.add(id as number)
    await expectWhole(photoIds)
  }
  for (const code of errors) expect(REFUSALS).toContain(code)
})

const REFUSALS = ['CATEGORY_CYCLE', 'CATEGORY_HAS_CHILDREN', 'NOT_FOUND', 'UNKNOWN_CATEGORY']

/** A change that may be refused, because another one has come first. */
function oneChange(categoryIds: number[], photoIds: number[]): () => Promise<unknown> {
  const category = random.pick(categoryIds)
  const other = random.pick(categoryIds)
  const some = photoIds.filter(() => random.chance(0.5))
  const parentId = random.chance(0.2) ? null : other
  const primary = random.chance(0.5) ? other : undefined
  const choice = random.pick(['move', 'move', 'rename', 'create', 'delete', 'add', 'add', 'remove'])
  switch (choice) {
    case 'move':
      return () => updateCategory(ctx, SERVER, category, { parentId })
    case 'rename':
      return () => updateCategory(ctx, SERVER, category, { name: `name ${other}` })
    case 'create':
      return () => createCategory(ctx, SERVER, { name: 'new', parentId: other })
    case 'delete':
      return () => deleteCategory(ctx, SERVER, category)
    default:
      return () =>
        transaction(ctx, async (tx) => {
          const both = [...new Set([category, other])]
          if (choice === 'add') await assertCategories(tx, both)
          const list = sql`${`{${some.join(',')}}`}::int[]`
          await tx.db.execute(sql`select from photos where id = any(${list}) order by id for update`)
          await (choice === 'add' ? addCategories(tx, some, both, primary) : removeCategories(tx, some, both))
          await indexPhotos(tx, some)
        })
  }
}

test('a move waits for a change that puts photos below the category, and brings their index rows up to date', async () => {
  const [photo] = await makePhotos(server, await makeUser(server), [{}])
  const targetName = unique('target')
  const [moved, target] = [
    await createCategory(ctx, SERVER, { name: 'a' }),
    await createCategory(ctx, SERVER, { name: targetName }),
  ]
  const child = await createCategory(ctx, SERVER, { name: 'c', parentId: moved.id })
  let move: Promise<void> | undefined
  let isOver = false
  await transaction(ctx, async (tx) => {
    await assertCategories(tx, [child.id])
    await addCategories(tx, [photo!.id], [child.id])
    await indexPhotos(tx, [photo!.id])
    move ??= updateCategory(ctx, SERVER, moved.id, { parentId: target.id }).finally(() => {
      isOver = true
    })
    // On the embedded database the move waits for the only connection.
    while (process.env.TEST_DATABASE_URL && !isOver && !(await somebodyWaits(tx))) await Bun.sleep(5)
  })
  await move
  const found = await ctx.db.select().from(photoIndex).where(matchPhotos(targetName))
  expect(found.map(({ photoId }) => photoId)).toEqual([photo!.id])
})

async function expectWhole(photoIds: number[]): Promise<void> {
  const rows = await query(server, sql`select id, path, level, parent_id from categories`)
  const paths = new Map(rows.map(({ id, path }) => [id, path as string]))
  for (const { id, path, level, parent_id } of rows) {
    expect(path).toBe(parent_id === null ? `${id}` : `${paths.get(parent_id)}/${id}`)
    expect(level).toBe((path as string).split('/').length - 1)
  }
  expect(await transaction(ctx, (tx) => writeIndexRows(tx, photoIds))).toBe(0)
  const primaries = await query(
    server,
    sql`select count(*) filter (where is_primary)::int as n from photo_categories group by photo_id`,
  )
  for (const { n } of primaries) expect(n).toBe(1)
}
