import type { AgentEvents } from '../../core/agent/events.ts'
import type { EventPresenters } from './presenters.ts'

export const agentEvents: EventPresenters<AgentEvents> = {
  'agent.run_finished': ({ sessionId, runId, status, error }) => ({
    session_id: sessionId,
    run_id: runId,
    status,
    error,
  }),
}
