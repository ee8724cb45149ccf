import type { Language } from '../../util/language.ts'
import type { ChatMessage, Turn, TurnPart } from '../model.ts'
import type { Intent } from './intent.ts'
import { inARow, PHRASES, speak } from './phrases.ts'
import { startOffered } from './tasks.ts'
import { languageOfText, understand } from './understand.ts'

type Result = ChatMessage & { role: 'tool' }

/** The text and tool calls of the built-in agent after these messages. */
export function* takeTurn(turn: Turn): Generator<TurnPart> {
  const { messages } = turn
  const asked = messages.findLast((message) => message.role === 'user')?.content ?? ''
  const language = languageOfText(asked, turn.language)
  const last = messages.at(-1)!
  if (last.role === 'tool') return yield* afterTool(turn, last, asked, language)
  const before = messages.at(-2)
  const isDeclined = before?.role === 'tool' && before.content.startsWith('{"declined"')
  if (isDeclined) yield* say(`${PHRASES[language].declined}\n\n`)
  const intent = understand(asked, turn)
  if (isDeclined && (intent.kind === 'unknown' || intent.kind === 'declined')) return
  yield* answer(intent, language)
}

function* answer(intent: Intent, language: Language): Generator<TurnPart> {
  if (intent.kind === 'call') yield { type: 'tool_call', name: intent.name, input: intent.input }
  // The overview of the nodes says which task types they offer.
  else if (intent.kind === 'start') yield { type: 'tool_call', name: 'gpu_overview', input: {} }
  else yield* say(speak(intent.kind, language))
}

function* afterTool(turn: Turn, last: Result, asked: string, language: Language): Generator<TurnPart> {
  const intent = understand(asked, turn)
  const result = parsed(last.content)
  if (intent.kind === 'start' && last.toolName === 'gpu_overview' && result) {
    const types = (result.task_types as string[] | undefined) ?? []
    const start = startOffered(intent.request, intent.named, types)
    if (start.kind !== 'which_type') return yield* answer(start, language)
    return yield* say(inARow(language, speak('which_type', language), PHRASES[language].types(types)))
  }
  const told = result ? tell(turn, last, result, language) : last.content
  const isUnfiltered = intent.kind === 'call' && intent.isUnfiltered
  yield* say(isUnfiltered ? `${PHRASES[language].unfiltered}\n\n${told}` : told)
}

function tell(
  { messages, timezone }: Turn,
  { toolCallId, toolName }: Result,
  result: Record<string, unknown>,
  language: Language,
): string {
  const phrases = PHRASES[language]
  if (result.error !== undefined) return phrases.failed(String(result.error))
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? message.toolCalls : []))
  const input = calls.find(({ id }) => id === toolCallId)?.input
  return phrases.results[toolName]!(result as never, timezone, input as never)
}

/** Parses a tool's result; undefined when it was cut because it was too long. */
function parsed(content: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(content)
  } catch {
    return undefined
  }
}

/** Line by line, as a model would speak token by token. */
function* say(text: string): Generator<TurnPart> {
  for (const delta of text.split(/(?<=\n)/)) yield { type: 'text', delta }
}
