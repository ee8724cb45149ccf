import { attemptOf, type HeardFrame } from './frames.ts'

const MAX_FRAMES = 1000
const MAX_BYTES = 8 * 1024 * 1024
/** Frames that a node repeats until the server acknowledges them. */
const REPEATED: ReadonlySet<string> = new Set(['completed', 'failed'])

export const isRepeated = (frame: HeardFrame): boolean => REPEATED.has(frame.type)

/** Frames of one node that wait, because the server handles them one after the other. */
export class Backlog {
  /** The number of frames that wait or are being handled. */
  size = 0
  private bytes = 0
  private handling: Promise<void> = Promise.resolve()
  /** Attempts whose `completed` or `failed` waits, with whether the node has repeated the frame meanwhile. */
  private readonly ends = new Map<string, boolean>()

  constructor(
    /** Never rejects. Does nothing when the socket has closed. */
    private readonly handle: (frame: HeardFrame) => Promise<void>,
  ) {}

  /** @returns false when there is no room for the frame */
  add(frame: HeardFrame, bytes: number): boolean {
    const end = isRepeated(frame) ? JSON.stringify(attemptOf(frame)) : undefined
    if (end && this.ends.has(end)) {
      // The node may repeat the frame many times while the first one waits. The server keeps no repeat, because the byte
      // limit would not count it. It handles the first one once more instead, because the first time may fail.
      this.ends.set(end, true)
      return true
    }
    if (this.size >= MAX_FRAMES || this.bytes + bytes > MAX_BYTES) return false
    this.size++
    this.bytes += bytes
    if (end) this.ends.set(end, false)
    this.handling = this.handling
      .then(() => this.handle(frame))
      .finally(() => {
        this.size--
        this.bytes -= bytes
        if (!end) return
        const repeated = this.ends.get(end)
        this.ends.delete(end)
        if (repeated) this.add(frame, bytes)
      })
    return true
  }
}
