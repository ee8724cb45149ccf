/** Videos and PDFs that everybody may see. */
import { dataOf } from '../../../../client/index.ts'
import { useFilter } from '../../lib/filter.ts'
import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
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

const load = ({ page, sort, type }: Query, signal: AbortSignal) =>
  dataOf(
    api().learning.materials.get({
      query: { page, page_size: PAGE_SIZE, sort_by: sort, ...(type && { material_type: type }) },
      signal,
    }),
  )
export type Material = Awaited<ReturnType<typeof load>>['items'][number]

export default function Materials() {
  const { filter, page, key, change } = useFilter(['sort', 'type'])
  const sort = SORTS.find((one) => one === filter.sort) ?? 'created_at'
  const type = TYPES.find((one) => one === filter.type)
  const view = useView({
    key,
    load: (signal) => load({ page, sort, type }, signal),
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
          value={type ?? ''}
          onChange={({ currentTarget }) => change({ type: currentTarget.value })}
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
          value={sort}
          onChange={({ currentTarget }) => change({ sort: currentTarget.value })}
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
        {(list) =>
          list.total === 0 ? (
            <Empty text={type ? t.noneOfType : t.empty} />
          ) : (
            <>
              <ul class="material-grid">
                {list.items.map((material) => (
                  <li key={material.id}>
                    <MaterialCard material={material} />
                  </li>
                ))}
              </ul>
              <Pager of={list} />
            </>
          )
        }
      </Loaded>
    </>
  )
}
