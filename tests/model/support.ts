import type { ChatMessage, ToolDescription, Turn, TurnPart } from '../../src/model/model.ts'
import { createOpenAiModel, type Patience } from '../../src/model/openai.ts'
import { all } from '../support/chat.ts'
import { ModelServer, type Piece } from '../support/model-server.ts'

export const KEY = 'sk-very-secret-key'

export const turnOf = (messages: ChatMessage[], tools: ToolDescription[] = []): Turn => ({
  messages,
  tools,
  language: 'en',
  timezone: 'UTC',
  background: '',
  now: new Date('2026-11-19T02:00:00Z'),
  signal: new AbortController().signal,
})

export const question = (content: string): ChatMessage => ({ role: 'user', content })

export function modelOf(server: ModelServer, patience: Partial<Patience> = {}) {
  const { LLM_BASE_URL: baseUrl } = server.env
  return createOpenAiModel({ baseUrl: baseUrl!, apiKey: KEY, model: 'test-model' }, { retry: 1, ...patience })
}

/** A model's answer to one question when its API streams these pieces. */
export async function answerTo(pieces: Piece[] | Response, patience?: Partial<Patience>) {
  using server = new ModelServer(() => (pieces instanceof Response ? (pieces.clone() as Response) : pieces))
  const parts: TurnPart[] = []
  try {
    for await (const part of modelOf(server, patience).turn(turnOf([question('hi')]))) parts.push(part)
    return { ...sorted(parts), fault: undefined, cause: undefined }
  } catch (error) {
    const { code, cause } = error as { code?: string; cause?: Error }
    return { ...sorted(parts), fault: code ?? String(error), cause: cause?.message }
  }
}

const join = (parts: TurnPart[], type: string) =>
  parts.map((part) => (part.type === type && 'delta' in part ? part.delta : '')).join('')

const sorted = (parts: TurnPart[]) => ({
  text: join(parts, 'text'),
  reasoning: join(parts, 'reasoning'),
  calls: parts.flatMap((part) => (part.type === 'tool_call' ? [part] : [])),
})

export { all, ModelServer, type Piece }
