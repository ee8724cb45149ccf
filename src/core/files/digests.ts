/** The SHA-256 of uploads that arrive in pieces, taken in a worker while they arrive. */
import { LRUCache } from 'lru-cache'
import type { Storage } from '../../storage/storage.ts'
import type { DigestAnswer, DigestCall } from './digest-worker.ts'
import type { UploadPiece } from './pieces.ts'

type Piece = Pick<UploadPiece, 'start' | 'size' | 'objectKey'>

/** Uploads that are followed. Of any other one, the digest is taken when it is complete. */
const FOLLOWED = 500
/** Pieces of an upload that wait for an earlier one: a client sends some at the same time. */
const EARLY = 32

/** A digest while the pieces of its upload arrive. */
interface Running {
  digest: number
  /** Where the next piece begins. */
  end: number
  /** Made of the keys of all pieces before `end`, in their order. */
  mark: bigint
  /** Settles when the worker has read these pieces; rejects when it could not. */
  read: Promise<unknown>
  /** The pieces behind `end`, by their start. */
  early: Map<number, Piece>
}

/** For objects that are files of this machine. Of others the digest is taken when their bytes are put together. */
export class PieceDigests {
  private readonly running = new LRUCache<number, Running>({ max: FOLLOWED })
  private readonly calls = new Map<number, PromiseWithResolvers<DigestAnswer>>()
  private worker: Worker | undefined
  private digests = 0
  private sent = 0

  constructor(private readonly storage: Storage) {}

  /** Goes on with the digest of an upload as far as its pieces have arrived in order. */
  follow(sessionId: number, piece: Piece): void {
    if (!this.storage.fileOf(piece.objectKey)) return
    const running = this.running.get(sessionId) ?? this.begin()
    this.running.set(sessionId, running)
    // Another piece takes the place of one that has been read.
    if (piece.start < running.end) {
      this.running.delete(sessionId)
      return
    }
    if (piece.start === running.end || running.early.size < EARLY) running.early.set(piece.start, piece)
    for (let next = running.early.get(running.end); next; next = running.early.get(running.end)) {
      running.early.delete(next.start)
      this.add(running, next)
    }
  }

  /**
   * The digest of these pieces, one after the other, in lower-case hexadecimal. Dispose of the result when nobody waits for it
   * any more.
   * @returns undefined when the pieces are no files of this machine
   */
  of(sessionId: number, pieces: Piece[]): (Disposable & { sha256: Promise<string> }) | undefined {
    const [first] = pieces
    if (!first || !this.storage.fileOf(first.objectKey)) return undefined
    const running = this.running.get(sessionId)
    this.running.delete(sessionId)
    const stop = new AbortController()
    const anew = () => this.complete(this.begin(), pieces, stop.signal)
    // The worker may have forgotten what it has read.
    const sha256 =
      running && isBeginning(running, pieces)
        ? this.complete(running, pieces, stop.signal).catch(anew)
        : anew()
    sha256.catch(() => {})
    return { sha256, [Symbol.dispose]: () => stop.abort() }
  }

  close(): void {
    this.worker?.terminate()
    this.lose('the server ends')
  }

  private begin(): Running {
    return { digest: ++this.digests, end: 0, mark: 0n, read: Promise.resolve(), early: new Map() }
  }

  private async complete(running: Running, pieces: Piece[], signal: AbortSignal): Promise<string> {
    await running.read
    for (const piece of pieces) {
      signal.throwIfAborted()
      if (piece.start < running.end) continue
      this.add(running, piece)
      await running.read
    }
    const { sha256 } = await this.call({ digest: running.digest })
    return sha256!
  }

  private add(running: Running, { size, objectKey }: Piece): void {
    const { digest, end, read } = running
    const path = this.storage.fileOf(objectKey)
    const added = this.call({ digest, isFirst: end === 0, path }).then((answer) => {
      if (answer.size !== size) throw new Error(`the piece ${objectKey} is not whole`)
    })
    running.end += size
    running.mark = marked(running.mark, objectKey)
    running.read = Promise.all([read, added])
    running.read.catch(() => {})
  }

  private async call(what: Omit<DigestCall, 'call'>): Promise<DigestAnswer> {
    const call = ++this.sent
    const answer = Promise.withResolvers<DigestAnswer>()
    this.calls.set(call, answer)
    this.worker ??= this.start()
    this.worker.postMessage({ call, ...what } satisfies DigestCall)
    const { failed, ...done } = await answer.promise
    if (failed !== undefined) throw new Error(failed)
    return done
  }

  /** Only when it is needed: it has some megabytes of its own. */
  private start(): Worker {
    const worker = new Worker(new URL('./digest-worker.ts', import.meta.url).href)
    worker.onmessage = ({ data }: MessageEvent<DigestAnswer>) => {
      this.calls.get(data.call)?.resolve(data)
      this.calls.delete(data.call)
    }
    worker.onerror = ({ message }) => {
      this.worker = undefined
      this.lose(message)
    }
    return worker
  }

  private lose(failed: string): void {
    for (const [call, { resolve }] of this.calls) resolve({ call, failed })
    this.calls.clear()
  }
}

const marked = (mark: bigint, objectKey: string): bigint => BigInt(Bun.hash.wyhash(objectKey, mark))

/** Whether the digest has only read pieces that the upload still has, and all of them in order. */
function isBeginning({ end, mark }: Running, pieces: Piece[]): boolean {
  let at = 0
  let found = 0n
  for (const { size, objectKey } of pieces) {
    if (at === end) break
    at += size
    found = marked(found, objectKey)
  }
  return at === end && found === mark
}
