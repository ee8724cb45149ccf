import type { Core } from './core.ts'
import type { Credentials } from './credentials.ts'
import { redirectOf } from './error.ts'
import type { ConnectOptions, Fetch } from './options.ts'
import { baseOf } from './url.ts'

/** The server has answered, but not what was asked for. */
export class Refusal extends Error {
  override name = 'Refusal'

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** In milliseconds. */
    readonly retryAfter: number | undefined,
  ) {
    super(message)
  }
}

export interface Ask {
  method?: string
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
}

/** Requests of the signed-in user. */
export class Http {
  private readonly stopped = new AbortController()
  private readonly fetch: Fetch
  private readonly base: string

  constructor(
    private readonly core: Core,
    options: ConnectOptions,
    private readonly credentials: Credentials,
    private readonly limitMs: number,
  ) {
    this.fetch = options.fetch ?? ((url, init) => fetch(url, init))
    this.base = baseOf(options.url)
  }

  /** A short request. @returns the JSON of the answer @throws Refusal, SignedOut, and what `fetch` throws */
  // biome-ignore lint/suspicious/noExplicitAny: callers know what their routes answer
  async json(path: string, ask: Ask = {}, limitMs = this.limitMs): Promise<any> {
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), limitMs)
    const unlink = follow(stop, [ask.signal, this.stopped.signal])
    try {
      const response = await this.open(path, { ...ask, signal: stop.signal })
      return await response.json().catch((error) => {
        if (!(error instanceof SyntaxError)) throw error
        throw new Refusal(response.status, 'NOT_JSON', `${path}: the answer is not JSON`, undefined)
      })
    } finally {
      clearTimeout(timer)
      unlink()
    }
  }

  /** No request goes on. */
  stop(): void {
    this.stopped.abort()
  }

  /** The answer, whose body may still be on its way: the signal ends it. The same errors as above. */
  async open(path: string, ask: Ask): Promise<Response> {
    const first = await this.send(path, ask)
    const response = first.status === 401 ? await this.send(path, ask) : first
    if (response.ok) return response
    const moved = redirectOf(this.base + path, response)
    if (moved) throw new Refusal(moved.status, moved.code, moved.message, undefined)
    // biome-ignore lint/suspicious/noExplicitAny: the contracts have different error bodies
    const body: any = await response.json().catch(() => undefined)
    throw new Refusal(
      response.status,
      body?.error_code ?? body?.error?.code ?? String(response.status),
      body?.message ?? body?.error?.message ?? `${path}: ${response.status}`,
      Number(response.headers.get('retry-after')) * 1000 || undefined,
    )
  }

  private async send(path: string, { method = 'GET', headers, signal }: Ask): Promise<Response> {
    const token = await this.credentials.get()
    const { language } = this.core
    const response = await this.fetch(this.base + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(language && { 'accept-language': language }),
        ...headers,
      },
      cache: 'no-store',
      redirect: 'manual',
      ...(signal && { signal }),
    })
    if (response.status === 401) {
      this.credentials.refuse(token)
      await response.body?.cancel()
    }
    return response
  }
}

/** Aborts with any of the signals. `AbortSignal.any` is younger than browsers that people use. @returns a function that ends it */
export function follow(stop: AbortController, signals: (AbortSignal | undefined)[]): () => void {
  const end = () => stop.abort()
  for (const signal of signals) {
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
  }
  return () => {
    for (const signal of signals) signal?.removeEventListener('abort', end)
  }
}
