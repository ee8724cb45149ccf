/** What a client of AG-UI sends, as the core takes it. */
import { timezoneNamed } from '../../../core/agenda/times.ts'
import type { Consent } from '../../../core/agent/consent.ts'
import { asOne, type ThreadAsk } from '../../../core/agent/thread-start.ts'
import { invalid } from '../../../core/errors.ts'
import type { Language } from '../../../core/messages.ts'
import { cutText } from '../../../util/cut.ts'
import { isJsonObject } from '../../../util/json.ts'
import type { RunAgentInput } from './models.ts'

/** As of a question to `/agent-chats`. */
const MAX_MESSAGE = 8000
const MAX_BACKGROUND = 4000

/** @throws AppError VALIDATION_FAILED */
export function readInput(input: RunAgentInput, language: Language): ThreadAsk {
  const { threadId, messages, context, forwardedProps, resume } = input
  const zone = isJsonObject(forwardedProps) ? forwardedProps.timezone : undefined
  const asked = messages
    .slice(messages.findLastIndex(({ role }) => role === 'assistant' || role === 'tool') + 1)
    .filter(({ role }) => role === 'user')
    .map(({ id, content }) => ({ id, content: textOf(content) }))
    .filter(({ content }) => content.trim() !== '')
  if ([...asOne(asked)].length > MAX_MESSAGE) {
    throw invalid('messages', 'max_length', { limit: MAX_MESSAGE })
  }
  return {
    threadId,
    messages: asked,
    consents: (resume ?? []).map(readConsent),
    language,
    timezone: timezoneNamed(typeof zone === 'string' ? zone : 'UTC', 'forwardedProps.timezone'),
    background: cutText(
      (context ?? []).map(({ description, value }) => `${description}: ${value}`).join('\n'),
      MAX_BACKGROUND,
    ),
  }
}

const textOf = (content: RunAgentInput['messages'][number]['content']): string =>
  Array.isArray(content)
    ? content.map(({ type, text }) => (type === 'text' ? (text ?? '') : '')).join('')
    : typeof content === 'string'
      ? content
      : ''

const readConsent = ({
  interruptId,
  status,
  payload,
}: NonNullable<RunAgentInput['resume']>[number]): Consent => ({
  toolCallId: interruptId,
  confirmed: status === 'resolved' && isJsonObject(payload) && payload.approved === true,
})
