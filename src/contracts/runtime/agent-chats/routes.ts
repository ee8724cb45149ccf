import { Elysia, t } from 'elysia'
import { userOfSession } from '../../../core/accounts/access-tokens.ts'
import type { Principal } from '../../../core/accounts/principals.ts'
import { timezoneNamed } from '../../../core/agenda/times.ts'
import { endsRun, type Frame } from '../../../core/agent/events.ts'
import {
  type AgentMessage,
  type AgentRun,
  type AgentSession,
  latestRun,
  listSessions,
  ownSession,
  readMessages,
} from '../../../core/agent/sessions.ts'
import type { Context } from '../../../core/context.ts'
import { guard } from '../../../http/authenticate.ts'
import { choice } from '../../../http/choice.ts'
import { languageOf } from '../../../http/language.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { Page, pageOf, pageQuery } from '../../../http/pagination.ts'
import { eventStream, wantsStream } from '../../../http/sse.ts'
import { runtime } from '../contract.ts'
import { nullable, optional } from '../models.ts'
import { ChatEvent, presentRun, runEvents } from './events.ts'

const Timestamp = t.String({ format: 'date-time' })
const RunStatus = choice(['running', 'completed', 'failed', 'cancelled'])

const Answer = t.Object({ session_id: t.String(), output: t.String(), events: t.Array(ChatEvent) })
const Session = t.Object({
  session_id: t.String(),
  title: t.String(),
  created_at: Timestamp,
  updated_at: Timestamp,
})
const Run = t.Object({
  run_id: t.String(),
  status: RunStatus,
  /** A code. */
  error: nullable(t.String()),
  started_at: Timestamp,
  ended_at: nullable(Timestamp),
})
const SessionDetail = t.Composite([
  Session,
  t.Object({
    /** The newest run. */
    run: nullable(Run),
    /** The number of the newest frame: what a live subscription goes on from. */
    seq: t.Integer(),
    messages: t.Array(
      t.Object({
        id: t.String(),
        run_id: t.String(),
        role: choice(['user', 'assistant', 'tool']),
        content: t.String(),
        tool_calls: t.Array(t.Object({ id: t.String(), name: t.String(), input: t.Any() })),
        tool_call_id: nullable(t.String()),
        created_at: Timestamp,
      }),
    ),
  }),
])

named({
  AgentAnswer: Answer,
  AgentEvent: ChatEvent,
  AgentSession: Session,
  AgentRun: Run,
  AgentSessionDetail: SessionDetail,
})

const presentSession = (session: AgentSession) => ({
  session_id: session.id,
  title: session.title,
  created_at: session.createdAt.toISOString(),
  updated_at: session.updatedAt.toISOString(),
})
const presentStatus = (run: AgentRun) => ({
  run_id: run.id,
  status: run.status,
  error: run.error,
  started_at: run.startedAt.toISOString(),
  ended_at: run.endedAt?.toISOString() ?? null,
})
const presentMessage = (message: AgentMessage) => ({
  id: message.id,
  run_id: message.runId,
  role: message.role,
  content: message.content,
  tool_calls: message.toolCalls ?? [],
  tool_call_id: message.toolCallId,
  created_at: message.createdAt.toISOString(),
})

const params = t.Object({ session_id: t.String({ maxLength: 64 }) })
const UUID = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'

/** From memory as a rule; while the database is away nobody is signed out. */
const signedIn =
  (ctx: Context, { sessionId }: Principal) =>
  () =>
    userOfSession(ctx, sessionId).then(
      (user) => user !== undefined,
      () => true,
    )

export const agentChatRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/agent-chats' })
    .use(guard(ctx))
    .post(
      '',
      async ({ principal, body, request, server }) => {
        const { message } = body
        const timezone = timezoneNamed(body.timezone ?? 'UTC')
        const sessionId = body.session_id ?? undefined
        const language = languageOf(request, runtime.language)
        const started = await ctx.services.agentRuns.start(principal, {
          message,
          sessionId,
          timezone,
          language,
        })
        const follow = (signal: AbortSignal) =>
          ctx.services.agentFeed.follow(started.sessionId, started.firstSeq - 1, signal)
        if (wantsStream(request)) {
          const source = (signal: AbortSignal) => runEvents(follow(signal), started.runId)
          return eventStream(request, source, signedIn(ctx, principal))
        }
        // A model may think for longer than a connection may be silent.
        server?.timeout(request, 0)
        const run: Frame[] = []
        for await (const frame of follow(request.signal)) {
          run.push(frame)
          if (endsRun(frame.event)) break
        }
        return { session_id: started.sessionId, ...presentRun(run) }
      },
      {
        auth: true,
        body: t.Object({
          message: t.String({ minLength: 1, maxLength: 8000, pattern: '\\S' }),
          session_id: optional(t.String({ pattern: UUID })),
          timezone: optional(t.String({ maxLength: 64 })),
        }),
        detail: runtime.describe({
          summary: 'Ask the agent; with "Accept: text/event-stream" as AG-UI events while it answers',
          tag: 'agent',
          streams: true,
          example: { message: '明天上午九点提醒我开会', timezone: 'Asia/Shanghai' },
          response: Answer,
          errors: [
            'AUTHENTICATION_REQUIRED',
            'VALIDATION_FAILED',
            'NOT_FOUND',
            'RUN_IN_PROGRESS',
            'RATE_LIMITED',
          ],
        }),
      },
    )
    .get(
      '',
      async ({ principal, query }) => {
        const { sessions, total } = await listSessions(ctx, principal.userId, {
          page: query.page,
          pageSize: query.page_size,
        })
        return pageOf(sessions.map(presentSession), total, query)
      },
      {
        auth: true,
        query: t.Object(pageQuery),
        detail: runtime.describe({
          summary: 'List your conversations, the last used first',
          tag: 'agent',
          response: Page(Session),
          errors: ['AUTHENTICATION_REQUIRED', 'VALIDATION_FAILED'],
        }),
      },
    )
    .get(
      '/:session_id',
      async ({ principal, params, request }) => {
        const session = await ownSession(ctx, principal, params.session_id)
        const run = await latestRun(ctx, session.id)
        if (run && wantsStream(request)) {
          const last = Number(request.headers.get('last-event-id') ?? Number.NaN)
          const after = Number.isSafeInteger(last) && last >= 0 ? last : run.firstSeq - 1
          // Everything has been had, or is kept no more: an empty answer, not one that waits for ever.
          if (run.status !== 'running' && !(await ctx.services.agentFeed.hasAfter(session.id, after))) {
            return new Response(null, { status: 204 })
          }
          const source = (signal: AbortSignal) =>
            runEvents(ctx.services.agentFeed.follow(session.id, after, signal), run.id)
          return eventStream(request, source, signedIn(ctx, principal))
        }
        return {
          ...presentSession(session),
          run: run ? presentStatus(run) : null,
          seq: session.lastSeq,
          messages: (await readMessages(ctx, session.id)).map(presentMessage),
        }
      },
      {
        auth: true,
        params,
        detail: runtime.describe({
          summary:
            'Read a conversation; with "Accept: text/event-stream" its newest answer, from Last-Event-ID on',
          tag: 'agent',
          streams: true,
          answers: { 204: { description: 'Nothing is left to stream after Last-Event-ID' } },
          response: SessionDetail,
          errors: ['AUTHENTICATION_REQUIRED', 'NOT_FOUND'],
        }),
      },
    )
    .post(
      '/:session_id/cancel',
      async ({ principal, params }) => {
        const run = await ctx.services.agentRuns.cancel(principal, params.session_id)
        return { session_id: params.session_id.toLowerCase(), run: run ? presentStatus(run) : null }
      },
      {
        auth: true,
        params,
        detail: runtime.describe({
          summary: 'Stop the answer that is being made, from anywhere',
          tag: 'agent',
          response: t.Object({ session_id: t.String(), run: nullable(Run) }),
          errors: ['AUTHENTICATION_REQUIRED', 'NOT_FOUND'],
        }),
      },
    )
