/** The provider of courses that are made of materials: docs/contracts/study.md, "Courses". */
import { afterAll, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { updateCourse } from '../../../src/core/courses/courses.ts'
import { SECONDS_PER_PAGE } from '../../../src/core/courses/documents.ts'
import { progressOf, recordProgress } from '../../../src/core/courses/progress.ts'
import { courseProvider } from '../../../src/core/courses/provider.ts'
import { materials } from '../../../src/db/schema/index.ts'
import { actorOf } from '../../support/actors.ts'
import { makeCourse } from '../../support/courses.ts'
import { makeUser } from '../../support/factories.ts'
import { query, startServer } from '../../support/server.ts'

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

test('what is open of a course is counted anew with every change of its items and their materials', async () => {
  const { db } = server.ctx
  const course = await makeCourse(server, editor, [
    {},
    PAGES,
    { durationSeconds: 0.0004 },
    { status: 'hidden' },
  ])
  const ids = course.itemIds.map(Number)
  const [first, pdf, short, hidden] = ids as [number, number, number, number]
  const openMs = async () => {
    const [row] = await query(
      server,
      sql`select open_ms, (select coalesce(sum(case when m.status = 'active' then ceil(1000 * coalesce(
        case m.type when 'pdf' then m.pages * ${SECONDS_PER_PAGE}::int else m.duration_seconds end, 0)) end), 0)
        from course_items i join materials m on m.id = i.material_id where i.course_id = c.id) as recount
        from courses c where id = ${Number(course.courseId)}`,
    )
    expect(Number(row!.open_ms)).toBe(Number(row!.recount))
    return Number(row!.open_ms)
  }
  const set = (id: number, values: Partial<typeof materials.$inferInsert>) =>
    db.update(materials).set(values).where(eq(materials.id, id))
  expect(await openMs()).toBe(280_001)
  await set(hidden, { status: 'active' })
  expect(await openMs()).toBe(380_001)
  await set(pdf, { pages: 1 })
  expect(await openMs()).toBe(260_001)
  await set(short, { durationSeconds: null })
  expect(await openMs()).toBe(260_000)
  await db.delete(materials).where(eq(materials.id, first))
  expect(await openMs()).toBe(160_000)
  const who = actorOf(editor)
  await updateCourse(server.ctx, who, course.courseId, { materialIds: [hidden] })
  expect(await openMs()).toBe(100_000)
  await Promise.all([
    updateCourse(server.ctx, who, course.courseId, { materialIds: [pdf, hidden] }),
    set(pdf, { pages: 5 }),
    set(hidden, { durationSeconds: 7 }),
  ])
  expect(await openMs()).toBe(307_000)
  await updateCourse(server.ctx, who, course.courseId, { materialIds: [short] })
  expect(await openMs()).toBe(0)
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
