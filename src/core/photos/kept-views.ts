import { sql } from 'drizzle-orm'
import type { Bus } from '../../bus/bus.ts'
import { arrayLiteral } from '../../db/arrays.ts'
import { preparedSql } from '../../db/prepared.ts'
import { Lru } from '../../util/lru.ts'
import type { Context } from '../context.ts'
import { namesChangedHint } from '../photo-index/hints.ts'
import { type PhotoView, readViews } from './view.ts'

const CAPACITY = 1000
/** Another server's change of a category or a tag is seen after this time, also when its hint was lost. */
const FRESH_MS = 10_000

interface Kept {
  view: PhotoView
  stamp: string
  /** When it was read, by the monotonic clock. */
  at: number
}

/**
 * `xmin` is the transaction that wrote a row: a row with the same one is the same row. Changes of a photo's categories and
 * tags write the photo too; a change or deletion of a category or tag itself publishes a hint.
 */
const stampsById = preparedSql<{ id: number; stamp: string }>(
  'photo_stamps',
  sql`
    select p.id, p.xmin || ' ' || f.xmin as stamp from photos p join photo_files f on f.id = p.file_id
    where p.id = any(${sql.placeholder('ids')}::int[])`,
)

/**
 * Views of the photos that lists show again and again. Each time the database is asked whether the photo or its file has
 * changed, on whichever server, so a view that is shown is never older than the request. Only what it says of categories
 * and tags may be older on other servers, until they hear of the change.
 */
export class KeptViews {
  private kept = new Lru<number, Kept>(CAPACITY)

  constructor(bus: Bus) {
    bus.subscribe(namesChangedHint, () => this.forget())
    bus.onGap(() => this.forget())
  }

  /**
   * The photos with these ids, in this order, in one or two statements. An id that no photo has is left out. No visibility is
   * checked.
   */
  async get(ctx: Context, ids: readonly number[]): Promise<PhotoView[]> {
    const { kept } = this
    const views = await this.unchanged(ctx, ids)
    const missing = ids.filter((id) => !views.has(id))
    const at = performance.now()
    for (const { view, stamp } of await readViews(ctx, missing)) {
      views.set(view.id, view)
      kept.set(view.id, { view, stamp, at })
    }
    return ids.flatMap((id) => views.get(id) ?? [])
  }

  private async unchanged(ctx: Context, ids: readonly number[]): Promise<Map<number, PhotoView>> {
    const views = new Map<number, PhotoView>()
    const now = performance.now()
    const known = new Map<number, Kept>()
    for (const id of ids) {
      const entry = this.kept.get(id)
      if (entry && now - entry.at < FRESH_MS) known.set(id, entry)
    }
    if (known.size === 0) return views
    for (const { id, stamp } of await stampsById(ctx.db).execute({ ids: arrayLiteral(known.keys()) })) {
      const { stamp: before, view } = known.get(id)!
      if (stamp === before) views.set(id, view)
    }
    return views
  }

  /** Views that are being read may have the old names, so they go into the old map, where no later caller finds them. */
  private forget(): void {
    this.kept = new Lru(CAPACITY)
  }
}
