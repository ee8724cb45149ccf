/** Readers of answers that stream: how late each word is. */
import { answer } from '../support/answer.ts'
import { now } from '../support/readings.ts'

export interface Heard {
  /** Of every word, in ms. */
  delays: number[]
  frames: number
}

const textOf = (line: string): string => JSON.parse(line).choices[0].delta.content ?? ''
const delaysOf = (text: string, at: number): number[] =>
  text
    .split(' ')
    .filter(Boolean)
    .map((word) => at - Number(word))

const handlers = {
  /** Asks once as each user, and follows the answers on the live channel. */
  async channel(port: number, tokens: string[]): Promise<Heard> {
    const heard: Heard = { delays: [], frames: 0 }
    await Promise.all(
      tokens.map(async (token) => {
        const gone = new AbortController()
        const response = await fetch(`http://127.0.0.1:${port}/api/v1/agent-chats`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            accept: 'text/event-stream',
            authorization: `Bearer ${token}`,
          },
          body: JSON.stringify({ message: 'What time is it?' }),
          signal: gone.signal,
        })
        const { value } = await response.body!.getReader().read()
        const session = /"threadId":"([^"]+)"/.exec(new TextDecoder().decode(value))![1]
        gone.abort()
        const socket = new WebSocket(
          `ws://127.0.0.1:${port}/ws/connect?token=${token}&topics=agent:${session}`,
        )
        await new Promise<void>((done, fail) => {
          socket.onclose = ({ code }) => fail(new Error(`the socket was closed: ${code}`))
          socket.onmessage = ({ data }) => {
            const at = now()
            const frame = JSON.parse(String(data))
            if (frame.type !== 'agent_event') return
            if (frame.event.type === 'RUN_ERROR') fail(new Error(frame.event.message))
            if (frame.event.type === 'RUN_FINISHED') done()
            if (frame.event.type !== 'TEXT_MESSAGE_CONTENT') return
            heard.frames++
            heard.delays.push(...delaysOf(frame.event.delta, at))
          }
        })
        socket.onclose = null
        socket.close()
      }),
    )
    return heard
  },

  /** The floor: as many answers, read from the model itself. */
  async direct(port: number, readers: number): Promise<Heard> {
    const heard: Heard = { delays: [], frames: 0 }
    await Promise.all(
      Array.from({ length: readers }, async () => {
        const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST' })
        let text = ''
        const decoder = new TextDecoder()
        for await (const chunk of response.body!) {
          const at = now()
          text += decoder.decode(chunk, { stream: true })
          const end = text.lastIndexOf('\n\n')
          if (end < 0) continue
          for (const line of text.slice(0, end).split('\n\n')) {
            if (line === 'data: [DONE]') continue
            heard.frames++
            heard.delays.push(...delaysOf(textOf(line.slice('data: '.length)), at))
          }
          text = text.slice(end + 2)
        }
      }),
    )
    return heard
  },
}
export type AgentClient = typeof handlers

answer(handlers)
