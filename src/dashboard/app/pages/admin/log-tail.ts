import type { SystemLogFrame } from '../../../../client/index.ts'

export type Level = SystemLogFrame['level']
/** From the lowest. */
export const LEVELS: readonly Level[] = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']

/** Lines in memory, so that a filter finds more than the page shows. */
const KEPT = 3000

/** The newest lines. A paused page takes none, and they wait here, as many as are kept. */
export class LineTail {
  private lines: readonly SystemLogFrame[] = []
  private waiting: SystemLogFrame[] = []
  /** Lines that have come since the last `take`, those that are no longer kept too. */
  unseen = 0

  add(line: SystemLogFrame): void {
    this.unseen++
    this.waiting.push(line)
    if (this.waiting.length >= 2 * KEPT) this.waiting = this.waiting.slice(-KEPT)
  }

  /** The newest lines, the oldest first. */
  take(): readonly SystemLogFrame[] {
    this.lines = [...this.lines, ...this.waiting].slice(-KEPT)
    this.waiting = []
    this.unseen = 0
    return this.lines
  }
}
