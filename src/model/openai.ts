import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, jsonSchema, type ModelMessage, RetryError, streamText, type ToolSet, tool } from 'ai'
import type { LlmConfig } from '../config.ts'
import {
  type ChatMessage,
  type ChatModel,
  ModelError,
  type Turn,
  type TurnPart,
} from '../core/agent/model.ts'
import { egressRequest } from '../util/egress.ts'
import { instructions } from './instructions.ts'

const MAX_OUTPUT_TOKENS = 4096
const FIRST_CHUNK_MS = 60_000
const CHUNK_MS = 30_000
const MAX_TURN_MS = 5 * 60_000
const MAX_ANSWER_BYTES = 32 * 1024 * 1024
/** Before the first byte of an answer only: what has been said can't be taken back. */
const RETRIES = 1

/** A model behind an OpenAI-compatible API. */
export function createOpenAiModel(config: LlmConfig): ChatModel {
  const provider = createOpenAICompatible({
    name: 'llm',
    baseURL: config.baseUrl,
    ...(config.apiKey && { apiKey: config.apiKey }),
    fetch: throughEgress as typeof fetch,
  })
  const model = provider(config.model)
  return {
    async *turn(turn: Turn): AsyncGenerator<TurnPart> {
      const { stream } = streamText({
        model,
        instructions: instructions(turn),
        messages: turn.messages.map(toModelMessage),
        tools: toToolSet(turn),
        abortSignal: turn.signal,
        maxRetries: RETRIES,
        maxOutputTokens: MAX_OUTPUT_TOKENS,
        timeout: { firstChunkMs: FIRST_CHUNK_MS, chunkMs: CHUNK_MS },
        // It would write to the console; the part of the stream that says the same is read below.
        onError: () => {},
      })
      let finished = false
      for await (const part of stream) {
        if (part.type === 'text-delta') yield { type: 'text', delta: part.text }
        else if (part.type === 'tool-call') {
          yield { type: 'tool_call', id: part.toolCallId, name: part.toolName, input: part.input }
        } else if (part.type === 'error') throw toModelError(part.error)
        else if (part.type === 'abort') {
          turn.signal.throwIfAborted()
          throw new ModelError('MODEL_TIMEOUT')
        } else if (part.type === 'finish-step') finished = part.rawFinishReason !== undefined
      }
      turn.signal.throwIfAborted()
      // A connection that was cut ends the stream like one that was finished.
      if (!finished) throw new ModelError('MODEL_INTERRUPTED')
    },
  }
}

function toModelMessage(message: ChatMessage): ModelMessage {
  if (message.role === 'user') return message
  if (message.role === 'tool') {
    const { toolCallId, toolName, content } = message
    return {
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId, toolName, output: { type: 'text', value: content } }],
    }
  }
  const calls = message.toolCalls.map(({ id, name, input }) => ({
    type: 'tool-call' as const,
    ...{ toolCallId: id, toolName: name, input },
  }))
  const text = message.content === '' ? [] : [{ type: 'text' as const, text: message.content }]
  return { role: 'assistant', content: [...text, ...calls] }
}

/** Without `execute`: tools are run, and their results kept, by whoever asked. */
const toToolSet = ({ tools }: Turn): ToolSet =>
  Object.fromEntries(
    tools.map(({ name, description, input }) => [
      name,
      tool({ description, inputSchema: jsonSchema(input as never) }),
    ]),
  )

function toModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error
  const last = RetryError.isInstance(error) ? error.lastError : error
  if (!APICallError.isInstance(last)) {
    const late = last instanceof Error && (last.name === 'TimeoutError' || /timeout/i.test(last.message))
    return new ModelError(late ? 'MODEL_TIMEOUT' : 'MODEL_INTERRUPTED', summary(last))
  }
  const { statusCode } = last
  if (statusCode === 429) return new ModelError('MODEL_RATE_LIMITED', summary(last))
  if (statusCode === undefined || statusCode >= 500) return new ModelError('MODEL_UNAVAILABLE', summary(last))
  return new ModelError('MODEL_REFUSED', summary(last))
}

/** For the log: the SDK's errors carry the request, and with it the conversation and the key. */
function summary(error: unknown): Error {
  if (APICallError.isInstance(error))
    return new Error(`the model's API answered ${error.statusCode ?? 'nothing'}`)
  return new Error(error instanceof Error ? error.name : 'unknown')
}

/** The operator named the address, so it may be a private one. */
async function throughEgress(url: string | URL, init: RequestInit = {}): Promise<Response> {
  const { status, headers, body } = await egressRequest(url, {
    method: init.method ?? 'GET',
    headers: Object.fromEntries(new Headers(init.headers)),
    ...(typeof init.body === 'string' && { body: init.body }),
    ...(init.signal && { signal: init.signal }),
    allowPrivate: true,
    timeoutMs: MAX_TURN_MS,
    maxBytes: MAX_ANSWER_BYTES,
  })
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  return new Response(body, { status, headers: kept })
}
