/** The events of a run, in AG-UI's types. Each event becomes one frame. */
import { type AGUIEvent, EventType, type Interrupt, PROTOCOL_VERSION } from '@ag-ui/core'

export type AgentEvent = AGUIEvent

/** A stored frame of a session. */
export interface AgentFrame {
  /** Grows without gaps over all runs of a session. */
  seq: number
  runId: string
  /** JSON text. */
  event: string
}

export { EventType, type Interrupt }

/** The first event of a run. */
export const runStarted = (threadId: string, runId: string): AgentEvent => ({
  type: EventType.RUN_STARTED,
  threadId,
  runId,
  protocolVersion: PROTOCOL_VERSION,
})

/** Whether the event is the last one of its run. */
export const endsRun = (event: string): boolean =>
  event.startsWith(`{"type":"${EventType.RUN_FINISHED}"`) ||
  event.startsWith(`{"type":"${EventType.RUN_ERROR}"`)
