import type { ChatMessage, ToolCall } from '../../model/model.ts'
import { isJsonObject } from '../../util/json.ts'
import type { AgentMessage } from './sessions.ts'

/**
 * What a model is told of a session. A result stands right behind the call that it belongs to, and a call without one
 * (its server was killed, or the user has not answered) says so: models refuse anything else. What was stored otherwise
 * is mended.
 * @param answer the result of the call that the session waited for
 */
export function historyOf(
  messages: AgentMessage[],
  answer?: { toolCallId: string; content: string },
): ChatMessage[] {
  const history: ChatMessage[] = []
  const open = new Map<string, ChatMessage & { role: 'tool' }>()
  const used = new Set<string>()
  const settle = (id: string | null, content: string) => {
    const place = open.get(id ?? '')
    if (place && content !== '') place.content = content
    open.delete(id ?? '')
  }
  for (const { role, content, toolCalls, toolCallId } of messages) {
    if (role === 'tool') settle(toolCallId, content)
    else if (role === 'user') history.push({ role, content })
    else {
      const calls = (toolCalls ?? []).map(({ id, name, input }): ToolCall => {
        const own = used.has(id) || id === '' ? newCallId() : id
        used.add(own)
        return { id: own, name, input: isJsonObject(input) ? input : {} }
      })
      history.push({ role, content, toolCalls: calls })
      for (const [i, { id, name }] of calls.entries()) {
        const place = { role: 'tool' as const, toolCallId: id, toolName: name, content: NOT_DONE }
        open.set(toolCalls![i]!.id, place)
        history.push(place)
      }
    }
  }
  if (answer) settle(answer.toolCallId, answer.content)
  return history
}

const NOT_DONE = '{"error":"This call was not carried out."}'

/**
 * Not the model's own: some count their calls anew in every answer, and a session is told by these which result
 * belongs to which call. Some take no longer ones.
 */
export const newCallId = (): string => crypto.randomUUID().replaceAll('-', '').slice(0, 9)
