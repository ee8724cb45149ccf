/** Makes the request to an OpenAI-compatible API, in a form that the strictest APIs accept and within a size limit. */

import { cutText } from '../util/cut.ts'
import { storable } from '../util/storable.ts'
import { instructions } from './instructions.ts'
import type { ChatMessage, Turn } from './model.ts'
import { toolName } from './tool-calls.ts'

/** Characters of messages and tools as JSON: about 15,000 tokens in English, at most four times as many in Chinese. */
const MAX_CHARACTERS = 60_000
const MAX_MESSAGES = 60
/** Lengths to which texts are cut, one after the other, when the newest question and its tool results alone are too long. */
const SHORTER = [2000, 200, 20]

interface ApiCall {
  id: string
  type: 'function'
  function: { name: string; arguments: string }
}

export type ApiMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string }
  | { role: 'assistant'; content: string | null; tool_calls?: ApiCall[] }
  | { role: 'tool'; tool_call_id: string; content: string }

export interface ChatRequest {
  messages: ApiMessage[]
  tools?: { type: 'function'; function: { name: string; description: string; parameters: object } }[]
}

export function chatRequest(turn: Turn): ChatRequest {
  const system: ApiMessage = { role: 'system', content: instructions(turn) }
  const tools = turn.tools.map(({ name, description, input }) => ({
    type: 'function' as const,
    function: { name, description, parameters: input as object },
  }))
  const fixed = { messages: [system], ...(tools.length > 0 && { tools }) }
  const said = fit(explained(turn.messages.map(toApi)), MAX_CHARACTERS - JSON.stringify(fixed).length)
  return { ...fixed, messages: [system, ...merged(said)] }
}

/** All text of users, tools and the model in a request. */
export const wordsOf = ({ messages }: ChatRequest): string =>
  messages
    .flatMap((message) => {
      if (message.role === 'system') return []
      const calls = message.role === 'assistant' ? (message.tool_calls ?? []) : []
      return [message.content ?? '', ...calls.map((call) => call.function.arguments)]
    })
    .join('\n')

function toApi(message: ChatMessage): ApiMessage {
  // `storable`, because half a surrogate pair makes some APIs refuse the whole conversation.
  const said = storable(message)
  if (said.role === 'user') return { role: 'user', content: said.content }
  if (said.role === 'tool')
    return { role: 'tool', tool_call_id: said.toolCallId, content: said.content || '{}' }
  const content = said.content.trim() === '' ? null : said.content
  const tool_calls = said.toolCalls.map(
    ({ id, name, input }): ApiCall => ({
      id,
      type: 'function',
      function: { name: toolName(name), arguments: JSON.stringify(input) },
    }),
  )
  return { role: 'assistant', content, ...(tool_calls.length > 0 && { tool_calls }) }
}

/** Stands between a tool's result and the next question, because some APIs refuse a question right after a result. */
const BROKEN_OFF: ApiMessage = { role: 'assistant', content: '(The answer was broken off here.)' }

const explained = (messages: ApiMessage[]): ApiMessage[] =>
  messages.flatMap((message, i) =>
    message.role === 'user' && messages[i - 1]?.role === 'tool' ? [BROKEN_OFF, message] : [message],
  )

/** Merges messages so that roles alternate, also where an answer failed and the next question follows. */
function merged(messages: ApiMessage[]): ApiMessage[] {
  const list: ApiMessage[] = []
  for (const message of messages) {
    const last = list.at(-1)
    if (message.role === 'assistant' && !message.content && !message.tool_calls) continue
    if (message.role === 'user' && last?.role === 'user') last.content += `\n\n${message.content}`
    else if (message.role === 'assistant' && last?.role === 'assistant' && !last.tool_calls) {
      list[list.length - 1] = {
        ...message,
        content: [last.content, message.content].filter(Boolean).join('\n\n') || null,
      }
    } else list.push({ ...message })
  }
  return list
}

const sizeOf = (message: ApiMessage) => JSON.stringify(message).length + 1

/** The newest questions with their answers, as many as fit. */
function fit(messages: ApiMessage[], room: number): ApiMessage[] {
  let size = 0
  let start = messages.length
  for (let i = messages.length - 1; i >= 0 && messages.length - i <= MAX_MESSAGES; i--) {
    size += sizeOf(messages[i]!)
    if (size > room) break
    if (messages[i]!.role === 'user') start = i
  }
  if (start < messages.length) return messages.slice(start)
  const newest = messages.slice(
    Math.max(
      0,
      messages.findLastIndex(({ role }) => role === 'user'),
    ),
  )
  size = newest.reduce((sum, message) => sum + sizeOf(message), 0)
  for (const length of SHORTER) {
    for (let i = 0; i < newest.length && size > room; i++) {
      size -= sizeOf(newest[i]!)
      newest[i] = shortened(newest[i]!, length)
      size += sizeOf(newest[i]!)
    }
  }
  return newest
}

/** The user's questions are never cut. */
function shortened(message: ApiMessage, length: number): ApiMessage {
  if (message.role === 'user' || message.role === 'system') return message
  if (message.role === 'tool') return { ...message, content: cutText(message.content, length, '…') }
  const content = message.content && cutText(message.content, length, '…')
  if (!message.tool_calls) return { role: 'assistant', content }
  const tool_calls = message.tool_calls.map((call) => {
    const { name, arguments: args } = call.function
    if (args.length <= length) return call
    return {
      ...call,
      function: { name, arguments: JSON.stringify({ omitted: `${args.length} characters` }) },
    }
  })
  return { role: 'assistant', content, tool_calls }
}
