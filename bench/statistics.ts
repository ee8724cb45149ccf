/** The dashboard and the statistics of 100,000 photos and 1,000,000 views, against reading one photo by its key. */
import { sql } from 'drizzle-orm'
import type { Context } from '../src/core/context.ts'
import { foldCounts } from '../src/core/statistics/counts.ts'
import { readDashboard } from '../src/core/statistics/dashboard.ts'
import { photoStatistics } from '../src/core/statistics/photos.ts'
import { storageReport } from '../src/core/statistics/storage.ts'
import { viewStatistics } from '../src/core/statistics/views.ts'
import { arrayLiteral } from '../src/db/arrays.ts'
import { SUMMED_QUARTERS } from '../src/db/schema/index.ts'
import { measurePhotoReads, PHOTOS, type PhotoRead } from './support/photo-reads.ts'
import type { Row } from './support/table.ts'

const VIEWS = 1_000_000
/** Of a year, each with views. */
const QUARTERS = 35_040
const CHANGES = 2000
const STEP = 2500

const dashboard = (period: string, timezone: string): PhotoRead => ({
  name: `dashboard of ${period} in ${timezone}`,
  target: 50,
  read: (ctx) => readDashboard(ctx, { viewer: undefined, origin: 'http://localhost' }, { period, timezone }),
})

const photos = (by: 'taken' | 'created', year: number | undefined): PhotoRead => ({
  name: `photos by month, ${by} ${year === undefined ? 'ever' : `in ${year}`}`,
  target: year === undefined ? 200 : 50,
  read: (ctx) => photoStatistics(ctx, { unit: 'month', by, year, timezone: 'Europe/Berlin' }),
})

const SUBJECTS: PhotoRead[] = [
  dashboard('30d', 'UTC'),
  dashboard('30d', 'Asia/Kathmandu'),
  dashboard('1y', 'Asia/Kathmandu'),
  photos('taken', 2024),
  photos('taken', undefined),
  photos('created', undefined),
  {
    name: 'views of a year by day',
    target: 50,
    read: (ctx) => viewStatistics(ctx, { period: '1y', unit: 'day', timezone: 'Europe/Berlin' }),
  },
  { name: 'storage', target: 50, read: storageReport },
]

export const statistics = (): Promise<Row[]> => measurePhotoReads('statistics', SUBJECTS, seedStatistics)

/** Photos created over two years, views over one, and as many changes of counts as a busy minute has. */
async function seedStatistics(ctx: Context): Promise<void> {
  // In steps, because a statement may take ten seconds.
  for (let from = 1; from <= PHOTOS; from += STEP) {
    await ctx.db.execute(sql`
      update photos set created_at = now() - id * interval '10 minutes', view_count = (id * 7919::bigint) % ${(2 * VIEWS) / PHOTOS}::int
      where id between ${from}::int and ${from + STEP - 1}::int`)
  }
  await ctx.db.execute(sql`
    insert into photo_views (quarters, at, count)
    select quarters, date_bin(quarters * interval '15 minutes', now() - n * interval '15 minutes', timestamptz '1970-01-01 00:00Z'),
      sum(${Math.round(VIEWS / QUARTERS)}::int)
    from generate_series(0, ${QUARTERS - 1}) n, unnest(${arrayLiteral(SUMMED_QUARTERS)}::int[]) quarters group by 1, 2`)
  await foldCounts(ctx)
  // As the database does by itself when most of a table's rows are gone.
  await ctx.db.execute(sql`vacuum count_changes`)
  await ctx.db.execute(sql`
    insert into count_changes (kind, id, n) select 'tag', 1 + n % 300, n % 3 - 1 from generate_series(1, ${CHANGES}) n`)
  for (const table of ['photos', 'photo_index', 'photo_files', 'photo_views', 'counts', 'count_changes'])
    await ctx.db.execute(sql`vacuum analyze ${sql.identifier(table)}`)
}
