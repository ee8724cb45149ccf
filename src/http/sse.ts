/** Server-sent events (HTML standard, 9.2). */
import { AppError } from '../core/errors.ts'
import { waitAtMost } from '../util/wait-at-most.ts'
import { whileMayGoOn } from './authenticate.ts'

export interface ServerSentEvent {
  /** A client that reconnects sends the last id as `Last-Event-ID`. */
  id?: string | number
  /** One line. Without it the client only stores the id, and shows no event. */
  data?: string
  /** How long the client waits before it reconnects, in ms. */
  retry?: number
}

/** Shorter than the time after which proxies, and this server, close a silent connection. */
const PING_MS = 15_000

const STREAM = 'text/event-stream'
const ENDED = { done: true, value: undefined } as const

/** Whether the client accepts a stream, and prefers no other type that it names (RFC 9110, 12.5.1). */
export function wantsStream(request: Request): boolean {
  const liked = (request.headers.get('accept') ?? '').split(',').map((range) => {
    const [type = '', ...parameters] = range.toLowerCase().split(';')
    const quality = parameters.map((parameter) => /^\s*q=([\d.]+)\s*$/.exec(parameter)?.[1]).find(Boolean)
    return { type: type.trim(), quality: Number(quality ?? 1) }
  })
  const quality = liked.find(({ type }) => type === STREAM)?.quality ?? 0
  return quality > 0 && liked.every((other) => other.type.includes('*') || other.quality <= quality)
}

/**
 * Sends what `source` yields, at the pace at which the client reads. It ends when `source` ends, and when the request may no
 * longer go on, because its session has ended.
 * @param source gets a signal that aborts when the client has gone
 */
export function eventStream(
  request: Request,
  source: (signal: AbortSignal) => AsyncGenerator<ServerSentEvent, void>,
): Response {
  const encoder = new TextEncoder()
  const stop = new AbortController()
  const events = source(AbortSignal.any([stop.signal, request.signal]))
  let next: Promise<IteratorResult<ServerSentEvent, void>> | undefined
  const end = () => {
    stop.abort()
    void events.return()
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        next ??= events.next()
        const result = await whileMayGoOn(request, waitAtMost(PING_MS, next)).catch((error) => {
          if (!(error instanceof AppError)) throw error
          end()
          return ENDED
        })
        if (!result) return controller.enqueue(encoder.encode(': ping\n\n'))
        next = undefined
        if (result.done) return controller.close()
        controller.enqueue(encoder.encode(textOf(result.value)))
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  )
  return new Response(stream, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // nginx would buffer the stream.
      'x-accel-buffering': 'no',
    },
  })
}

function textOf({ id, data, retry }: ServerSentEvent): string {
  const lines: string[] = []
  if (retry !== undefined) lines.push(`retry: ${retry}`)
  if (id !== undefined) lines.push(`id: ${id}`)
  if (data !== undefined) lines.push(`data: ${data}`)
  return `${lines.join('\n')}\n\n`
}
