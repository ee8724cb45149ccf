/** Videos and PDFs that everybody may see. */
import { dataOf } from '../../../../client/index.ts'
import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href, navigate, route } from '../../lib/router.ts'
import { api } from '../../lib/session.ts'
import { RELOAD, reload, useView } from '../../lib/view.ts'
import { Pager } from '../../ui/pager.tsx'
import { Empty, Loaded, PageHead } from '../../ui/parts.tsx'
import { UploadChooser } from '../../uploads/chooser.tsx'
import { MaterialCard } from './material-card.tsx'

const t = texts({
  en: {
    title: 'Materials',
    order: 'Order',
    created_at: 'Newest first',
    view_count: 'Most viewed first',
    like_count: 'Most liked first',
    type: 'Type',
    all: 'Videos and PDFs',
    video: 'Videos',
    pdf: 'PDFs',
    count: (n: number, text: string) => (n === 1 ? '1 material' : `${text} materials`),
    empty: 'No materials yet. Drop a video or PDF here, or press “Upload”.',
    noneOfType: 'None of this type.',
  },
  zh: {
    title: '资料',
    order: '排序',
    created_at: '最新上传',
    view_count: '浏览最多',
    like_count: '点赞最多',
    type: '类型',
    all: '视频和 PDF',
    video: '视频',
    pdf: 'PDF',
    count: (_: number, text: string) => `${text} 个资料`,
    empty: '还没有资料。把视频或 PDF 拖到这里，或点击“上传”。',
    noneOfType: '没有这种类型的资料。',
  },
})

const SORTS = ['created_at', 'view_count', 'like_count'] as const
const TYPES = ['video', 'pdf'] as const
const PAGE_SIZE = 24

interface Query {
  page: number
  sort: (typeof SORTS)[number]
  type: (typeof TYPES)[number] | undefined
}

const queryOf = (query: URLSearchParams): Query => ({
  page: Math.max(1, Number(query.get('page')) || 1),
  sort: SORTS.find((sort) => sort === query.get('sort')) ?? 'created_at',
  type: TYPES.find((type) => type === query.get('type')),
})

const hrefOf = ({ page, sort, type }: Query) =>
  href('/materials', {
    page: page > 1 ? page : undefined,
    sort: sort === 'created_at' ? undefined : sort,
    type,
  })

const load = ({ page, sort, type }: Query, signal: AbortSignal) =>
  dataOf(
    api().learning.materials.get({
      query: { page, page_size: PAGE_SIZE, sort_by: sort, ...(type && { material_type: type }) },
      signal,
    }),
  )
export type Material = Awaited<ReturnType<typeof load>>['items'][number]

export default function Materials() {
  const query = queryOf(route.value.query)
  const view = useView({
    key: JSON.stringify(query),
    load: (signal) => load(query, signal),
    on: {
      'upload.completed': ({ data }, list) => (data.material_id === undefined ? list : RELOAD),
      'thumbnail.completed': reload,
      'material.hidden': reload,
      'material.removed': reload,
    },
  })
  return (
    <>
      <PageHead title={t.title}>
        <UploadChooser />
      </PageHead>
      <div class="row">
        <select
          class="input material-choice"
          aria-label={t.type}
          value={query.type ?? ''}
          onChange={({ currentTarget }) =>
            navigate(hrefOf({ ...query, page: 1, type: TYPES.find((type) => type === currentTarget.value) }))
          }
        >
          <option value="">{t.all}</option>
          {TYPES.map((type) => (
            <option key={type} value={type}>
              {t[type]}
            </option>
          ))}
        </select>
        <select
          class="input material-choice"
          aria-label={t.order}
          value={query.sort}
          onChange={({ currentTarget }) =>
            navigate(hrefOf({ ...query, page: 1, sort: currentTarget.value as Query['sort'] }))
          }
        >
          {SORTS.map((sort) => (
            <option key={sort} value={sort}>
              {t[sort]}
            </option>
          ))}
        </select>
        {view.data && <span class="muted number">{t.count(view.data.total, count(view.data.total))}</span>}
      </div>
      <Loaded view={view} lines={8}>
        {({ items, total, total_pages: pages }) =>
          total === 0 ? (
            <Empty text={query.type ? t.noneOfType : t.empty} />
          ) : (
            <>
              <ul class="material-grid">
                {items.map((material) => (
                  <li key={material.id}>
                    <MaterialCard material={material} />
                  </li>
                ))}
              </ul>
              <Pager
                page={query.page}
                pages={pages}
                onPage={(page) => navigate(hrefOf({ ...query, page }))}
              />
            </>
          )
        }
      </Loaded>
    </>
  )
}
