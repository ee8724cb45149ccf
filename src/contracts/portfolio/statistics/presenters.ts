import type { Context } from '../../../core/context.ts'
import type { Dashboard as CoreDashboard } from '../../../core/statistics/dashboard.ts'
import type { Period, Unit } from '../../../core/statistics/periods.ts'
import type { PhotoStatistics as CorePhotos, Time } from '../../../core/statistics/photos.ts'
import type { Named, PopularCategory, PopularPhoto } from '../../../core/statistics/popular.ts'
import type { Amount, StorageReport } from '../../../core/statistics/storage.ts'
import type { ViewStatistics as CoreViews } from '../../../core/statistics/views.ts'
import type { ComponentHealth } from '../../../core/system/health.ts'
import type { Dashboard, PhotoStatistics, StorageStatistics, ViewStatistics } from './models.ts'

export const presentDashboard = (
  ctx: Context,
  dashboard: CoreDashboard,
  asked: { period: string; timezone: string },
): Dashboard => ({
  summary: {
    total_photos: dashboard.photos,
    total_categories: dashboard.categories,
    total_tags: dashboard.tags,
    total_views: dashboard.views,
    storage_used: dashboard.storage.bytes,
    storage_limit: dashboard.storage.limit ?? 0,
  },
  recent: {
    new_photos: sum(dashboard.uploads),
    new_views: sum(dashboard.viewsByDay),
    // No route of this server likes a photo.
    new_likes: 0,
    period: asked.period,
  },
  trends: {
    uploads: presentDays(dashboard.days, dashboard.uploads),
    views: presentDays(dashboard.days, dashboard.viewsByDay),
  },
  popular: {
    categories: dashboard.popular.categories.map(presentCategory),
    tags: dashboard.popular.tags.map(presentNamed),
    photos: dashboard.popular.photos.map(presentPhoto),
  },
  system_status: presentHealth(ctx, dashboard.health),
  timezone: asked.timezone,
})

export const presentPhotoStatistics = (
  photos: CorePhotos,
  asked: { unit: Unit; by: Time; year: number | undefined; timezone: string },
): PhotoStatistics => ({
  total_photos: photos.photos,
  total_views: photos.views,
  by_status: {
    published: photos.byStatus.published,
    draft: photos.byStatus.draft,
    archived: photos.byStatus.archived,
  },
  by_visibility: { public: photos.byVisibility.public, private: photos.byVisibility.private },
  group_by: asked.unit,
  by: asked.by,
  year: asked.year ?? null,
  timezone: asked.timezone,
  periods: presentPeriods(photos.periods, photos.counts),
  count: sum(photos.counts),
  undated: photos.undated,
  cameras: photos.cameras.map(({ name, count }) => ({ name, count })),
  lenses: photos.lenses.map(({ name, count }) => ({ name, count })),
  formats: photos.types.map(({ type, ...amount }) => ({ mime_type: type, ...presentAmount(amount) })),
  file_sizes: photos.sizes.map(({ from, to, ...amount }) => ({
    from,
    to: to ?? null,
    ...presentAmount(amount),
  })),
  orientations: {
    landscape: photos.orientations.landscape,
    portrait: photos.orientations.portrait,
    square: photos.orientations.square,
  },
})

export function presentViewStatistics(
  views: CoreViews,
  asked: { period: string; unit: Unit; timezone: string },
): ViewStatistics {
  const count = sum(views.counts)
  return {
    period: asked.period,
    group_by: asked.unit,
    timezone: asked.timezone,
    total_views: views.allViews,
    recorded_since: views.since?.toISOString() ?? null,
    periods: presentPeriods(views.periods, views.counts),
    count,
    previous_count: views.before,
    change_percentage: views.before === 0 ? null : percentage(count - views.before, views.before),
  }
}

export const presentStorage = (report: StorageReport): StorageStatistics => ({
  kind: report.kind,
  storage_used: report.bytes,
  storage_limit: report.limit ?? 0,
  usage_percentage: report.limit === undefined ? null : percentage(report.bytes, report.limit),
  objects: report.objects,
  breakdown: {
    originals: presentAmount(report.originals),
    renditions: presentAmount(report.renditions),
    public_copies: presentAmount(report.copies),
    unfinished_uploads: presentAmount(report.chunks),
    materials: presentAmount(report.materials),
  },
  originals: report.originalsByType.map(({ type, ...amount }) => ({
    mime_type: type,
    ...presentAmount(amount),
  })),
  renditions: report.renditionsByName.map(({ name, ...amount }) => ({ name, ...presentAmount(amount) })),
  materials: report.materialsByFormat.map(({ format, ...amount }) => ({ format, ...presentAmount(amount) })),
  users: report.users.map(({ id, username, ...amount }) => ({ id, username, ...presentAmount(amount) })),
})

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0)

/** With one decimal. */
const percentage = (part: number, whole: number): number => Math.round((part / whole) * 1000) / 10

const presentDays = (days: readonly Period[], counts: readonly number[]) =>
  days.map(({ date }, n) => ({ date, count: counts[n]! }))

const presentPeriods = (periods: readonly Period[], counts: readonly number[]) =>
  periods.map(({ date, name }, n) => ({ date, period: name, count: counts[n]! }))

const presentAmount = ({ objects, bytes }: Amount) => ({ objects, bytes })

const presentNamed = ({ id, name, slug, count }: Named) => ({ id, name, slug, count })

const presentCategory = (category: PopularCategory) => ({
  ...presentNamed(category),
  percentage: category.percentage,
})

const presentPhoto = (photo: PopularPhoto) => ({
  id: photo.id,
  title: photo.title,
  thumb_url: photo.thumbUrl,
  view_count: photo.viewCount,
  like_count: photo.likeCount,
})

const word = ({ healthy }: ComponentHealth) => (healthy ? ('healthy' as const) : ('unhealthy' as const))

function presentHealth(
  ctx: Context,
  { database, bus, storage, queue }: CoreDashboard['health'],
): Dashboard['system_status'] {
  const part = <K extends string>(kind: K, { latencyMs }: ComponentHealth) => ({
    kind,
    latency_ms: Math.round(latencyMs * 100) / 100,
  })
  return {
    database: word(database),
    redis: word(bus),
    storage: word(storage),
    queue: word(queue),
    parts: {
      database: part(ctx.config.databaseUrl ? 'postgresql' : 'embedded', database),
      redis: part(ctx.bus.kind, bus),
      storage: part(ctx.storage.kind, storage),
      queue: part('database', queue),
    },
  }
}
