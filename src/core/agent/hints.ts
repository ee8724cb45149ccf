import { defineHint } from '../../bus/bus.ts'
import type { AgentFrame } from './ag-ui.ts'

/** Sessions of the agent have these new frames, oldest first. */
export const agentFramesHint = defineHint<{ sessionId: string; frames: AgentFrame[] }[]>('agent')

/** Tells the server of this run to cancel it. */
export const cancelRunHint = defineHint<{ runId: string }>('agent_cancel')
