import type { AgentMessage, AgentRun, AgentSession } from '../../../core/agent/sessions.ts'
import type { Message, Run, Session, SessionDetail } from './models.ts'

export const presentSession = (session: AgentSession): Session => ({
  session_id: session.id,
  title: session.title,
  created_at: session.createdAt.toISOString(),
  updated_at: session.updatedAt.toISOString(),
})

export const presentRun = (run: AgentRun): Run => ({
  run_id: run.id,
  status: run.status,
  error: run.error,
  started_at: run.startedAt.toISOString(),
  ended_at: run.endedAt?.toISOString() ?? null,
})

const presentMessage = (message: AgentMessage): Message => ({
  id: message.id,
  run_id: message.runId,
  role: message.role,
  content: message.content,
  tool_calls: (message.toolCalls ?? []).map(({ id, name, input }) => ({ id, name, input })),
  tool_call_id: message.toolCallId,
  created_at: message.createdAt.toISOString(),
})

export const presentSessionDetail = (
  session: AgentSession,
  run: AgentRun | undefined,
  messages: AgentMessage[],
): SessionDetail => ({
  ...presentSession(session),
  run: run ? presentRun(run) : null,
  seq: session.lastSeq,
  messages: messages.map(presentMessage),
})
