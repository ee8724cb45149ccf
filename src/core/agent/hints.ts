import { defineHint } from '../../bus/bus.ts'
import type { AgentFrame } from './ag-ui.ts'

/** Sessions of the agent have these new frames, oldest first. */
export const agentFramesHint = defineHint<{ sessionId: string; frames: AgentFrame[] }[]>('agent')

/** The server that runs it stops the run. */
export const cancelRunHint = defineHint<{ runId: string }>('agent_cancel')
