import { StartupError } from '../util/startup-error.ts'

/** While a backup runs, servers delete no stored file, so none may wait for ever. A slow line takes a chunk in less time. */
export const STALL_MS = 15 * 60_000

export interface Watched extends Disposable {
  chunks: AsyncGenerator<Uint8Array>
  /** Aborted when for `limitMs` no chunk came, or the reader did not take the next one. */
  stalled: AbortSignal
}

export function watched(chunks: AsyncIterable<Uint8Array>, limitMs: number): Watched {
  const stall = new AbortController()
  let waitsFor: 'output' | 'input' = 'input'
  const timer = setTimeout(() => stall.abort(new StartupError(REASONS[waitsFor])), limitMs)
  async function* pass(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      timer.refresh()
      waitsFor = 'output'
      yield chunk
      timer.refresh()
      waitsFor = 'input'
    }
    waitsFor = 'output'
  }
  return { chunks: pass(), stalled: stall.signal, [Symbol.dispose]: () => clearTimeout(timer) }
}

const MINUTES = STALL_MS / 60_000
const REASONS = {
  output: `The output took no bytes for ${MINUTES} minutes, so the backup was given up. Look at what reads it, or at its disk.`,
  input: `The database or the storage of files gave no bytes for ${MINUTES} minutes, so the backup was given up.`,
}
