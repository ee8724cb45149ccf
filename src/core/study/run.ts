import type { NOT_OPEN_ACTIONS, ProviderName, StudyItem } from '../../db/schema/index.ts'
import { shownProgress, type TaskState } from '../tasks/progress.ts'
import { percentAt, positionAt, type StudyRun } from '../tasks/study-runs.ts'
import { isFinished, labelOf } from './plan.ts'

/** A place in the plan: an item, where the learner is in it, and what is done besides. Seconds. */
export interface Place {
  /** The number of items when the task is at its end. */
  itemIndex: number
  itemPosition: number
  itemDuration: number
  doneSeconds: number
  totalSeconds: number
}

/** A study task that this server runs. */
export interface Run extends StudyRun, Place {
  taskId: number
  taskUuid: string
  userId: number
  attempt: number
  provider: ProviderName
  items: StudyItem[]
  phase: 'playing' | 'waiting'
  notOpenAction: (typeof NOT_OPEN_ACTIONS)[number]
  currentItem: string
  /** What the log already tells about an item that the task waits for. */
  noted: 'waiting' | 'unreachable' | undefined
  /** How often the server has asked for the item that the task waits for. */
  asked: number
  /** When the other servers were told last how the task stands. */
  announcedAt: number
}

const WAITING = '⏳ '

export const currentItemOf = (item: StudyItem | undefined, waits: boolean): string =>
  item ? (waits ? WAITING : '') + labelOf(item) : ''

/** Another server may have told the log that the task waits. */
export const notedIn = (currentItem: string): Run['noted'] =>
  currentItem.startsWith(WAITING) ? 'waiting' : undefined

/** The first item that the learner has not finished. */
export function firstPlace(items: StudyItem[]): Place {
  const sum = (pick: (item: StudyItem) => number) => items.reduce((total, item) => total + pick(item), 0)
  return enter(items, 0, {
    doneSeconds: sum(({ position }) => position),
    totalSeconds: sum(({ duration }) => duration),
  })
}

/** The place after the one whose item has been played to its end, or skipped. */
export const placeAfter = (items: StudyItem[], place: Place): Place =>
  enter(items, place.itemIndex + 1, {
    doneSeconds: place.doneSeconds + place.itemDuration,
    totalSeconds: place.totalSeconds,
  })

/** The same place, now that the duration of its item is known. */
export const withDuration = (place: Place, duration: number): Place => ({
  ...place,
  itemDuration: duration,
  itemPosition: Math.min(place.itemPosition, duration),
  totalSeconds: place.totalSeconds + duration - place.itemDuration,
})

function enter(
  items: StudyItem[],
  from: number,
  { doneSeconds, totalSeconds }: Pick<Place, 'doneSeconds' | 'totalSeconds'>,
): Place {
  let itemIndex = from
  while (itemIndex < items.length && isFinished(items[itemIndex]!)) itemIndex++
  const { position = 0, duration = 0 } = items[itemIndex] ?? {}
  return {
    itemIndex,
    itemPosition: position,
    itemDuration: duration,
    // What was done of the item moves from the sum to the position.
    doneSeconds: doneSeconds - position,
    totalSeconds,
  }
}

/** When the item of a playing run ends, on the clock of this process. */
export const endOf = ({ beganMs, itemDuration, itemPosition, speed }: Run): number =>
  beganMs + ((itemDuration - itemPosition) / speed) * 1000

/** How the task stands and how it moves, for every server. */
export const stateOf = (run: Run): TaskState => ({
  attempt: run.attempt,
  progress: shownProgress(percentAt(run, positionAt(run, performance.now()))),
  currentItem: run.currentItem,
  run: {
    revision: run.revision,
    phase: run.phase,
    itemPosition: run.itemPosition,
    itemDuration: run.itemDuration,
    doneSeconds: run.doneSeconds,
    totalSeconds: run.totalSeconds,
    speed: run.speed,
    runnerId: run.runnerId,
    beganMs: run.beganMs,
  },
})
