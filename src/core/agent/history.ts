import type { ChatMessage, ToolCall } from '../../model/model.ts'
import { isJsonObject } from '../../util/json.ts'
import type { AgentMessage } from './sessions.ts'

/**
 * The messages of a session as a model gets them. Models refuse a conversation in which a call is not followed by its
 * result, so each result is put right behind its call, and a call without a result (its server was killed, or the user
 * has not answered) gets one that says so.
 * @param answer the result of the call that waited for the user's confirmation
 */
export function historyOf(
  messages: AgentMessage[],
  answer?: { toolCallId: string; content: string },
): ChatMessage[] {
  const history: ChatMessage[] = []
  const open = new Map<string, ChatMessage & { role: 'tool' }>()
  const used = new Set<string>()
  const setResult = (id: string | null, content: string) => {
    const place = open.get(id ?? '')
    if (place && content !== '') place.content = content
    open.delete(id ?? '')
  }
  for (const { role, content, toolCalls, toolCallId } of messages) {
    if (role === 'tool') setResult(toolCallId, content)
    else if (role === 'user') history.push({ role, content })
    else {
      const calls = (toolCalls ?? []).map(({ id, name, input }): ToolCall => {
        const unique = used.has(id) || id === '' ? newCallId() : id
        used.add(unique)
        return { id: unique, name, input: isJsonObject(input) ? input : {} }
      })
      history.push({ role, content, toolCalls: calls })
      for (const [i, { id, name }] of calls.entries()) {
        const place = { role: 'tool' as const, toolCallId: id, toolName: name, content: NOT_DONE }
        open.set(toolCalls![i]!.id, place)
        history.push(place)
      }
    }
  }
  if (answer) setResult(answer.toolCallId, answer.content)
  return history
}

const NOT_DONE = '{"error":"This call was not carried out."}'

/**
 * The id of a call, which says which result belongs to it. The model's own ids are not used, because some models count
 * from zero in every answer. Nine characters, because some APIs refuse longer ids.
 */
export const newCallId = (): string => crypto.randomUUID().replaceAll('-', '').slice(0, 9)
