import type { LlmConfig } from '../config/model.ts'
import { EgressError, type EgressResponse, egressRequest } from '../util/egress.ts'
import { isJsonObject } from '../util/json.ts'
import { bodyOf, faultIn, type Secrets, toModelError } from './api-faults.ts'
import { type ChatRequest, chatRequest, wordsOf } from './chat-request.ts'
import { Answer } from './chat-stream.ts'
import { type ChatModel, ModelError, type Turn, type TurnPart } from './model.ts'
import { eventData } from './server-sent-events.ts'
import { readArguments, toolName } from './tool-calls.ts'

const MAX_TURN_MS = 5 * 60_000
const MAX_ANSWER_BYTES = 32 * 1024 * 1024
/** How often the API is asked. Only before the answer begins, because text that was sent cannot be taken back. */
const TRIES = 2

/** How long the API may send no content, in ms. Content is text, a thought or a piece of a tool call. */
export interface Patience {
  /** From the request to the first content. */
  first: number
  /** From one piece of content to the next. */
  next: number
  /** From the finish reason to the end of the stream. */
  last: number
  /** The pause before a busy API is asked again. */
  retry: number
}
const PATIENCE: Patience = { first: 60_000, next: 30_000, last: 2000, retry: 500 }

/** The names of the length limit. OpenAI's newer models refuse the older name, other servers the newer one. */
const LIMITS: Record<string, number>[] = [
  { max_tokens: 4096 },
  // Higher, because this limit includes the model's thoughts.
  { max_completion_tokens: 16_384 },
  {},
]

/** A model behind an OpenAI-compatible API. */
export function createOpenAiModel(config: LlmConfig, patience: Partial<Patience> = {}): ChatModel {
  const api = new Api(config, { ...PATIENCE, ...patience })
  return { turn: (turn) => api.turn(turn) }
}

class Api {
  /** The first of LIMITS that the API has not refused. */
  private limit = 0

  constructor(
    private readonly config: LlmConfig,
    private readonly patience: Patience,
  ) {}

  async *turn(turn: Turn): AsyncGenerator<TurnPart> {
    const silence = new Silence(turn.signal, this.patience.first)
    const answer = new Answer()
    try {
      yield* this.ask(chatRequest(turn), answer, silence)
    } catch (error) {
      turn.signal.throwIfAborted()
      if (error instanceof ModelError) throw error
      throw silence.isOver ? new ModelError('MODEL_TIMEOUT') : brokenOff(error)
    } finally {
      silence.end()
    }
  }

  private async *ask(request: ChatRequest, answer: Answer, silence: Silence): AsyncGenerator<TurnPart> {
    const secrets = { key: this.config.apiKey, said: wordsOf(request) }
    const response = await this.begin(request, secrets, silence.signal)
    try {
      for await (const data of eventsOf(response)) {
        answer.done = data.trim() === '[DONE]'
        if (answer.done) break
        const before = answer.pieces
        const parts = answer.take(read(data, answer, secrets))
        if (answer.pieces > before) silence.pause()
        yield* parts
        if (answer.ended) silence.wait(this.patience.last)
        else if (answer.pieces > before) silence.wait(this.patience.next)
      }
    } catch (error) {
      // An error after the end of the answer does not matter.
      if (!answer.ended) throw error
    }
    yield* answer.end()
    if (answer.fault) throw new ModelError(answer.fault, new Error(`the answer ended with ${answer.ending}`))
    for (const { name, args } of answer.calls.whole) {
      yield { type: 'tool_call', name: toolName(name), ...readArguments(args) }
    }
  }

  /** Resolves when the answer begins. @throws ModelError, EgressError */
  private async begin(request: ChatRequest, secrets: Secrets, signal: AbortSignal): Promise<EgressResponse> {
    let { limit } = this
    for (let tries = 1; ; ) {
      const response = await this.post(request, LIMITS[limit]!, signal).catch((error: unknown) => {
        if (error instanceof EgressError && tries < TRIES) return undefined
        throw error
      })
      if (response?.status === 200) {
        this.limit = limit
        return response
      }
      if (response) {
        const { status } = response
        const body = await bodyOf(response.body)
        if ([400, 422].includes(status) && LIMITS[limit + 1] && namesLimit(body)) {
          limit++
          continue
        }
        const mayPass = status >= 500 || [408, 409, 429].includes(status)
        if (tries === TRIES || !mayPass) throw toModelError({ status, body }, secrets)
      }
      tries++
      await Bun.sleep(this.patience.retry)
      signal.throwIfAborted()
    }
  }

  /** Private addresses are allowed, because the operator has configured the URL. */
  private post(request: ChatRequest, limit: object, signal: AbortSignal): Promise<EgressResponse> {
    const { baseUrl, apiKey, model } = this.config
    return egressRequest(`${baseUrl}/chat/completions`, {
      method: 'POST',
      headers: {
        accept: 'text/event-stream',
        'content-type': 'application/json',
        ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({ model, ...request, ...limit, stream: true }),
      signal,
      allowPrivate: true,
      timeoutMs: MAX_TURN_MS,
      maxBytes: MAX_ANSWER_BYTES,
    })
  }
}

const namesLimit = (body: string) => /\bmax_(?:completion_)?tokens\b/.test(body)

/** The events of an answer. An API that does not stream sends one JSON document; some APIs label a stream as JSON, too. */
async function* eventsOf({ headers, body }: EgressResponse): AsyncGenerator<string> {
  if (!/^application\/json\b/i.test(headers['content-type'] ?? '')) return yield* eventData(body)
  const document = await bodyOf(body, MAX_ANSWER_BYTES)
  if (/^\s*(?:data|event|id|retry)?:/.test(document)) return yield* eventData(new Blob([document]).stream())
  yield document
  yield '[DONE]'
}

/** @throws ModelError for an error in the middle of the stream */
function read(data: string, { pieces }: Answer, secrets: Secrets): unknown {
  let chunk: unknown
  try {
    chunk = JSON.parse(data)
  } catch {
    throw new ModelError('MODEL_INTERRUPTED', new Error("the model's API sent an event that is not JSON"))
  }
  // vLLM and similar servers mark an error by `object`.
  const error = isJsonObject(chunk) && (chunk.error || (chunk.object === 'error' && chunk))
  if (!error) return chunk
  const fault = toModelError(faultIn(error), secrets)
  throw pieces > 0 ? new ModelError('MODEL_INTERRUPTED', fault.cause) : fault
}

/** Aborts the request when the API sends no content for too long. */
class Silence {
  private readonly controller = new AbortController()
  readonly signal: AbortSignal
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(outer: AbortSignal, ms: number) {
    this.signal = AbortSignal.any([outer, this.controller.signal])
    this.wait(ms)
  }

  get isOver(): boolean {
    return this.controller.signal.aborted
  }

  /** Stops the timer while the caller handles a part, because nothing is read from the API meanwhile. */
  pause(): void {
    clearTimeout(this.timer)
  }

  wait(ms: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.controller.abort(), ms)
  }

  end(): void {
    clearTimeout(this.timer)
    // Ends the request when the caller did not read the answer to its end.
    this.controller.abort()
  }
}

function brokenOff(error: unknown): ModelError {
  if (!(error instanceof EgressError)) {
    return new ModelError('MODEL_INTERRUPTED', new Error(error instanceof Error ? error.name : 'unknown'))
  }
  if (error.code === 'TIMEOUT') return new ModelError('MODEL_TIMEOUT')
  const cause = new Error(`the model's API: ${error.message}`)
  return new ModelError(error.code === 'TOO_LARGE' ? 'MODEL_INTERRUPTED' : 'MODEL_UNAVAILABLE', cause)
}
