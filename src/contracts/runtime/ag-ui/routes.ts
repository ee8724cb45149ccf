import { readThread } from '../../../core/agent/thread.ts'
import type { Context } from '../../../core/context.ts'
import { type Body, chapter, type SignedCall } from '../../../http/chapter.ts'
import { languageOf } from '../../../http/language.ts'
import { eventStream } from '../../../http/sse.ts'
import { runtime } from '../contract.ts'
import { runEvents, threadEvents } from './events.ts'
import { readInput } from './input.ts'
import { Capabilities, EventStream, RunAgentInput } from './models.ts'
import { presentCapabilities } from './presenters.ts'

const { routes, route } = chapter(runtime, 'agent')

export const agUiRoutes = (ctx: Context) =>
  routes(ctx, '/ag-ui')
    .post(
      '',
      runAgent,
      route({
        auth: true,
        id: 'runAgent',
        summary:
          "Ask the agent as clients of AG-UI do; without anything new, get the conversation and the answer's rest",
        body: RunAgentInput,
        example: {
          threadId: 'my-thread',
          runId: 'my-run',
          messages: [{ id: 'my-message', role: 'user', content: '明天上午九点提醒我开会' }],
          forwardedProps: { timezone: 'Asia/Shanghai' },
        },
        contentType: 'text/event-stream',
        response: EventStream,
        errors: ['RUN_IN_PROGRESS', 'CONFIRMATION_OPEN', 'RATE_LIMITED'],
      }),
    )
    .get(
      '',
      showCapabilities,
      route({
        auth: true,
        id: 'showAgentCapabilities',
        summary: "What the agent can do, as AG-UI's AgentCapabilities",
        response: Capabilities,
      }),
    )

async function runAgent({ ctx, principal, body, request }: SignedCall & Body<typeof RunAgentInput>) {
  const { agentRuns, agentFeed } = ctx.services
  const language = languageOf(request, runtime.language)
  const { threadId, runId } = body
  const names = { threadId, runId }
  const started = await agentRuns.startInThread(principal, readInput(body, language))
  if (started) {
    const { sessionId, firstSeq, frames } = started
    return eventStream(request, (signal) =>
      runEvents(agentFeed.follow(sessionId, firstSeq - 1, signal, frames), started.runId, names),
    )
  }
  const thread = await readThread(ctx, principal, threadId, language)
  return eventStream(request, (signal) =>
    threadEvents(
      thread,
      ({ sessionId, seq, frames }) => agentFeed.follow(sessionId, seq, signal, frames),
      names,
    ),
  )
}

const showCapabilities = () => presentCapabilities()
