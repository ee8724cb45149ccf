/** Events of the user's channel. The events of a run itself are AG-UI's: `ag-ui.ts`. */
export interface AgentEvents {
  'agent.run_finished': {
    sessionId: string
    runId: string
    status: 'completed' | 'failed' | 'cancelled'
    /** A code when the run failed. */
    error: string | null
  }
}
