import { type Body, StorageError } from './storage.ts'

/**
 * Reads a body chunk by chunk. When `signal` is aborted, it stops waiting at once. Then, and when the reader ends early,
 * it cancels the body.
 * @throws `signal.reason`, or the body's error
 */
export async function* chunksOf(body: Body, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const source = open(body)
  let interrupt: ((reason: unknown) => void) | undefined
  const onAbort = () => interrupt?.(signal!.reason)
  signal?.addEventListener('abort', onAbort)
  let ended = false
  try {
    for (;;) {
      signal?.throwIfAborted()
      // Not Promise.race with one long-lived promise: that would keep every chunk until the end.
      const { promise, resolve, reject } = Promise.withResolvers<{ done?: boolean; value?: Uint8Array }>()
      interrupt = reject
      source.next().then(resolve, reject)
      const { done, value } = await promise
      if (done) break
      if (value && value.byteLength > 0) yield value
    }
    ended = true
  } finally {
    signal?.removeEventListener('abort', onAbort)
    // Not awaited: a generator that hangs in its own `await` would never answer.
    if (!ended) source.stop().catch(() => {})
  }
}

interface Source {
  next(): Promise<{ done?: boolean; value?: Uint8Array }>
  stop(): Promise<unknown>
}

function open(body: Body): Source {
  if (body instanceof ReadableStream) {
    const reader = body.getReader()
    return {
      next: () => reader.read() as ReturnType<Source['next']>,
      stop: () => reader.cancel(),
    }
  }
  const iterator = body[Symbol.asyncIterator]()
  return { next: async () => iterator.next(), stop: async () => iterator.return?.() }
}

/** The error of a write that ended with `error`: ABORTED when the caller aborted it. */
export function endedBy(error: unknown, signal: AbortSignal | undefined): unknown {
  const byCaller = signal?.aborted && (error === signal.reason || error instanceof StorageError)
  return byCaller ? new StorageError('ABORTED', 'the write was stopped', { cause: signal.reason }) : error
}
