import { Elysia } from 'elysia'
import type { Context } from '../../core/context.ts'
import { agUiRoutes } from './ag-ui/routes.ts'
import { agentChatRoutes } from './agent-chats/routes.ts'
import { healthRoutes } from './health/routes.ts'
import { inviteCodeRoutes } from './invite-codes/routes.ts'
import { passwordResetRoutes } from './password-reset/routes.ts'
import { scheduleFeedRoutes } from './schedule/feed.ts'
import { scheduleItemRoutes } from './schedule/routes.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { userRoutes } from './users/routes.ts'
import { verificationRoutes } from './verifications/routes.ts'

/** The runtime contract's routes under `/api/v1`: docs/contracts/runtime.md. */
export const runtimeRoutes = (ctx: Context) =>
  new Elysia()
    .use(verificationRoutes(ctx))
    .use(sessionRoutes(ctx))
    .use(passwordResetRoutes(ctx))
    .use(scheduleFeedRoutes(ctx))
    .use(scheduleItemRoutes(ctx))
    .use(userRoutes(ctx))
    .use(inviteCodeRoutes(ctx))
    .use(agentChatRoutes(ctx))
    .use(agUiRoutes(ctx))
    .use(healthRoutes(ctx))
