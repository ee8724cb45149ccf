/** What the strictest OpenAI-compatible APIs refuse in a request. */

interface Call {
  id: unknown
  type: unknown
  function: { name: unknown; arguments: unknown }
}
export interface ChatRequestMessage {
  role: string
  content: unknown
  tool_calls?: Call[]
  tool_call_id?: string
}
export interface ModelRequest {
  messages: ChatRequestMessage[]
  tools?: { function: { name: string; parameters: unknown } }[]
  model: string
  max_tokens?: number
  max_completion_tokens?: number
}

const NAME = /^[\w-]{1,64}$/
const isText = (value: unknown) => typeof value === 'string' && value.trim() !== ''

/** Everything that is wrong with a request; empty: nothing. */
export function faultsOf(body: ModelRequest): string[] {
  const faults: string[] = []
  const fault = (place: number, text: string) => faults.push(`messages[${place}] ${text}`)
  const ids = new Set<unknown>()
  let unanswered: unknown[] = []
  body.messages.forEach((message, i) => {
    const { role, content, tool_calls, tool_call_id } = message
    const before = body.messages[i - 1]?.role
    if (role === 'tool') {
      if (!unanswered.includes(tool_call_id)) fault(i, `answers no call: ${tool_call_id}`)
      unanswered = unanswered.filter((id) => id !== tool_call_id)
      if (!isText(content)) fault(i, 'has no content')
      return
    }
    if (unanswered.length > 0) fault(i, `comes before the answers to ${unanswered}`)
    if ((role === 'system') !== (i === 0)) fault(i, `has the role ${role}`)
    if (role === 'user' && before !== 'system' && before !== 'assistant') fault(i, `follows ${before}`)
    if (role === 'assistant' && before !== 'user' && before !== 'tool') fault(i, `follows ${before}`)
    if (!isText(content) && !(content === null && tool_calls)) fault(i, 'has no content')
    if (tool_calls?.length === 0) fault(i, 'has an empty list of calls')
    for (const call of tool_calls ?? []) {
      const { name, arguments: args } = call.function
      if (call.type !== 'function' || typeof call.id !== 'string' || !NAME.test(call.id))
        fault(i, 'has an odd call')
      if (ids.has(call.id)) fault(i, `repeats the id ${call.id}`)
      ids.add(call.id)
      if (typeof name !== 'string' || !NAME.test(name)) fault(i, `calls ${JSON.stringify(name)}`)
      if (!isObjectText(args)) fault(i, `has arguments that are no object: ${JSON.stringify(args)}`)
      unanswered.push(call.id)
    }
  })
  if (unanswered.length > 0) faults.push(`calls without an answer: ${unanswered}`)
  const last = body.messages.at(-1)?.role
  if (last !== 'user' && last !== 'tool') faults.push(`the last message is of ${last}`)
  const text = JSON.stringify({ messages: body.messages, tools: body.tools })
  if (/\\ud[89a-f]/i.test(text)) faults.push('half a surrogate pair')
  if (text.length > 60_000) faults.push(`${text.length} characters`)
  return faults
}

function isObjectText(args: unknown): boolean {
  try {
    const value: unknown = JSON.parse(args as string)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
