/** What narrows a list of photos, and in which order it is. */
import { count, monthOf } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { navigate } from '../../lib/router.ts'
import { isEditor } from '../../lib/session.ts'
import type { CategoryList } from './categories.ts'
import { listHref, type PhotoFilter, type Sort } from './filter.ts'
import type { Facets } from './photo-list.ts'
import { STATUS_TEXTS } from './status.tsx'

const t = texts({
  en: {
    order: 'Order',
    newest: 'Newest first',
    taken: 'Last taken first',
    oldest: 'First taken first',
    title: 'By title',
    status: 'Status',
    allStatuses: 'Every status',
    remove: (what: string) => `Without ${what}`,
    active: 'Active filters',
    words: (q: string) => `“${q}”`,
    category: 'Category',
    tag: 'Tags',
    year: 'Years',
    narrow: 'Narrow the search',
  },
  zh: {
    order: '排序',
    newest: '最新上传',
    taken: '最近拍摄',
    oldest: '最早拍摄',
    title: '按标题',
    status: '状态',
    allStatuses: '全部状态',
    remove: (what: string) => `移除条件：${what}`,
    active: '当前条件',
    words: (q: string) => `“${q}”`,
    category: '分类',
    tag: '标签',
    year: '年份',
    narrow: '缩小搜索范围',
  },
})

const go = (filter: PhotoFilter) => navigate(listHref(filter))
const STATUSES = ['published', 'draft', 'archived'] as const

/** A search is in the order of its hits, and finds photos of every status. */
export const Order = ({ filter }: { filter: PhotoFilter }) => (
  <>
    {isEditor.value && (
      <select
        class="input"
        aria-label={t.status}
        value={filter.status ?? ''}
        onChange={({ currentTarget }) =>
          go({ ...filter, status: currentTarget.value as NonNullable<PhotoFilter['status']> })
        }
      >
        <option value="">{t.allStatuses}</option>
        {STATUSES.map((status) => (
          <option key={status} value={status}>
            {STATUS_TEXTS[status]}
          </option>
        ))}
      </select>
    )}
    <select
      class="input"
      aria-label={t.order}
      value={filter.sort ?? 'newest'}
      onChange={({ currentTarget }) => go({ ...filter, sort: currentTarget.value as Sort })}
    >
      {(['newest', 'taken', 'oldest', 'title'] as const).map((sort) => (
        <option key={sort} value={sort}>
          {t[sort]}
        </option>
      ))}
    </select>
  </>
)

/** Each filter with a link that takes it away. */
export function ActiveFilters({
  filter,
  categories,
}: {
  filter: PhotoFilter
  categories: CategoryList | undefined
}) {
  const category = categories?.categories.find(({ id }) => String(id) === filter.category)
  const { year, month } = filter
  const all: [text: string | undefined, without: PhotoFilter][] = [
    [filter.q && t.words(filter.q), { ...filter, q: '' }],
    [filter.category && (category?.name ?? filter.category), { ...filter, category: '' }],
    [filter.tag && `#${filter.tag}`, { ...filter, tag: '' }],
    [year && (month ? monthOf(Number(year), Number(month)) : year), { ...filter, year: '', month: '' }],
  ]
  const active = all.filter((one): one is [string, PhotoFilter] => Boolean(one[0]))
  if (active.length === 0) return null
  return (
    <ul class="chips" aria-label={t.active}>
      {active.map(([text, without]) => (
        <li key={text}>
          <a class="chip on" href={listHref(without)} aria-label={t.remove(text)}>
            {text} <span aria-hidden="true">×</span>
          </a>
        </li>
      ))}
    </ul>
  )
}

/** How the hits of a search are spread. */
export function FacetLinks({ facets, filter }: { facets: Facets; filter: PhotoFilter }) {
  const groups = [
    ...group(t.category, filter.category ? [] : facets.categories, ({ id }) => ({ category: String(id) })),
    ...group(t.tag, filter.tag ? [] : facets.tags, ({ name }) => ({ tag: name })),
    ...group(
      t.year,
      filter.year ? [] : facets.years.map(({ year, count }) => ({ id: year, name: String(year), count })),
      ({ name }) => ({ year: name }),
    ),
  ]
  if (groups.length === 0) return null
  return (
    <section class="facets" aria-label={t.narrow}>
      {groups.map(({ title, links }) => (
        <div key={title} class="facet">
          <span class="small muted">{title}</span>
          <ul class="chips">
            {links.map(({ id, name, count: found, narrower }) => (
              <li key={id}>
                <a class="chip" href={listHref({ ...filter, ...narrower })}>
                  {name} <span class="muted number">{count(found)}</span>
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  )
}

/** Of each facet. */
const MOST_LINKS = 10

interface Counted {
  id: number
  name: string
  count: number
}
const group = (title: string, counted: readonly Counted[], narrow: (one: Counted) => PhotoFilter) =>
  counted.length === 0
    ? []
    : [{ title, links: counted.slice(0, MOST_LINKS).map((one) => ({ ...one, narrower: narrow(one) })) }]
