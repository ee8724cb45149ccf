/** What comes next for a task: docs/contracts/study.md, "Study tasks". */
import type { StudyItem } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import type { ItemProgress } from '../courses/progress.ts'
import { type ItemState, itemStates } from '../courses/provider.ts'
import { failure } from '../tasks/failures.ts'
import { isFinished, labelOf } from './plan.ts'
import { currentItemOf, type Place, placeAfter, type Run, withDuration } from './run.ts'
import type { Note, Transition } from './transitions.ts'

/** A task whose item has ended, or that asks whether its item is open. */
export interface Due {
  run: Run
  /** When its timer was due. */
  dueMs: number
}

/** An answer of the provider that comes later than this delays the item. Otherwise it begins where the last one ended. */
const SMOOTH_MS = 1000

/**
 * Unfinished items of a task that are asked for at once behind one that was not played. The first question is about one item,
 * because that is usually open.
 */
const AHEAD = 50

interface Candidate {
  due: Due
  place: Place
  notes: Note[]
  progress: ItemProgress[]
}

/**
 * Finds the next item of each task, and asks the provider whether it is open.
 * @param done gets each transition as soon as it is known; undefined when a task waits on as before
 */
export async function advance(
  ctx: Context,
  due: Due[],
  done: (run: Run, transition: Transition | undefined) => void,
): Promise<void> {
  let candidates: Candidate[] = due.map(begin)
  for (let ahead = 1; candidates.length > 0; ahead = AHEAD) {
    const asked = candidates.map(({ due: { run }, place }) => nextItems(run.items, place.itemIndex, ahead))
    const states = await itemStates(
      ctx,
      candidates.flatMap(({ due: { run } }, n) =>
        asked[n]!.map((i) => {
          const { courseId, itemId } = run.items[i]!
          return { provider: run.provider, userId: run.userId, courseId, itemId }
        }),
      ),
    )
    const left: Candidate[] = []
    let from = 0
    for (const [n, candidate] of candidates.entries()) {
      const known = new Map(asked[n]!.map((i) => [i, states[from++]!]))
      const { run } = candidate.due
      const next = pass(ctx, candidate, known)
      if (next === undefined) done(run, undefined)
      else if ('due' in next) left.push(next)
      else done(run, next)
    }
    candidates = left
  }
}

/** The indices of the next `count` items that are not finished, from `from` on. */
function nextItems(items: StudyItem[], from: number, count: number): number[] {
  const found: number[] = []
  for (let i = from; i < items.length && found.length < count; i++) {
    if (i === from || !isFinished(items[i]!)) found.push(i)
  }
  return found
}

/** @returns the task behind the items whose states are known, when it passes all of them; otherwise as {@link decide} */
function pass(
  ctx: Context,
  candidate: Candidate,
  known: ReadonlyMap<number, ItemState>,
): Transition | Candidate | undefined {
  let at = candidate
  for (;;) {
    if (at.place.itemIndex >= at.due.run.items.length)
      return transitionOf({ ...at, place: endOf(at) }, 'completed')
    const state = known.get(at.place.itemIndex)
    if (!state) return at
    const next = decide(ctx, at, state)
    if (next === undefined || !('due' in next)) return next
    at = next
  }
}

function begin(due: Due): Candidate {
  const { run } = due
  if (run.phase === 'waiting') return { due, place: placeOf(run), notes: [], progress: [] }
  const { courseId, itemId } = run.items[run.itemIndex]!
  const { provider, userId, itemDuration: position } = run
  const progress = { provider, userId, courseId, itemId, position, isDone: true }
  return { due, place: placeAfter(run.items, placeOf(run)), notes: [], progress: [progress] }
}

/** An ended task goes on showing its last item. */
const endOf = ({ due: { run }, place }: Candidate): Place => ({
  ...place,
  itemPosition: run.itemDuration,
  itemDuration: run.itemDuration,
})

const placeOf = ({ itemIndex, itemPosition, itemDuration, doneSeconds, totalSeconds }: Run): Place => ({
  itemIndex,
  itemPosition,
  itemDuration,
  doneSeconds,
  totalSeconds,
})

/** @returns a candidate when the task passes this item; undefined when it waits on as before */
function decide(ctx: Context, candidate: Candidate, state: ItemState): Transition | Candidate | undefined {
  const { due, notes } = candidate
  const { run } = due
  const { items, notOpenAction } = run
  const item = items[candidate.place.itemIndex]!
  const label = labelOf(item)
  if (state.state === 'open') {
    const place = withDuration(candidate.place, state.duration)
    if (place.itemPosition >= place.itemDuration) return { ...candidate, place: placeAfter(items, place) }
    const line: Note = { what: failure('study_item', { item: label }), level: 'INFO' }
    return transitionOf({ ...candidate, place, notes: [...notes, line] }, 'playing')
  }
  if (state.state === 'closed' && notOpenAction === 'skip') {
    const line: Note = { what: failure('study_skipped', { item: label }), level: 'WARNING' }
    return { ...candidate, place: placeAfter(items, candidate.place), notes: [...notes, line] }
  }
  if (state.state === 'closed' && notOpenAction === 'stop')
    return transitionOf(candidate, { failed: failure('item_not_open', { item: label }) })
  // Asking again with a wrong password could lock the learner out.
  if (state.state === 'refused') return transitionOf(candidate, { failed: failure('course_account_refused') })
  if (state.state === 'no_account')
    return transitionOf(candidate, { failed: failure('course_account_missing') })
  const noted = state.state === 'closed' ? 'waiting' : 'unreachable'
  const isSame = run.phase === 'waiting' && run.itemIndex === candidate.place.itemIndex
  if (isSame && run.noted === noted) return undefined
  const params = { item: label, seconds: ctx.config.studyRetrySeconds }
  const code = noted === 'waiting' ? 'study_waiting' : 'study_unreachable'
  const line: Note = { what: failure(code, params), level: 'WARNING' }
  return { ...transitionOf({ ...candidate, notes: [...notes, line] }, 'waiting'), noted }
}

function transitionOf({ due, place, notes, progress }: Candidate, to: Transition['to']): Transition {
  const { run, dueMs } = due
  const now = performance.now()
  return {
    run,
    place,
    to,
    // Items follow each other without a gap, so that a task takes as long as its items.
    beganMs: run.phase === 'playing' && now - dueMs < SMOOTH_MS ? dueMs : now,
    currentItem:
      to === 'completed' ? run.currentItem : currentItemOf(run.items[place.itemIndex], to === 'waiting'),
    notes,
    progress,
    noted: undefined,
  }
}
