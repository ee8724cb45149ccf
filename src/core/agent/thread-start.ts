import type { Actor } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { message } from '../messages.ts'
import type { Consent } from './consent.ts'
import {
  type Asking,
  type RunStart,
  type Said,
  startInNewSession,
  startInSession,
  tooManyRuns,
  type WaitingCall,
} from './run-start.ts'
import { type AgentMessage, findOwnSession, sessionIdOf } from './sessions.ts'

/** What a client of AG-UI sends: it keeps the conversation too, and sends all of it each time. */
export interface ThreadAsk extends Asking {
  threadId: string
  /** The user's messages behind the last answer that the client has, oldest first. */
  messages: { id: string; content: string }[]
  /** Answers to questions. */
  consents: Consent[]
}

/** The text of messages that are one question. */
export const asOne = (messages: ThreadAsk['messages']): string =>
  messages.map(({ content }) => content).join('\n\n')

/**
 * Starts a run with what the session does not have yet.
 * @returns undefined when the session has all of it
 * @throws AppError RUN_IN_PROGRESS, CONFIRMATION_OPEN, RATE_LIMITED
 */
export async function startInThread(ctx: Context, who: Actor, ask: ThreadAsk): Promise<RunStart | undefined> {
  const say = (past: AgentMessage[], waiting: WaitingCall | undefined) => saidIn(ask, past, waiting)
  const known = await findOwnSession(ctx, who, ask.threadId)
  if (known) return startInSession(ctx, who, known.id, ask, say)
  const said = say([], undefined)
  if (!said) return undefined
  const id = sessionIdOf(who, ask.threadId)
  const start = await startInNewSession(ctx, who, ask, said, id)
  if (start) return start
  // Another request may have made the session in the meantime.
  if (await findOwnSession(ctx, who, id)) return startInSession(ctx, who, id, ask, say)
  throw tooManyRuns()
}

function saidIn(
  { messages, consents, language }: ThreadAsk,
  past: AgentMessage[],
  waiting: WaitingCall | undefined,
): Said | undefined {
  const known = new Set(past.flatMap(({ id, clientId }) => [id, clientId]))
  const fresh = messages.slice(messages.findLastIndex(({ id }) => known.has(id)) + 1)
  const consent = waiting && consents.find(({ toolCallId }) => toolCallId === waiting.toolCallId)
  const last = fresh.at(-1)
  if (!last && !consent) return undefined
  // A client that does not answer the question has not seen it, so what it says is no answer.
  if (waiting && !consent) throw new AppError('CONFIRMATION_OPEN')
  const confirmed = consent?.confirmed ?? false
  if (!last) {
    const word = message(confirmed ? 'confirmation_yes' : 'confirmation_no', language)
    return { message: word, confirmed, isWhole: true }
  }
  return { message: asOne(fresh), clientId: last.id, confirmed, isWhole: false }
}
