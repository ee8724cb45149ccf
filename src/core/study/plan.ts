import type { StudyItem } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { progressOf } from '../courses/progress.ts'
import { type Course, courseProvider } from '../courses/provider.ts'
import { AppError } from '../errors.ts'

/** Items of one task. Servers keep the plans of running tasks in memory. */
const MAX_ITEMS = 10_000
/** Courses that are asked for at once. */
const AT_ONCE = 8

/** An item as people see it. */
export const labelOf = ({ kind, name }: Pick<StudyItem, 'kind' | 'name'>): string =>
  `${kind === 'video' ? '🎬' : '📄'} ${name}`

/** Whether the learner had finished the item before the task was started. */
export const isFinished = ({ duration, position }: StudyItem): boolean => duration > 0 && position >= duration

/**
 * The items of these courses in their order, with how far the learner has come in each.
 * @throws AppError COURSE_NOT_FOUND, TOO_MANY_ITEMS, and those of the provider
 */
export async function makePlan(ctx: Context, userId: number, courseIds: string[]): Promise<StudyItem[]> {
  const ids = [...new Set(courseIds)]
  const items: StudyItem[] = []
  for (let i = 0; i < ids.length; i += AT_ONCE) {
    for (const course of await coursesOf(ctx, userId, ids.slice(i, i + AT_ONCE))) {
      for (const { itemId, name, kind, duration } of course.items)
        items.push({ courseId: course.courseId, itemId, name, kind, duration, position: 0 })
    }
    if (items.length > MAX_ITEMS)
      throw new AppError('TOO_MANY_ITEMS', { params: { items: items.length, limit: MAX_ITEMS } })
  }
  const keyOf = ({ courseId, itemId }: { courseId: string; itemId: string }) =>
    JSON.stringify([courseId, itemId])
  const known = new Map((await progressOf(ctx, userId, ids)).map((one) => [keyOf(one), one]))
  return items.map((item) => {
    const progress = known.get(keyOf(item))
    if (!progress) return item
    if (!progress.isDone) return { ...item, position: Math.min(progress.position, item.duration) }
    // The duration of a finished item may have become unknown.
    const duration = item.duration || Math.max(progress.position, 1)
    return { ...item, duration, position: duration }
  })
}

async function coursesOf(ctx: Context, userId: number, ids: string[]): Promise<Course[]> {
  const provider = courseProvider(ctx)
  return Promise.all(
    ids.map(async (id) => {
      const course = await provider.course(userId, id)
      if (!course) throw new AppError('COURSE_NOT_FOUND', { params: { course: id } })
      return course
    }),
  )
}
