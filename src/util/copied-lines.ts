import type { DestinationStream } from 'pino'

/** @param time RFC 3339, in UTC and with milliseconds */
export type TakeLine = (text: string, level: number, time: string) => void

/** Lines that wait for somebody to take them: those of a start, until the database is open. In lines and in characters. */
const MAX_EARLY_LINES = 1000
const MAX_EARLY_LENGTH = 256 * 1024

/** Asks pino to set `lastLevel` and `lastTime` before each line. */
const METADATA: unique symbol = Symbol.for('pino.metadata')

/** A destination of a logger that passes every line on, and gives copies of it to others. */
export class CopiedLines implements DestinationStream {
  readonly [METADATA] = true
  lastLevel = 0
  /** In quotation marks. */
  lastTime = ''
  private readonly takers = new Set<TakeLine>()
  /** Undefined once somebody has taken them. */
  private early: Parameters<TakeLine>[] | undefined = []
  private earlyLength = 0
  private isMuted = false

  constructor(
    private readonly destination: DestinationStream & {
      flush?: (done?: () => void) => void
      flushSync?: () => void
    },
  ) {}

  write(text: string): void {
    this.destination.write(text)
    if (this.isMuted) return
    const time = this.lastTime.slice(1, -1)
    for (const take of this.takers) take(text, this.lastLevel, time)
    if (this.early) this.keep(text, time)
  }

  copyTo(take: TakeLine): () => void {
    for (const line of this.early ?? []) take(...line)
    this.early = undefined
    this.takers.add(take)
    return () => void this.takers.delete(take)
  }

  withoutCopies(write: () => void): void {
    this.isMuted = true
    try {
      write()
    } finally {
      this.isMuted = false
    }
  }

  flush(done: () => void = () => {}): void {
    if (this.destination.flush) this.destination.flush(done)
    else done()
  }

  flushSync(): void {
    this.destination.flushSync?.()
  }

  private keep(text: string, time: string): void {
    const early = this.early!
    this.earlyLength += text.length
    if (early.length < MAX_EARLY_LINES && this.earlyLength < MAX_EARLY_LENGTH)
      early.push([text, this.lastLevel, time])
  }
}
