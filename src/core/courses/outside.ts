/** Courses of the server at COURSE_PROVIDER_URL: docs/course-provider.md. */
import { atMost } from '../../util/at-most.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { ask, CourseAnswer, CourseList, ItemList } from './outside-calls.ts'
import { type ItemProgress, progressOf } from './progress.ts'
import type { CourseItem, CourseProvider, ItemRef, ItemState } from './provider.ts'
import { type CourseAccount, courseAccountsOf } from './settings.ts'

/** Requests at once, of one call or of one start of a task. */
const AT_ONCE = 8
/** After this time the states of the rest are unknown, so that a slow provider does not hold up the tasks of all learners. */
const STATES_MS = 15_000

export function outsideProvider(ctx: Context): CourseProvider {
  const turn = atMost(AT_ONCE)
  return {
    async list(userId) {
      const answer = await ask(ctx, 'list', await accountOf(ctx, userId), {}, CourseList)
      // There is no such address.
      if (!answer) throw new AppError('COURSE_PROVIDER_FAILED')
      const listed = unique(answer.courses)
      const studied = byCourse(
        await progressOf(
          ctx,
          userId,
          listed.map(({ id }) => id),
        ),
      )
      return listed.map(({ id, name, teacher = '', duration = 0, progress = 0 }) => {
        const seconds = sum(studied.get(id)?.map(({ position }) => position) ?? [])
        return { courseId: id, name, teacherName: teacher, progress: percent(seconds, duration, progress) }
      })
    },

    async course(userId, courseId) {
      const account = await accountOf(ctx, userId)
      const answer = await turn(() => ask(ctx, 'course', account, { courseId }, CourseAnswer))
      // Whatever it answers to the question for another course.
      if (answer?.id !== courseId) return undefined
      const items = unique(answer.items).map(
        ({ id, name, kind, duration, open }): CourseItem => ({
          ...{ itemId: id, name, kind, duration },
          isOpen: open && duration > 0,
        }),
      )
      const studied = new Map((await progressOf(ctx, userId, [courseId])).map((one) => [one.itemId, one]))
      const open = items.filter(({ isOpen }) => isOpen)
      const seconds = open.map(({ itemId, duration }) => {
        const { position = 0, isDone = false } = studied.get(itemId) ?? {}
        return isDone ? duration : Math.min(position, duration)
      })
      const whole = sum(open.map(({ duration }) => duration))
      const { name, teacher = '', progress = 0 } = answer
      return { courseId, name, teacherName: teacher, progress: percent(sum(seconds), whole, progress), items }
    },

    async states(items) {
      const states: ItemState[] = items.map(() => ({ state: 'unknown' }))
      // The items of a task that was started with another configuration.
      if (!ctx.config.courseProviderUrl) return states
      const accounts = await courseAccountsOf(ctx, new Set(items.map(({ userId }) => userId)))
      const numbered = items.map((item, n): Numbered => ({ ...item, n }))
      const groups = [
        ...Map.groupBy(numbered, ({ userId, courseId }) => JSON.stringify([userId, courseId])).values(),
      ]
      const deadline = performance.now() + STATES_MS
      const askAbout = async (group: Numbered[]) => {
        if (performance.now() > deadline) return
        const stateOf = await statesOf(ctx, accounts.get(group[0]!.userId), group)
        for (const { n, itemId } of group) states[n] = stateOf(itemId)
      }
      await Promise.all(groups.map((group) => turn(() => askAbout(group))))
      return states
    },
  }
}

type Numbered = ItemRef & { n: number }

/** The states of items of one course and learner, by their ids. */
async function statesOf(
  ctx: Context,
  account: CourseAccount | undefined,
  group: readonly ItemRef[],
): Promise<(itemId: string) => ItemState> {
  if (!account) return () => ({ state: 'no_account' })
  const { courseId } = group[0]!
  const content = { courseId, itemIds: group.map(({ itemId }) => itemId) }
  try {
    const answer = await ask(ctx, 'items', account, content, ItemList)
    const states = (answer?.items ?? []).map(({ id, open, duration }): [string, ItemState] => [
      id,
      open && duration > 0 ? { state: 'open', duration } : { state: 'closed' },
    ])
    const known = new Map(states)
    return (itemId) => known.get(itemId) ?? { state: 'closed' }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return () => ({ state: error.code === 'COURSE_ACCOUNT_REFUSED' ? 'refused' : 'unknown' })
  }
}

/** @throws AppError COURSE_ACCOUNT_MISSING */
async function accountOf(ctx: Context, userId: number): Promise<CourseAccount> {
  const account = (await courseAccountsOf(ctx, [userId])).get(userId)
  if (!account) throw new AppError('COURSE_ACCOUNT_MISSING')
  return account
}

/**
 * The provider's own figure counts too, because a learner may study there without Roost. Whole milliseconds are compared, because
 * the provider may have added the durations up in another order.
 */
const percent = (seconds: number, whole: number, own: number): number => {
  const part = whole > 0 ? Math.round(seconds * 1000) / Math.round(whole * 1000) : 0
  return Math.floor(Math.max(own, 100 * Math.min(part, 1)))
}

const unique = <T extends { id: string }>(list: readonly T[]): T[] => [
  ...new Map(list.map((one) => [one.id, one])).values(),
]

const byCourse = (rows: readonly ItemProgress[]) => Map.groupBy(rows, ({ courseId }) => courseId)

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
