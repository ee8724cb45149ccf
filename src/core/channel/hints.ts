import { defineHint } from '../../bus/bus.ts'
import type { LoggedEvent } from './log.ts'

/** The channel log grew by these events. */
export const eventsHint = defineHint<LoggedEvent[]>('events')
