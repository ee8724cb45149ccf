import { dataOf } from '../../../../client/index.ts'
import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { api } from '../../lib/session.ts'
import { reload, useView } from '../../lib/view.ts'
import { Icon } from '../../ui/icon.tsx'
import { Ago, Card, Loaded } from '../../ui/parts.tsx'

const t = texts({
  en: {
    title: 'Newest materials',
    all: 'All materials',
    none: 'There are no materials yet.',
    add: 'Upload one',
  },
  zh: { title: '最新资料', all: '全部资料', none: '还没有资料。', add: '上传资料' },
})

const SHOWN = 4

async function load(signal: AbortSignal) {
  const query = { page: 1, page_size: SHOWN }
  return (await dataOf(api().learning.materials.get({ query, signal }))).items
}
type Materials = Awaited<ReturnType<typeof load>>

export function MaterialsCard() {
  const view = useView<Materials>({
    load,
    on: {
      'upload.completed': reload,
      'thumbnail.completed': reload,
      'material.hidden': reload,
      'material.removed': reload,
    },
  })
  return (
    <Card
      title={t.title}
      actions={
        <a class="small" href={href('/materials')}>
          {t.all}
        </a>
      }
    >
      <Loaded view={view} lines={3}>
        {(materials) =>
          materials.length === 0 ? (
            <p class="muted">
              {t.none} <a href={href('/materials')}>{t.add}</a>
            </p>
          ) : (
            <ul class="home-materials">
              {materials.map(({ id, title, type, thumbnail_url, created_at }) => (
                <li key={id}>
                  <a href={href(`/materials/${id}`)}>
                    <span class="home-thumb">
                      {thumbnail_url ? (
                        <img src={thumbnail_url} alt="" loading="lazy" width={160} height={90} />
                      ) : (
                        <Icon name={type === 'pdf' ? 'log' : 'play'} size={28} />
                      )}
                    </span>
                    <span class="truncate">{title}</span>
                    <span class="small muted">
                      <Ago at={created_at} />
                    </span>
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
