import { getTableName, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { categories, tags } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import type { Viewer } from '../photo-index/visibility.ts'
import { type ComponentHealth, checkHealth } from '../system/health.ts'
import { readerOfCounts, sumOfCounts } from './counts.ts'
import { nowOf, type Period, periodsOf, spanUntil } from './periods.ts'
import {
  type Named,
  type PopularCategory,
  type PopularPhoto,
  popularCategories,
  popularPhotos,
  popularTags,
} from './popular.ts'
import { photosCreated, viewsStored } from './series.ts'
import { STORED_CHUNKS, STORED_KINDS, type StorageUse, storageUse } from './storage.ts'

export interface Dashboard {
  photos: number
  categories: number
  tags: number
  /** Of all photos, since each was created. */
  views: number
  storage: StorageUse
  days: Period[]
  /** By day. */
  uploads: number[]
  viewsByDay: number[]
  popular: { categories: PopularCategory[]; tags: Named[]; photos: PopularPhoto[] }
  health: Record<(typeof SHOWN)[number], ComponentHealth>
}

const SHOWN = ['database', 'bus', 'storage', 'queue'] as const
/** A part that takes longer to answer is shown as unhealthy, so that the dashboard does not wait for it. */
const PROBE_MS = 1000

const numberOf = (table: PgTable) =>
  sql`(select ${sql.raw(`'${getTableName(table)}'`)} as kind, 0 as id, '' as name, count(*)::float8 as n, 0::float8 as total from ${table})`
const readTotals = readerOfCounts(
  'dashboard_counts',
  ['photo', ...STORED_KINDS],
  [STORED_CHUNKS, numberOf(categories), numberOf(tags)],
)

/**
 * The figures of the whole site.
 * @param query.period such as `30d`
 * @throws AppError VALIDATION_FAILED
 */
export async function readDashboard(
  ctx: Context,
  reader: { viewer: Viewer; origin: string },
  query: { period: string; timezone: string },
): Promise<Dashboard> {
  const days = periodsOf(spanUntil(nowOf(ctx), query.period, query.timezone), 'day', query.timezone)
  await ctx.services.viewCounts.flush()
  const [counts, uploads, viewsByDay, mostCategories, mostTags, mostPhotos, health] = await Promise.all([
    readTotals(ctx),
    photosCreated(ctx, days),
    viewsStored(ctx, days),
    popularCategories(ctx),
    popularTags(ctx),
    popularPhotos(ctx, reader),
    checkHealth(ctx, SHOWN, PROBE_MS),
  ])
  const sumOf = (of: string) => sumOfCounts(counts.filter(({ kind }) => kind === of))
  const photos = sumOf('photo')
  return {
    photos: photos.n,
    views: photos.total,
    categories: sumOf('categories').n,
    tags: sumOf('tags').n,
    storage: await storageUse(ctx, counts),
    days,
    uploads,
    viewsByDay,
    popular: { categories: mostCategories, tags: mostTags, photos: mostPhotos },
    health,
  }
}
