import { Elysia } from 'elysia'
import type { AgentRuns } from '../../core/agent/runs.ts'
import type { Core } from '../../core/context.ts'
import { agentChatRoutes } from './agent-chats.ts'
import { healthRoutes } from './health.ts'
import { inviteCodeRoutes } from './invite-codes.ts'
import { passwordResetRoutes } from './password-reset.ts'
import { scheduleFeedRoutes } from './schedule-feed.ts'
import { scheduleItemRoutes } from './schedule-items.ts'
import { sessionRoutes } from './sessions.ts'
import { signupRoutes } from './signup.ts'
import { userRoutes } from './users.ts'

/** runtime.md, under `/api/v1`. */
export const runtimeRoutes = (ctx: Core, agentRuns: AgentRuns) =>
  new Elysia()
    .use(signupRoutes(ctx))
    .use(sessionRoutes(ctx))
    .use(passwordResetRoutes(ctx))
    .use(scheduleFeedRoutes(ctx))
    .use(scheduleItemRoutes(ctx))
    .use(userRoutes(ctx))
    .use(inviteCodeRoutes(ctx))
    .use(agentChatRoutes(ctx, agentRuns))
    .use(healthRoutes(ctx))
