import { timezoneNamed } from '../../../core/agenda/times.ts'
import { type AgentFrame, endsRun } from '../../../core/agent/ag-ui.ts'
import {
  type AgentRun,
  type AgentSession,
  latestRun,
  listSessions,
  ownSession,
  readMessages,
} from '../../../core/agent/sessions.ts'
import type { Context } from '../../../core/context.ts'
import { mayGoOn } from '../../../http/authenticate.ts'
import { type Body, chapter, type Params, type Query, type SignedCall } from '../../../http/chapter.ts'
import { neverIdle } from '../../../http/idle.ts'
import { languageOf } from '../../../http/language.ts'
import { Page, PageQuery, pageOf } from '../../../http/models.ts'
import { eventStream, wantsStream } from '../../../http/sse.ts'
import { runtime } from '../contract.ts'
import { presentAnswer, runEvents } from './events.ts'
import { Answer, Cancelled, Question, Session, SessionDetail, SessionId } from './models.ts'
import { presentRun, presentSession, presentSessionDetail } from './presenters.ts'

const { routes, route } = chapter(runtime, 'agent')

export const agentChatRoutes = (ctx: Context) =>
  routes(ctx, '/agent-chats')
    .post(
      '',
      ask,
      route({
        auth: true,
        summary: 'Ask the agent; with "Accept: text/event-stream" as AG-UI events while it answers',
        body: Question,
        example: { message: '明天上午九点提醒我开会', timezone: 'Asia/Shanghai' },
        streams: true,
        response: Answer,
        errors: ['NOT_FOUND', 'RUN_IN_PROGRESS', 'RATE_LIMITED'],
      }),
    )
    .get(
      '',
      listAll,
      route({
        auth: true,
        summary: 'List your conversations, the last used first',
        query: PageQuery,
        response: Page(Session),
      }),
    )
    .get(
      '/:session_id',
      showOne,
      route({
        auth: true,
        summary:
          'Read a conversation; with "Accept: text/event-stream" its newest answer, from Last-Event-ID on',
        params: SessionId,
        requestHeaders: { 'Last-Event-ID': 'optional' },
        streams: true,
        answers: { 204: { description: 'Nothing is left to stream after Last-Event-ID' } },
        response: SessionDetail,
      }),
    )
    .post(
      '/:session_id/cancel',
      cancelRun,
      route({
        auth: true,
        summary: 'Stop the answer that is being made, from anywhere',
        params: SessionId,
        response: Cancelled,
      }),
    )

async function ask({ ctx, principal, body, request, server }: SignedCall & Body<typeof Question>) {
  const { services } = ctx
  const started = await services.agentRuns.start(principal, {
    message: body.message,
    sessionId: body.session_id ?? undefined,
    timezone: timezoneNamed(body.timezone ?? 'UTC'),
    language: languageOf(request, runtime.language),
  })
  const follow = (signal: AbortSignal) =>
    services.agentFeed.follow(started.sessionId, started.firstSeq - 1, signal, started.frames)
  if (wantsStream(request)) {
    return eventStream(request, (signal) => runEvents(follow(signal), started.runId))
  }
  // A model may think for longer than Bun's idle time limit.
  const run = await neverIdle(server, request, () => untilEnd(follow(request.signal)))
  await mayGoOn(request)
  return { session_id: started.sessionId, ...presentAnswer(run) }
}

/** The frames of a run, up to the one that ends it. */
async function untilEnd(frames: AsyncIterable<AgentFrame>): Promise<AgentFrame[]> {
  const run: AgentFrame[] = []
  for await (const frame of frames) {
    run.push(frame)
    if (endsRun(frame.event)) break
  }
  return run
}

async function listAll({ ctx, principal, query }: SignedCall & Query<typeof PageQuery>) {
  const { sessions, total } = await listSessions(ctx, principal.userId, {
    page: query.page,
    pageSize: query.page_size,
  })
  return pageOf(sessions.map(presentSession), total, query)
}

async function showOne({ ctx, principal, params, request }: SignedCall & Params<typeof SessionId>) {
  const session = await ownSession(ctx, principal, params.session_id)
  const run = await latestRun(ctx, session.id)
  if (run && wantsStream(request)) return resumeRun(ctx, request, session, run)
  return presentSessionDetail(session, run, await readMessages(ctx, session.id))
}

/** The newest answer as a stream, from the frame after `Last-Event-ID`. */
async function resumeRun(
  ctx: Context,
  request: Request,
  session: AgentSession,
  run: AgentRun,
): Promise<Response> {
  const { agentFeed } = ctx.services
  const last = Number(request.headers.get('last-event-id') ?? Number.NaN)
  const after = Number.isSafeInteger(last) && last >= 0 ? last : run.firstSeq - 1
  // The run has ended, and the client has all of its frames or the server has deleted them. A stream would never end.
  if (run.status !== 'running' && !(await agentFeed.hasAfter(session.id, after))) {
    return new Response(null, { status: 204 })
  }
  return eventStream(request, (signal) => runEvents(agentFeed.follow(session.id, after, signal), run.id))
}

async function cancelRun({
  ctx,
  principal,
  params,
}: SignedCall & Params<typeof SessionId>): Promise<Cancelled> {
  const { sessionId, run } = await ctx.services.agentRuns.cancel(principal, params.session_id)
  return { session_id: sessionId, run: run ? presentRun(run) : null }
}
