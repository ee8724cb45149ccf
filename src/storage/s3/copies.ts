/**
 * Local copies of objects, or of parts of them, for answers that need a length: Bun drops the Content-Length of every
 * answer whose body is a stream.
 */
import type { Temporaries } from '../files.ts'
import { type ByteRange, type ObjectInfo, StorageError } from '../storage.ts'

/** The limit for all copies together. */
const MAX_BYTES = 2 * 1024 ** 3
/** Downloads at the same time. */
const MAX_DOWNLOADS = 16
/** For a larger part the whole object is copied, because the client will ask for further parts. */
const PART_BYTES = 8 * 1024 * 1024
/** How long after its last use a copy may be removed. By then, Bun has opened the file. */
const KEEP_MS = 5 * 60_000
const SWEEP_MS = 30_000

/** Puts an object, or a part of it, into a new file. */
export type Download = (
  key: string,
  path: string,
  options: { etag: string; range: ByteRange | undefined; signal: AbortSignal },
) => Promise<void>

interface Copy {
  name: string
  key: string
  path: string
  bytes: number
  /** By the monotonic clock; infinite during the download. */
  usedAt: number
  waiting: number
  stop: AbortController
  ready: Promise<void>
  dispose: () => Promise<void>
}

export class LocalCopies {
  private readonly copies = new Map<string, Copy>()
  private bytes = 0
  private downloads = 0
  private sweeping: Timer | undefined

  constructor(
    private readonly temporaries: Temporaries,
    private readonly download: Download,
    private readonly maxBytes = MAX_BYTES,
  ) {}

  /**
   * Waits until the part has been copied. The copy is removed some minutes after its last use.
   * @returns undefined when there is no room for it
   * @throws StorageError ABORTED, UNAVAILABLE, NO_SPACE
   */
  async open(
    key: string,
    { etag, size }: ObjectInfo,
    range: ByteRange,
    signal: AbortSignal | undefined,
  ): Promise<Blob | undefined> {
    const whole = `${key} ${etag}`
    const isShort = range.end + 1 - range.start <= PART_BYTES && range.end + 1 - range.start < size
    const part = isShort && !this.copies.has(whole) ? range : undefined
    const name = part ? `${whole} ${part.start}-${part.end}` : whole
    const copy = this.copies.get(name) ?? this.begin(name, key, etag, size, part)
    if (!copy) return undefined
    await this.wait(copy, signal)
    copy.usedAt = performance.now()
    const offset = part ? part.start : 0
    return Bun.file(copy.path).slice(range.start - offset, range.end + 1 - offset)
  }

  /** Removes the copies of objects that were deleted. */
  async forget(keys: string[]): Promise<void> {
    const gone = new Set(keys)
    await this.remove(({ key }) => gone.has(key))
  }

  async close(): Promise<void> {
    clearInterval(this.sweeping)
    await this.remove(() => true)
  }

  private begin(
    name: string,
    key: string,
    etag: string,
    size: number,
    range: ByteRange | undefined,
  ): Copy | undefined {
    const bytes = range ? range.end + 1 - range.start : size
    if (this.downloads >= MAX_DOWNLOADS || !this.makeRoom(bytes)) return undefined
    const { path, dispose } = this.temporaries.take()
    const stop = new AbortController()
    this.downloads++
    const ready = this.download(key, path, { etag, range, signal: stop.signal })
      .then(() => {
        copy.usedAt = performance.now()
      })
      .finally(() => {
        this.downloads--
      })
    const copy: Copy = {
      name,
      key,
      path,
      bytes,
      usedAt: Number.POSITIVE_INFINITY,
      waiting: 0,
      stop,
      ready,
      dispose,
    }
    this.copies.set(name, copy)
    this.bytes += bytes
    ready.catch(() => this.drop(copy))
    this.sweeping ??= setInterval(() => this.sweep(), SWEEP_MS).unref()
    return copy
  }

  /** Stops a download when no answer waits for it. */
  private async wait(copy: Copy, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = () =>
      reject(new StorageError('ABORTED', 'no request waits for the copy', { cause: signal!.reason }))
    copy.waiting++
    try {
      signal?.throwIfAborted()
      signal?.addEventListener('abort', onAbort)
      copy.ready.then(resolve, reject)
      await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
      copy.waiting--
      if (copy.waiting === 0 && copy.usedAt === Number.POSITIVE_INFINITY) void this.drop(copy)
    }
  }

  /** Removes the least recently used copies. Copies that were used in the last seconds stay. */
  private makeRoom(bytes: number): boolean {
    const before = performance.now() - SWEEP_MS
    const idle = [...this.copies.values()].filter(({ usedAt }) => usedAt < before)
    const removable = idle.reduce((sum, copy) => sum + copy.bytes, 0)
    if (this.bytes - removable + bytes > this.maxBytes) return false
    idle.sort((a, b) => a.usedAt - b.usedAt)
    while (this.bytes + bytes > this.maxBytes) void this.drop(idle.shift()!)
    return true
  }

  private sweep(): void {
    const before = performance.now() - KEEP_MS
    void this.remove(({ usedAt }) => usedAt < before)
  }

  private async remove(which: (copy: Copy) => boolean): Promise<void> {
    await Promise.all([...this.copies.values()].filter(which).map((copy) => this.drop(copy)))
  }

  private async drop(copy: Copy): Promise<void> {
    if (this.copies.get(copy.name) !== copy) return
    this.copies.delete(copy.name)
    this.bytes -= copy.bytes
    copy.stop.abort()
    await copy.ready.catch(() => {})
    await copy.dispose().catch(() => {})
  }
}
