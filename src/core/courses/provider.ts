import type { ProviderName } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { builtInProvider } from './built-in.ts'
import { outsideProvider } from './outside.ts'
import { presentProvider } from './progress.ts'

/** One item of a course. */
export interface CourseItem {
  /** The provider's id. It is unique in the course. */
  itemId: string
  name: string
  kind: 'video' | 'document'
  /** Seconds at speed 1; 0 while unknown, and then the item is not open. */
  duration: number
  /** Whether the learner may study it now. */
  isOpen: boolean
}

export interface CourseSummary {
  /** The provider's id. */
  courseId: string
  name: string
  teacherName: string
  /** How much of the course the learner has studied: whole percent, 100 only when nothing is left. */
  progress: number
}

export interface Course extends CourseSummary {
  /** In the order in which they are studied. */
  items: CourseItem[]
}

/** An item, for one learner. */
export interface ItemRef {
  userId: number
  courseId: string
  itemId: string
}

/**
 * `unknown`: the provider could not be asked, and may answer later. `no_account`, `refused`: the learner has no account there, or
 * the provider refuses it. An item that the provider does not know is closed.
 */
export type ItemState =
  | { state: 'open'; duration: number }
  | { state: 'closed' | 'unknown' | 'no_account' | 'refused' }

/** Where courses come from: Roost's own materials, or the server at COURSE_PROVIDER_URL. */
export interface CourseProvider {
  /**
   * The courses of a learner.
   * @throws AppError COURSE_PROVIDER_UNAVAILABLE, COURSE_PROVIDER_FAILED, COURSE_ACCOUNT_REFUSED, COURSE_ACCOUNT_MISSING
   */
  list(userId: number): Promise<CourseSummary[]>
  /**
   * A course with its items; undefined when the provider has none with this id for the learner.
   * @throws AppError as `list`
   */
  course(userId: number, courseId: string): Promise<Course | undefined>
  /** The current states of items of many learners, in the order of `items`. At a provider that cannot be asked
   * they are `unknown`, which is no error. */
  states(items: readonly ItemRef[]): Promise<ItemState[]>
}

export const courseProvider = (ctx: Context): CourseProvider => providerOf(ctx, presentProvider(ctx))

const providerOf = (ctx: Context, name: ProviderName): CourseProvider =>
  name === 'outside' ? outsideProvider(ctx) : builtInProvider(ctx)

/** The states of items of both providers, in the order of `items`. */
export async function itemStates(
  ctx: Context,
  items: readonly (ItemRef & { provider: ProviderName })[],
): Promise<ItemState[]> {
  const states: ItemState[] = []
  const numbered = items.map((item, n) => ({ ...item, n }))
  const byProvider = Map.groupBy(numbered, ({ provider }) => provider)
  await Promise.all(
    [...byProvider].map(async ([name, some]) => {
      const found = await providerOf(ctx, name).states(some)
      for (const [i, { n }] of some.entries()) states[n] = found[i]!
    }),
  )
  return states
}
