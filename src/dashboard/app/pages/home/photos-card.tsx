import { dataOf } from '../../../../client/index.ts'
import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { api, isEditor } from '../../lib/session.ts'
import { reload, useView } from '../../lib/view.ts'
import { Card, Loaded } from '../../ui/parts.tsx'

const t = texts({
  en: { title: 'Newest photos', all: 'All photos', none: 'There are no photos yet.', add: 'Add some' },
  zh: { title: '最新照片', all: '全部照片', none: '还没有照片。', add: '添加照片' },
})

const SHOWN = 8

async function load(signal: AbortSignal) {
  const query = { page: 1, limit: SHOWN }
  const { data } = await dataOf(api().portfolio.photos.get({ query, signal }))
  return data
}
type Photos = Awaited<ReturnType<typeof load>>

export function PhotosCard() {
  const view = useView<Photos>({
    load,
    on: {
      'photo.created': reload,
      'photo.updated': reload,
      'photo.deleted': reload,
      'photo.processed': reload,
    },
  })
  return (
    <Card
      title={t.title}
      actions={
        <a class="small" href={href('/photos')}>
          {t.all}
        </a>
      }
    >
      <Loaded view={view} lines={3}>
        {(photos) =>
          photos.length === 0 ? (
            <p class="muted">
              {t.none} {isEditor.value && <a href={href('/photos')}>{t.add}</a>}
            </p>
          ) : (
            <ul class="home-photos">
              {photos.map(({ id, title, formats, processing_status }) => (
                <li key={id}>
                  <a href={href(`/photos/${id}`)} title={title}>
                    {processing_status === 'completed' ? (
                      <img src={formats.thumb_medium} alt={title} loading="lazy" width={150} height={150} />
                    ) : (
                      <span class="home-photo-wait truncate small muted">{title}</span>
                    )}
                  </a>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  )
}
