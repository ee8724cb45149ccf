/**
 * Sends the AWS SDK's requests with Bun's fetch. The SDK's own transport uses node:http, which under Bun holds a second copy
 * of every part that is being sent (measured: 148 MB for two uploads at once, against 50 MB with fetch).
 */
import type { S3ClientConfig } from '@aws-sdk/client-s3'

/** The used fields of a smithy HttpRequest. */
interface Request {
  protocol: string
  hostname: string
  port?: number
  path: string
  query?: Record<string, string | string[] | null>
  method: string
  headers: Record<string, string>
  body?: Uint8Array | string
}

/** Bodies of this size are sent at once. Larger ones are written to the socket in chunks. */
const SLICE_BYTES = 256 * 1024

/** @param idleMs ends a request without progress for this long. Time that a slow reader takes does not count. */
export function createTransport(idleMs: number): NonNullable<S3ClientConfig['requestHandler']> {
  async function handle(request: Request, { abortSignal }: { abortSignal?: AbortSignal } = {}) {
    const watch = new IdleWatch(idleMs)
    const signal = abortSignal ? AbortSignal.any([abortSignal, watch.signal]) : watch.signal
    try {
      watch.start()
      const response = await fetch(urlOf(request), {
        method: request.method,
        headers: { ...request.headers, 'accept-encoding': 'identity' },
        body: bodyOf(request, watch) ?? null,
        redirect: 'manual',
        decompress: false,
        timeout: false,
        signal,
      } as RequestInit)
      return {
        response: {
          statusCode: response.status,
          reason: response.statusText,
          headers: Object.fromEntries(response.headers),
          body: watched(response.body, watch, abortSignal),
        },
      }
    } catch (error) {
      throw toSdkError(error, abortSignal)
    } finally {
      watch.stop()
    }
  }
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle,
    destroy() {},
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  }
}

function urlOf({ protocol, hostname, port, path, query = {} }: Request): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => `${encode(name)}=${encode(one ?? '')}`),
  )
  const search = pairs.length > 0 ? `?${pairs.join('&')}` : ''
  return `${protocol}//${hostname}${port ? `:${port}` : ''}${path}${search}`
}

/** RFC 3986, as signatures require it. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

function bodyOf({ method, body }: Request, watch: IdleWatch): Bun.BodyInit | undefined {
  if (!body || method === 'GET' || method === 'HEAD') return undefined
  if (typeof body === 'string' || body.byteLength <= SLICE_BYTES) return body as Bun.BodyInit
  // Its Content-Length is among the headers. Made anew for every try, so that a try can be repeated.
  let sent = 0
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        watch.start()
        if (sent === body.byteLength) return controller.close()
        controller.enqueue(body.subarray(sent, sent + SLICE_BYTES))
        sent = Math.min(sent + SLICE_BYTES, body.byteLength)
      },
    },
    { highWaterMark: 0 },
  )
}

function watched(
  body: ReadableStream<Uint8Array> | null,
  watch: IdleWatch,
  abortSignal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const reader = body?.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        watch.start()
        try {
          const { done, value } = (await reader?.read()) ?? { done: true }
          if (done) controller.close()
          else controller.enqueue(value!)
        } catch (error) {
          throw toSdkError(error, abortSignal)
        } finally {
          watch.stop()
        }
      },
      cancel: (reason) => reader?.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

class IdleWatch {
  private readonly controller = new AbortController()
  private timer: Timer | undefined
  readonly signal = this.controller.signal

  constructor(private readonly ms: number) {}

  /** Starts or restarts the timer. */
  start(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      this.controller.abort(
        Object.assign(new Error(`nothing came for ${this.ms} ms`), { name: 'TimeoutError' }),
      )
    }, this.ms)
  }

  stop(): void {
    clearTimeout(this.timer)
  }
}

/** Marks errors for the SDK, so that it retries only requests that may succeed then. */
function toSdkError(error: unknown, abortSignal: AbortSignal | undefined): Error {
  const { name, message, code } = error as Error & { code?: string }
  if (abortSignal?.aborted)
    return Object.assign(new Error('aborted', { cause: error }), { name: 'AbortError' })
  if (name === 'TimeoutError') return error as Error
  return Object.assign(new Error(`${message} (${code ?? name})`, { cause: error }), { code: 'ECONNRESET' })
}
