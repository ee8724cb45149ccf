/** What comes next for a task: docs/contracts/study.md, "Study tasks". */
import type { Context } from '../context.ts'
import type { ItemProgress } from '../courses/progress.ts'
import { courseProvider, type ItemState } from '../courses/provider.ts'
import { failure } from '../tasks/failures.ts'
import { labelOf } from './plan.ts'
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
  const provider = courseProvider(ctx)
  let candidates: Candidate[] = due.map(begin)
  while (candidates.length > 0) {
    const atItem = candidates.filter((one) => {
      const isAtEnd = one.place.itemIndex >= one.due.run.items.length
      if (isAtEnd) done(one.due.run, transitionOf({ ...one, place: endOf(one) }, 'completed'))
      return !isAtEnd
    })
    const states = await provider.states(
      atItem.map(({ due: { run }, place }) => {
        const { courseId, itemId } = run.items[place.itemIndex]!
        return { userId: run.userId, courseId, itemId }
      }),
    )
    candidates = []
    for (const [i, candidate] of atItem.entries()) {
      const next = decide(ctx, candidate, states[i]!)
      if (next === undefined) done(candidate.due.run, undefined)
      else if ('due' in next) candidates.push(next)
      else done(candidate.due.run, next)
    }
  }
}

function begin(due: Due): Candidate {
  const { run } = due
  if (run.phase === 'waiting') return { due, place: placeOf(run), notes: [], progress: [] }
  const { courseId, itemId } = run.items[run.itemIndex]!
  const progress = { userId: run.userId, courseId, itemId, position: run.itemDuration, isDone: true }
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
