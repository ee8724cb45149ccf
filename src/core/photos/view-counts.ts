import { sql } from 'drizzle-orm'
import { LRUCache } from 'lru-cache'
import { arrayLiteral } from '../../db/arrays.ts'
import { SUMMED_QUARTERS } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { viewsStoredHint } from './hints.ts'

const FLUSH_MS = 3000
/** Photos whose views wait in memory. When there are more, they are stored at once. */
const CAPACITY = 5000

/**
 * Views of photos, stored together every few seconds, because a row lock and a commit for each view would cost more than the
 * view. A server that is killed loses the views of these seconds. A view counts in the quarter of an hour in which it is stored.
 */
export class ViewCounts {
  private waiting = new Map<number, number>()
  /** Those that the running statement stores. */
  private storing: ReadonlyMap<number, number> = new Map()
  /**
   * What the rows of photos had after their views were stored. Cached answers do not have it, because views change no generation.
   */
  private readonly stored = new LRUCache<number, number>({ max: CAPACITY })
  private running: Promise<void> | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private closed = false

  constructor(private readonly ctx: Pick<Context, 'db' | 'log' | 'bus'>) {
    ctx.bus.subscribe(viewsStoredHint, (photos) => {
      for (const { id, views } of photos) this.stored.set(id, Math.max(views, this.stored.get(id) ?? 0))
    })
  }

  count(photoId: number): void {
    if (this.waiting.size >= CAPACITY && !this.waiting.has(photoId)) {
      // The database has not answered since the last time; then views are lost, and memory is not.
      if (this.running) return
      void this.flush()
    }
    this.waiting.set(photoId, (this.waiting.get(photoId) ?? 0) + 1)
    this.schedule()
  }

  /**
   * The views of a photo, with those that are not in its row yet.
   * @param inRow what its row had when it was read, which may have been before views were stored
   */
  total(photoId: number, inRow: number): number {
    const stored = Math.max(inRow, this.stored.get(photoId) ?? 0)
    return stored + (this.waiting.get(photoId) ?? 0) + (this.storing.get(photoId) ?? 0)
  }

  /** Stores all views. It never throws: views that cannot be stored wait for the next time. */
  async flush(): Promise<void> {
    while (this.running) await this.running
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.waiting.size === 0) return
    this.running = this.store().finally(() => {
      this.running = undefined
    })
    await this.running
  }

  /** Stores what waits, before the database is closed. */
  async close(): Promise<void> {
    this.closed = true
    await this.flush()
  }

  private async store(): Promise<void> {
    const counts = this.waiting
    this.storing = counts
    this.waiting = new Map()
    try {
      const rows = await this.ctx.db.execute<{ id: number; views: number }>(addViews(counts))
      this.ctx.bus.publish(viewsStoredHint, [...rows])
    } catch (error) {
      this.ctx.log.warn({ err: error }, 'views of photos could not be stored')
      this.takeBack(counts)
    }
    this.storing = new Map()
  }

  private takeBack(counts: ReadonlyMap<number, number>): void {
    for (const [id, count] of counts) {
      if (this.waiting.size >= CAPACITY && !this.waiting.has(id)) continue
      this.waiting.set(id, (this.waiting.get(id) ?? 0) + count)
    }
    this.schedule()
  }

  private schedule(): void {
    if (!this.closed) this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS)
  }
}

/**
 * Adds views to the photos, and their sum to the views of all photos in this quarter of an hour and in the larger parts of the day.
 * It locks the photos in the order of their ids, as everything that changes several photos does.
 */
const addViews = (counts: ReadonlyMap<number, number>) => {
  const list = JSON.stringify(Array.from(counts, ([id, n]) => ({ id, n })))
  return sql`
    with stored as (
      update photos set view_count = photos.view_count + seen.n
      from (
        select p.id, v.n from json_to_recordset(${list}::text::json) as v(id int, n int) join photos p on p.id = v.id
        order by p.id for no key update of p
      ) seen
      where photos.id = seen.id
      returning photos.id, photos.view_count as views, seen.n
    ), together as (
      insert into photo_views as v (quarters, at, count)
      select quarters, date_bin(quarters * interval '15 minutes', now(), timestamptz '1970-01-01 00:00Z'), n
      from unnest(${arrayLiteral(SUMMED_QUARTERS)}::int[]) as quarters, (select sum(n) as n from stored having count(*) > 0) all_photos
      order by quarters
      on conflict (quarters, at) do update set count = v.count + excluded.count
    )
    select id, views from stored`
}
