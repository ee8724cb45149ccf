import { unanswered } from '../../../../client/index.ts'
import { request } from '../../lib/request.ts'

/**
 * Asks the agent. Resolves when the answer has begun: its frames come over the live channel, from wherever the page is then.
 * @param session undefined: a new conversation
 */
export async function ask(message: string, session?: string): Promise<{ session: string; runId: string }> {
  const answer = await request('/api/v1/agent-chats', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      message,
      ...(session !== undefined && { session_id: session }),
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    }),
  })
  const { threadId, runId } = await firstEvent(answer)
  return { session: threadId, runId }
}

/** The first event of a run says which conversation it is in. The rest of the stream is left: the server goes on without. */
async function firstEvent(answer: Response): Promise<{ threadId: string; runId: string }> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  try {
    let text = ''
    for (;;) {
      const { value, done } = await reader.read()
      if (done) throw unanswered(undefined)
      text += value
      const data = /^data: (.*)\n/m.exec(text)?.[1]
      if (data) return JSON.parse(data)
    }
  } catch (error) {
    throw unanswered(error)
  } finally {
    void reader.cancel().catch(() => {})
  }
}
