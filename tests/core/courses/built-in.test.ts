/** The provider of courses that are made of materials: docs/contracts/study.md, "Courses". */
import { afterAll, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { progressOf, recordProgress } from '../../../src/core/courses/progress.ts'
import { courseProvider } from '../../../src/core/courses/provider.ts'
import { materials } from '../../../src/db/schema/index.ts'
import { makeCourse } from '../../support/courses.ts'
import { makeUser } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const provider = courseProvider(server.ctx)
const editor = await makeUser(server, { role: 'editor' })

const PAGES = { type: 'pdf', fileFormat: 'pdf', durationSeconds: null, pages: 3 } as const

test('a course has its items in order, a document counts by its pages', async () => {
  const { courseId, name, itemIds } = await makeCourse(server, editor, [
    { title: '第一课' },
    { ...PAGES, title: '讲义' },
  ])
  expect(await provider.course(editor.user.id, courseId)).toEqual({
    courseId,
    name,
    teacherName: '王老师',
    progress: 0,
    items: [
      { itemId: itemIds[0]!, name: '第一课', kind: 'video', duration: 100, isOpen: true },
      { itemId: itemIds[1]!, name: '讲义', kind: 'document', duration: 180, isOpen: true },
    ],
  })
})

test.each(['0', '01', '-1', 'abc', '', '99999999999999999999', '1.0'])(
  'there is no course %p',
  async (id) => {
    expect(await provider.course(editor.user.id, id)).toBeUndefined()
  },
)

test('an item is open while its material is active and its duration is known', async () => {
  const { courseId, itemIds } = await makeCourse(server, editor, [
    {},
    { status: 'hidden' },
    { durationSeconds: null },
    { durationSeconds: 0 },
  ])
  const userId = editor.user.id
  const states = () =>
    provider.states([...itemIds.toReversed(), 'x'].map((itemId) => ({ userId, courseId, itemId })))
  const closed = { state: 'closed' } as const
  expect(await states()).toEqual([closed, closed, closed, { state: 'open', duration: 100 }, closed])
  const open = (await provider.course(userId, courseId))!.items.map(({ isOpen }) => isOpen)
  expect(open).toEqual([true, false, false, false])
  await server.ctx.db
    .update(materials)
    .set({ status: 'hidden' })
    .where(eq(materials.id, Number(itemIds[0])))
  expect(new Set((await states()).map(({ state }) => state))).toEqual(new Set(['closed']))
})

test("progress is a learner's own, counts by time, and never goes back", async () => {
  const learner = (await makeUser(server)).user.id
  const { courseId, itemIds } = await makeCourse(server, editor, [{}, { durationSeconds: 300 }])
  const [first, second] = itemIds as [string, string]
  const at = (itemId: string, position: number, isDone = false) => ({
    provider: 'built_in' as const,
    userId: learner,
    courseId,
    itemId,
    position,
    isDone,
  })
  const progress = async (userId = learner) =>
    (await provider.list(userId)).find((course) => course.courseId === courseId)!.progress
  expect(await progress()).toBe(0)
  await recordProgress(server.ctx, [at(first, 50), at(first, 40), at(second, 0)])
  expect(await progress()).toBe(12)
  await recordProgress(server.ctx, [at(first, 10, true)])
  expect(await progress()).toBe(25)
  await recordProgress(server.ctx, [at(first, 20), at(second, 299.9)])
  expect(await progress()).toBe(99)
  await recordProgress(server.ctx, [at(second, 1e9)])
  expect(await progress()).toBe(100)
  expect(await progress(editor.user.id)).toBe(0)
  const rows = await progressOf(server.ctx, learner, [courseId])
  expect(rows.toSorted((a, b) => a.position - b.position)).toEqual([at(first, 50, true), at(second, 1e9)])
  expect(await progressOf(server.ctx, learner, [])).toEqual([])
})

test('a course without anything left is at 100 percent, also with durations like this', async () => {
  const learner = (await makeUser(server)).user.id
  const durationSeconds = 6439.236436119854
  const { courseId, itemIds } = await makeCourse(server, editor, [{ durationSeconds }])
  const end = {
    provider: 'built_in' as const,
    userId: learner,
    courseId,
    itemId: itemIds[0]!,
    position: durationSeconds,
    isDone: true,
  }
  await recordProgress(server.ctx, [end])
  expect((await provider.course(learner, courseId))!.progress).toBe(100)
})

test('nothing is recorded for nobody, and no row of one course is one of another', async () => {
  await recordProgress(server.ctx, [])
  await recordProgress(server.ctx, [
    { provider: 'built_in', userId: 2_000_000_000, courseId: '1', itemId: '1', position: 1, isDone: true },
  ])
  const { itemIds } = await makeCourse(server, editor)
  const other = await makeCourse(server, editor)
  const [state] = await provider.states([{ userId: 1, courseId: other.courseId, itemId: itemIds[0]! }])
  expect(state).toEqual({ state: 'closed' })
})
