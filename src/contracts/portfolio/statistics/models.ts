import { type Static, t } from 'elysia'
import { UNITS } from '../../../core/statistics/periods.ts'
import { TIMES } from '../../../core/statistics/photos.ts'
import { choice } from '../../../http/choice.ts'
import { integerText } from '../../../http/integer-text.ts'
import { nullable, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

/** `30d`: the server checks it in core, whose error says what it may be. */
const period = t.String({ maxLength: 10, default: '30d' })
/** An IANA name. */
const tz = t.String({ minLength: 1, maxLength: 64, default: 'UTC' })

export const DashboardQuery = t.Object({ period, tz })
export const PhotoStatisticsQuery = t.Object({
  group_by: choice(UNITS, { default: 'month' }),
  by: choice(TIMES, { default: 'taken' }),
  year: t.Optional(integerText({ minimum: 1, maximum: 9999 })),
  tz,
})
export const ViewStatisticsQuery = t.Object({ period, group_by: choice(UNITS, { default: 'day' }), tz })

/** What a day, week, month or year has. */
const PeriodCount = t.Object({
  /** Its first day: YYYY-MM-DD. */
  date: t.String(),
  /** `2026-11-28`, `2026-W48`, `2026-11` or `2026`. */
  period: t.String(),
  count: t.Integer(),
})
const DayCount = t.Object({ date: t.String(), count: t.Integer() })
const NameCount = t.Object({ name: t.String(), count: t.Integer() })

const tagFields = { id: t.Integer(), name: t.String(), slug: t.String(), count: t.Integer() }
const PopularTag = t.Object(tagFields)
const PopularCategory = t.Object({ ...tagFields, percentage: t.Number() })
const PopularPhoto = t.Object({
  id: t.Integer(),
  title: t.String(),
  thumb_url: t.String(),
  view_count: t.Integer(),
  like_count: t.Integer(),
})

const Health = choice(['healthy', 'unhealthy'])
const part = <K extends string>(kinds: readonly K[]) =>
  t.Object({ kind: choice(kinds), latency_ms: t.Number() })

/** How the parts of this server are. `redis` is what stands in for it where no Redis is used: see `parts`. */
const SystemStatus = t.Object({
  database: Health,
  redis: Health,
  storage: Health,
  queue: Health,
  parts: t.Object({
    database: part(['embedded', 'postgresql']),
    redis: part(['embedded', 'redis']),
    storage: part(['disk', 's3']),
    queue: part(['database']),
  }),
})

export const Dashboard = t.Object({
  summary: t.Object({
    total_photos: t.Integer(),
    total_categories: t.Integer(),
    total_tags: t.Integer(),
    total_views: t.Integer(),
    /** Bytes. */
    storage_used: t.Integer(),
    /** Bytes; 0 when there is no limit. */
    storage_limit: t.Integer(),
  }),
  recent: t.Object({
    new_photos: t.Integer(),
    new_views: t.Integer(),
    new_likes: t.Integer(),
    /** As the client wrote it. */
    period: t.String(),
  }),
  trends: t.Object({ uploads: t.Array(DayCount), views: t.Array(DayCount) }),
  popular: t.Object({
    categories: t.Array(PopularCategory),
    tags: t.Array(PopularTag),
    photos: t.Array(PopularPhoto),
  }),
  system_status: SystemStatus,
  timezone: t.String(),
})
export type Dashboard = Static<typeof Dashboard>

const Amount = { objects: t.Integer(), bytes: t.Integer() }
const StoredAmount = t.Object(Amount)
const TypeAmount = t.Object({ mime_type: t.String(), ...Amount })

export const PhotoStatistics = t.Object({
  total_photos: t.Integer(),
  total_views: t.Integer(),
  by_status: t.Object({ published: t.Integer(), draft: t.Integer(), archived: t.Integer() }),
  by_visibility: t.Object({ public: t.Integer(), private: t.Integer() }),
  group_by: choice(UNITS),
  by: choice(TIMES),
  year: nullable(t.Integer()),
  timezone: t.String(),
  periods: t.Array(PeriodCount),
  /** The photos of these periods. */
  count: t.Integer(),
  /** Photos of which it is not known when they were taken; 0 when they are grouped by their creation. */
  undated: t.Integer(),
  cameras: t.Array(NameCount),
  lenses: t.Array(NameCount),
  formats: t.Array(TypeAmount),
  /** `to` is not included; it is null for the largest files. */
  file_sizes: t.Array(t.Object({ from: t.Integer(), to: nullable(t.Integer()), ...Amount })),
  orientations: t.Object({ landscape: t.Integer(), portrait: t.Integer(), square: t.Integer() }),
})
export type PhotoStatistics = Static<typeof PhotoStatistics>

export const ViewStatistics = t.Object({
  /** As the client wrote it. */
  period: t.String(),
  group_by: choice(UNITS),
  timezone: t.String(),
  /** Of all photos, since each was created. */
  total_views: t.Integer(),
  /** When the first view was stored with its time. */
  recorded_since: nullable(Timestamp),
  periods: t.Array(PeriodCount),
  /** The views of these periods. */
  count: t.Integer(),
  /** The views of the time before, which is as long. */
  previous_count: t.Integer(),
  /** Null when there were none before. */
  change_percentage: nullable(t.Number()),
})
export type ViewStatistics = Static<typeof ViewStatistics>

export const StorageStatistics = t.Object({
  kind: choice(['disk', 's3']),
  storage_used: t.Integer(),
  storage_limit: t.Integer(),
  /** Null when there is no limit. */
  usage_percentage: nullable(t.Number()),
  objects: t.Integer(),
  breakdown: t.Object({
    originals: StoredAmount,
    renditions: StoredAmount,
    public_copies: StoredAmount,
    unfinished_uploads: StoredAmount,
    materials: StoredAmount,
  }),
  originals: t.Array(TypeAmount),
  renditions: t.Array(t.Object({ name: t.String(), ...Amount })),
  materials: t.Array(t.Object({ format: t.String(), ...Amount })),
  users: t.Array(t.Object({ id: t.Integer(), username: t.String(), ...Amount })),
})
export type StorageStatistics = Static<typeof StorageStatistics>

named({
  PeriodCount,
  DayCount,
  NameCount,
  PopularTag,
  PopularCategory,
  PopularPhoto,
  SystemStatus,
  Dashboard,
  StoredAmount,
  TypeAmount,
  PhotoStatistics,
  ViewStatistics,
  StorageStatistics,
})
