import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, type LanguageModelV4, type LanguageModelV4Message } from '@ai-sdk/provider'
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
/** From the request to the first word, and from one part of the answer to the next. */
const FIRST_PART_MS = 60_000
const PART_MS = 30_000
const MAX_TURN_MS = 5 * 60_000
const MAX_ANSWER_BYTES = 32 * 1024 * 1024
/** Before the answer begins only: what has been said can't be taken back. */
const TRIES = 2
const RETRY_MS = 500

/**
 * A model behind an OpenAI-compatible API. The SDK's provider is asked directly: what `streamText` puts around it
 * (steps, tools, replay) is done by the run here, and cost as much processor time again for every word.
 */
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
      const silence = new Silence(turn.signal)
      try {
        const { stream } = await begin(model, turn, silence.signal)
        let finished = false
        for await (const part of stream) {
          silence.heard()
          if (part.type === 'text-delta') yield { type: 'text', delta: part.delta }
          else if (part.type === 'tool-call') {
            yield { type: 'tool_call', name: part.toolName, input: parsed(part.input) }
          } else if (part.type === 'error') throw part.error
          else if (part.type === 'finish') finished = part.finishReason.raw !== undefined
        }
        // A connection that was cut ends the stream like one that was finished.
        if (!finished) throw new ModelError('MODEL_INTERRUPTED')
      } catch (error) {
        turn.signal.throwIfAborted()
        throw silence.signal.aborted ? new ModelError('MODEL_TIMEOUT') : toModelError(error)
      } finally {
        silence.end()
      }
    },
  }
}

async function begin(model: LanguageModelV4, turn: Turn, abortSignal: AbortSignal) {
  const prompt: LanguageModelV4Message[] = [
    { role: 'system', content: instructions(turn) },
    ...turn.messages.map(toPrompt),
  ]
  const tools = turn.tools.map(({ name, description, input }) => ({
    ...{ type: 'function' as const, name, description },
    inputSchema: input as object,
  }))
  for (let tries = 1; ; tries++) {
    try {
      return await model.doStream({ prompt, tools, maxOutputTokens: MAX_OUTPUT_TOKENS, abortSignal })
    } catch (error) {
      if (tries === TRIES || !APICallError.isInstance(error) || !error.isRetryable) throw error
      await Bun.sleep(RETRY_MS)
      abortSignal.throwIfAborted()
    }
  }
}

/** Gives a model up that has gone silent. */
class Silence {
  private readonly controller = new AbortController()
  readonly signal: AbortSignal
  private timer = setTimeout(() => this.controller.abort(), FIRST_PART_MS)

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.controller.signal])
  }

  heard(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.controller.abort(), PART_MS)
  }

  end(): void {
    clearTimeout(this.timer)
    // Also after an answer that was not read to its end: its request stops.
    this.controller.abort()
  }
}

function toPrompt(message: ChatMessage): LanguageModelV4Message {
  if (message.role === 'user') return { role: 'user', content: [{ type: 'text', text: message.content }] }
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

/** What is no JSON fits no tool, and the model is told so. */
function parsed(input: string): unknown {
  try {
    return JSON.parse(input)
  } catch {
    return input
  }
}

/** The cause is for the log: the SDK's own errors carry the request, and with it the conversation and the key. */
function toModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error
  if (!APICallError.isInstance(error)) {
    return new ModelError('MODEL_INTERRUPTED', new Error(error instanceof Error ? error.name : 'unknown'))
  }
  const { statusCode } = error
  const cause = new Error(`the model's API answered ${statusCode ?? 'nothing'}`)
  if (statusCode === 429) return new ModelError('MODEL_RATE_LIMITED', cause)
  if (statusCode === undefined || statusCode >= 500) return new ModelError('MODEL_UNAVAILABLE', cause)
  return new ModelError('MODEL_REFUSED', cause)
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
