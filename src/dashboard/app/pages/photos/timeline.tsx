/** Photos by the month in which they were taken. */
import { dataOf } from '../../../../client/index.ts'
import { count, date, monthOf } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href, route } from '../../lib/router.ts'
import { api } from '../../lib/session.ts'
import { reload, useView } from '../../lib/view.ts'
import { Badge, Empty, Loaded } from '../../ui/parts.tsx'
import { listHref, photoHref } from './filter.ts'
import { PhotosHead } from './photos-head.tsx'
import { placeholderOf } from './placeholder.ts'
import { useRenewal } from './renewal.ts'

const t = texts({
  en: {
    years: 'Years',
    photos: (n: number, text: string) => (n === 1 ? '1 photo' : `${text} photos`),
    empty: 'No photo has a time at which it was taken.',
    all: 'Show all',
    allOf: (month: string) => `Show all photos of ${month}`,
    most: (month: string, n: string) => `Most photos: ${month}, ${n}`,
  },
  zh: {
    years: '年份',
    photos: (_: number, text: string) => `${text} 张照片`,
    empty: '没有带拍摄时间的照片。',
    all: '查看全部',
    allOf: (month: string) => `查看${month}的全部照片`,
    most: (month: string, n: string) => `照片最多：${month}，${n} 张`,
  },
})

/** Shown of each month. */
const MOST_PHOTOS = 12

/** Photos of one year, the newest one unless the user has chosen another. */
async function load(year: number | undefined) {
  const get = (query: object) => dataOf(api().portfolio.timeline.get({ query }))
  const { data } = await get({ include_photos: false })
  const shown = year ?? data.years[0]?.year
  if (shown === undefined) return { stats: data.stats, years: data.years, shown: undefined }
  const { data: photos } = await get({ year: shown, photos_limit: MOST_PHOTOS })
  return { stats: data.stats, years: data.years, shown: photos.years[0] }
}
type Timeline = Awaited<ReturnType<typeof load>>
type Month = NonNullable<Timeline['shown']>['months'][number]

export default function TimelinePage() {
  const year = route.value.query.get('year')
  const view = useView({
    key: year ?? '',
    load: () => load(year ? Number(year) : undefined),
    on: { 'photo.processed': reload, 'photo.deleted': reload, 'photo.updated': reload },
  })
  const renew = useRenewal(view)
  return (
    <>
      <PhotosHead current="timeline" />
      <Loaded view={view} lines={8}>
        {({ stats, years, shown }) =>
          shown === undefined ? (
            <Empty text={t.empty} />
          ) : (
            <>
              <nav class="chips" aria-label={t.years}>
                {years.map(({ year, photo_count }) => (
                  <a
                    key={year}
                    class={year === shown.year ? 'chip on' : 'chip'}
                    aria-current={year === shown.year ? 'page' : undefined}
                    href={href('/photos/timeline', { year })}
                  >
                    {year} <span class="number">{count(photo_count)}</span>
                  </a>
                ))}
              </nav>
              {stats.most_active_month && (
                <p class="muted small">
                  {t.most(
                    monthOf(stats.most_active_month.year, stats.most_active_month.month),
                    count(stats.most_active_month.count),
                  )}
                </p>
              )}
              <ol class="timeline">
                {shown.months.map((month) => (
                  <li key={month.month}>
                    <MonthPhotos year={shown.year} month={month} onImageError={renew} />
                  </li>
                ))}
              </ol>
            </>
          )
        }
      </Loaded>
    </>
  )
}

function MonthPhotos({
  year,
  month,
  onImageError,
}: {
  year: number
  month: Month
  onImageError: () => void
}) {
  const filter = { year: String(year), month: String(month.month), sort: 'taken' } as const
  const name = monthOf(year, month.month)
  return (
    <section class="stack-tight">
      <div class="row">
        <h2>{name}</h2>
        <span class="grow muted number">{t.photos(month.photo_count, count(month.photo_count))}</span>
        {month.photo_count > month.photos.length && (
          <a href={listHref(filter)} aria-label={t.allOf(name)}>
            {t.all}
          </a>
        )}
      </div>
      {month.events.map(({ id, title, description, date: day, type }) => (
        <div key={id} class="notice">
          <Badge tone="info">{type}</Badge>
          <strong>{title}</strong>
          <span class="muted small">{date(day)}</span>
          {description && <span class="small">{description}</span>}
        </div>
      ))}
      <ul class="timeline-photos">
        {month.photos.map(({ id, title, thumb_url, width, height, placeholder }, index) => {
          const background = placeholderOf(placeholder)
          return (
            <li key={id} style={{ aspectRatio: `${width ?? 3} / ${height ?? 2}` }}>
              <a
                class="photo-cell"
                href={photoHref(id, filter, index)}
                aria-label={title}
                style={background && { backgroundImage: background }}
              >
                <img
                  alt=""
                  loading="lazy"
                  decoding="async"
                  width={width ?? undefined}
                  height={height ?? undefined}
                  src={thumb_url}
                  onError={onImageError}
                />
              </a>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
