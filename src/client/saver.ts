import type { CursorStore } from './options.ts'
import type { Report } from './report.ts'

/** Saves the cursor, at most once in a while, and never two at a time. */
export class CursorSaver {
  private saved: string | undefined
  private newest: string | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private saving: Promise<void> | undefined

  constructor(
    private readonly store: CursorStore | undefined,
    private readonly everyMs: number,
    private readonly report: Report,
  ) {}

  async load(): Promise<string | undefined> {
    try {
      this.saved = await this.store?.load()
    } catch (error) {
      this.report(error)
      throw error
    }
    return this.saved
  }

  /** Every handler has run up to the cursor. */
  advanced(cursor: string): void {
    this.newest = cursor
    if (this.store) this.timer ??= setTimeout(() => this.flush(), this.everyMs)
  }

  /** Saves it now, because the page may end. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.saving ??= this.save().finally(() => {
      this.saving = undefined
    })
  }

  private async save(): Promise<void> {
    while (this.store && this.newest !== undefined && this.newest !== this.saved) {
      const cursor = this.newest
      try {
        await this.store.save(cursor)
      } catch (error) {
        // The next event tries again.
        return this.report(error)
      }
      this.saved = cursor
    }
  }
}
