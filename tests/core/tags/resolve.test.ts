import { afterAll, expect, test } from 'bun:test'
import { inArray } from 'drizzle-orm'
import { resolveTags } from '../../../src/core/tags/resolve.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { tags } from '../../../src/db/schema/index.ts'
import { unique } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const resolve = (names: string[]) => transaction(server.ctx, (tx) => resolveTags(tx, names))
const rowsOf = (ids: number[]) => server.ctx.db.select().from(tags).where(inArray(tags.id, ids))

test('a name finds its tag in any case, width and spacing, and the first spelling stays', async () => {
  const [id] = await resolve(['Blue  Hour'])
  expect(await resolve([' ＢＬＵＥ　hour ', 'blue\u200b hour', '夜景', 'BLUE HOUR'])).toEqual([
    id!,
    expect.any(Number),
  ])
  expect(await rowsOf([id!])).toMatchObject([
    { name: 'Blue Hour', nameKey: 'blue hour', slug: 'blue-hour', pinyin: 'bluehour', initials: 'bh' },
  ])
  const [night] = await resolve(['夜景'])
  expect(await rowsOf([night!])).toMatchObject([{ slug: 'ye-jing', pinyin: 'yejing', initials: 'yj' }])
})

test('tags whose names have the same slug get different slugs', async () => {
  const ids = await resolve(['叶静', '夜静', '页静', '🌃', '🌆'])
  const rows = await rowsOf(ids)
  expect(new Set(rows.map(({ slug }) => slug)).size).toBe(5)
  expect(rows.map(({ slug }) => slug).filter((slug) => slug.startsWith('ye-jing'))).toHaveLength(3)
})

test('requests that create the same tags at once, in different orders, get the same ones', async () => {
  const names = Array.from({ length: 20 }, () => unique('tag '))
  const all = await Promise.all(
    Array.from({ length: 6 }, async (_, i) => {
      const mine = i % 2 ? names.toReversed() : names
      const ids = await resolve(mine)
      return i % 2 ? ids.toReversed() : ids
    }),
  )
  for (const ids of all) expect(ids).toEqual(all[0]!)
})

test.each([
  ['too long', ['ok', '长'.repeat(51)], 'tags.1', 'max_length'],
  ['empty', [' \u3000 '], 'tags.0', 'min_length'],
  ['of invisible characters', ['\u200b\u2060'], 'tags.0', 'min_length'],
])('a name that is %s is refused', async (_, names, field, rule) => {
  await expect(resolve(names)).rejects.toMatchObject({ issues: [{ field, rule }] })
})

test('more than 50 names are refused; none is no tag', async () => {
  const names = Array.from({ length: 51 }, (_, i) => `${i}`)
  await expect(resolve(names)).rejects.toMatchObject({ issues: [{ field: 'tags', rule: 'max_items' }] })
  expect(await resolve([])).toEqual([])
  expect(await resolve(['a\0b', '\ud800'])).toHaveLength(2)
})
