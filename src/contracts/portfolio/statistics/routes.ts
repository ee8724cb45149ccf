import { timezoneNamed } from '../../../core/agenda/times.ts'
import type { Context } from '../../../core/context.ts'
import { readDashboard } from '../../../core/statistics/dashboard.ts'
import { photoStatistics } from '../../../core/statistics/photos.ts'
import { storageReport } from '../../../core/statistics/storage.ts'
import { viewStatistics } from '../../../core/statistics/views.ts'
import { chapter, type Query, type SignedCall } from '../../../http/chapter.ts'
import { originOf } from '../../../http/origin.ts'
import { Envelope, envelope, portfolio } from '../contract.ts'
import {
  Dashboard,
  DashboardQuery,
  PhotoStatistics,
  PhotoStatisticsQuery,
  StorageStatistics,
  ViewStatistics,
  ViewStatisticsQuery,
} from './models.ts'
import {
  presentDashboard,
  presentPhotoStatistics,
  presentStorage,
  presentViewStatistics,
} from './presenters.ts'

const { routes, route } = chapter(portfolio, 'statistics', { limit: 'admin' })

export const statisticsRoutes = (ctx: Context) =>
  routes(ctx)
    .get(
      '/dashboard/stats',
      showDashboard,
      route({
        auth: 'stats.read',
        summary: 'Show the figures of the site, with uploads and views by day, and how its parts are',
        query: DashboardQuery,
        response: Envelope(Dashboard),
      }),
    )
    .get(
      '/stats/photos',
      showPhotos,
      route({
        auth: 'stats.read',
        summary: 'Count photos by day, week, month or year, by state, camera, lens, format and size',
        query: PhotoStatisticsQuery,
        response: Envelope(PhotoStatistics),
      }),
    )
    .get(
      '/stats/views',
      showViews,
      route({
        auth: 'stats.read',
        summary: 'Count views by day, week, month or year',
        query: ViewStatisticsQuery,
        response: Envelope(ViewStatistics),
      }),
    )
    .get(
      '/stats/storage',
      showStorage,
      route({
        auth: 'stats.read',
        summary: 'Show how much is stored, of what and by whom',
        response: Envelope(StorageStatistics),
      }),
    )

async function showDashboard(call: SignedCall & Query<typeof DashboardQuery>) {
  const { ctx, principal, query, request } = call
  const asked = { period: query.period, timezone: timezoneNamed(query.tz, 'tz') }
  const reader = { viewer: principal, origin: originOf(ctx, request) }
  return envelope(request, presentDashboard(ctx, await readDashboard(ctx, reader, asked), asked))
}

async function showPhotos({ ctx, query, request }: SignedCall & Query<typeof PhotoStatisticsQuery>) {
  const { group_by, by, year, tz } = query
  const asked = { unit: group_by, by, year, timezone: timezoneNamed(tz, 'tz') }
  return envelope(request, presentPhotoStatistics(await photoStatistics(ctx, asked), asked))
}

async function showViews({ ctx, query, request }: SignedCall & Query<typeof ViewStatisticsQuery>) {
  const { period, group_by, tz } = query
  const asked = { period, unit: group_by, timezone: timezoneNamed(tz, 'tz') }
  return envelope(request, presentViewStatistics(await viewStatistics(ctx, asked), asked))
}

async function showStorage({ ctx, request }: SignedCall) {
  return envelope(request, presentStorage(await storageReport(ctx)))
}
