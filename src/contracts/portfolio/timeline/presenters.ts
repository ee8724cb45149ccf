import type { Language } from '../../../core/messages.ts'
import type { PhotoThumb } from '../../../core/photo-files/thumbs.ts'
import type { EventView } from '../../../core/timeline/rows.ts'
import type { Timeline as CoreTimeline, MonthView } from '../../../core/timeline/timeline.ts'
import type {
  Timeline,
  TimelineEvent,
  TimelineListedEvent,
  TimelineMonthDetail,
  TimelinePhoto,
} from './models.ts'

const LOCALES: Record<Language, string> = { zh: 'zh-CN', en: 'en-US' }

const monthName = (month: number, language: Language): string =>
  new Date(Date.UTC(2000, month - 1)).toLocaleString(LOCALES[language], { month: 'long', timeZone: 'UTC' })

const presentPhoto = (photo: PhotoThumb): TimelinePhoto => ({
  id: photo.id,
  title: photo.title,
  thumb_url: photo.thumbUrl,
  taken_at: photo.takenAt?.toISOString() ?? null,
  width: photo.width,
  height: photo.height,
  placeholder: photo.placeholder,
})

const presentListedEvent = (event: EventView): TimelineListedEvent => ({
  id: event.id,
  title: event.title,
  description: event.description,
  date: event.date,
  type: event.type,
  photos: event.photos.map(presentPhoto),
  created_at: event.createdAt.toISOString(),
  updated_at: event.updatedAt.toISOString(),
})

/** @param event with all of its photos */
export const presentEvent = (event: EventView): TimelineEvent => ({
  ...presentListedEvent(event),
  related_photos: event.photos.map(({ id }) => id),
})

const presentShared = ({ month, photoCount, photos, events }: MonthView, language: Language) => ({
  month,
  month_name: monthName(month, language),
  photo_count: photoCount,
  photos: photos.map(presentPhoto),
  events: events.map(presentListedEvent),
})

export const presentMonth = (view: MonthView, language: Language): TimelineMonthDetail => ({
  year: view.year,
  ...presentShared(view, language),
})

export const presentTimeline = ({ years, stats }: CoreTimeline, language: Language): Timeline => ({
  years: years.map(({ year, photoCount, months }) => ({
    year,
    photo_count: photoCount,
    months: months.map((month) => presentShared(month, language)),
  })),
  stats: {
    total_photos: stats.totalPhotos,
    year_range: stats.yearRange ?? [],
    most_active_month: stats.mostActiveMonth ?? null,
    photos_by_year: stats.photosByYear,
  },
})
