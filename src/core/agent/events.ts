/** The events of a run, in AG-UI's types; one becomes one frame. */
import { type AGUIEvent, EventType } from '@ag-ui/core'

export type AgentEvent = AGUIEvent

/** `seq` grows without gaps over all runs of a session. */
export type { AgentFrame as Frame } from '../../bus/bus.ts'
export { EventType }

/** No frame of its run comes after it. */
export const endsRun = (event: string): boolean =>
  event.startsWith(`{"type":"${EventType.RUN_FINISHED}"`) ||
  event.startsWith(`{"type":"${EventType.RUN_ERROR}"`)
