import { Elysia } from 'elysia'
import type { AgentRuns } from '../../core/agent/runs.ts'
import type { Core } from '../../core/context.ts'
import { agentChatRoutes } from './agent-chats.ts'

/** runtime.md, under `/api/v1`. */
export const runtimeRoutes = (ctx: Core, agentRuns: AgentRuns) =>
  new Elysia().use(agentChatRoutes(ctx, agentRuns))
