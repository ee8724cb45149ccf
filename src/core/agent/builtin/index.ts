import type { Language } from '../../messages.ts'
import type { ChatMessage, ChatModel, Turn, TurnPart } from '../model.ts'
import { PHRASES, speak } from './phrases.ts'
import { languageOfText, understand } from './understand.ts'

/** Answers without a model: it understands requests for what Roost can do, and calls the same tools. */
export const builtinModel: ChatModel = {
  async *turn({ messages, language, timezone, now }: Turn): AsyncGenerator<TurnPart> {
    const asked = messages.findLast((message) => message.role === 'user')
    const tongue = languageOfText(asked?.content ?? '', language)
    const last = messages.at(-1)!
    if (last.role === 'tool')
      return yield* say(tell(last, askedWith(messages, last.toolCallId), tongue, timezone))
    const declined = messages.at(-2)
    if (declined?.role === 'tool' && declined.content.startsWith('{"declined"')) {
      yield* say(`${PHRASES[tongue].declined}\n\n`)
    }
    const intent = understand(last.content, { timezone, now })
    if (intent.kind !== 'call') {
      if (declined?.role === 'tool' && (intent.kind === 'unknown' || intent.kind === 'declined')) return
      return yield* say(speak(intent.kind, tongue))
    }
    yield { type: 'tool_call', name: intent.name, input: intent.input }
  },
}

const askedWith = (messages: ChatMessage[], id: string) =>
  messages
    .flatMap((message) => (message.role === 'assistant' ? message.toolCalls : []))
    .find((toolCall) => toolCall.id === id)?.input

function tell(
  { toolName, content }: ChatMessage & { role: 'tool' },
  input: unknown,
  language: Language,
  timezone: string,
): string {
  const phrases = PHRASES[language]
  let result: { error?: string }
  try {
    result = JSON.parse(content)
  } catch {
    // It was too long to be told whole.
    return content
  }
  if (result.error !== undefined) return phrases.failed(result.error)
  return phrases.results[toolName]!(result as never, timezone, input as never)
}

/** Line by line, as a model would speak token by token. */
function* say(text: string): Generator<TurnPart> {
  for (const delta of text.split(/(?<=\n)/)) yield { type: 'text', delta }
}
