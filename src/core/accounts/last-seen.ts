import { sql } from 'drizzle-orm'
import type { Context } from '../context.ts'

const FLUSH_MS = 5000
/** How exact `last_seen_at` is. */
const EVERY_MS = 60_000
/** Sessions that are remembered in one minute. More of them are stored with their next request after it. */
const CAPACITY = 100_000

/**
 * When each session was last used, stored together every few seconds and once a minute for each session, so that a request
 * writes nothing.
 */
export class LastSeen {
  /** The sessions of this minute. */
  private seen = new Set<string>()
  private waiting: string[] = []
  private minuteBegan = performance.now()
  private running: Promise<void> | undefined
  private readonly timer: ReturnType<typeof setInterval>

  constructor(private readonly ctx: Pick<Context, 'db' | 'log'>) {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS)
  }

  mark(sessionId: string): void {
    if (this.seen.has(sessionId) || this.seen.size >= CAPACITY) return
    this.seen.add(sessionId)
    this.waiting.push(sessionId)
  }

  /** Stores what waits. It never throws: a session that cannot be stored is stored a minute later. */
  async flush(): Promise<void> {
    while (this.running) await this.running
    if (performance.now() - this.minuteBegan >= EVERY_MS) {
      this.seen = new Set(this.waiting)
      this.minuteBegan = performance.now()
    }
    if (this.waiting.length === 0) return
    this.running = this.store(this.waiting.splice(0)).finally(() => {
      this.running = undefined
    })
    await this.running
  }

  /** Stores what waits, before the database is closed. */
  async close(): Promise<void> {
    clearInterval(this.timer)
    await this.flush()
  }

  private async store(ids: string[]): Promise<void> {
    try {
      await this.ctx.db.execute(markSeen(ids))
    } catch (error) {
      this.ctx.log.debug({ err: error }, 'the times of sessions could not be stored')
    }
  }
}

/** Another server may have stored a time in this minute. A locked session is left out, because it may be ending. */
const markSeen = (ids: string[]) => sql`
  update sessions set last_seen_at = now()
  where id in (
    select id from sessions
    where id in (select value::uuid from json_array_elements_text(${JSON.stringify(ids)}::text::json))
      and last_seen_at < now() - make_interval(secs => ${EVERY_MS / 1000}) * 0.8
    for no key update skip locked
  )`
