import { count } from '../lib/format.ts'
import { texts } from '../lib/language.ts'
import { IconButton } from './button.tsx'

const t = texts({
  en: {
    pages: 'Pages',
    of: (page: string, pages: string) => `Page ${page} of ${pages}`,
    back: 'Previous page',
    next: 'Next page',
  },
  zh: {
    pages: '分页',
    of: (page: string, pages: string) => `第 ${page} 页，共 ${pages} 页`,
    back: '上一页',
    next: '下一页',
  },
})

/** Leads through the pages of a list, also back from behind its end when it has become shorter; nothing for a single page. */
export const Pager = ({
  page,
  pages,
  onPage,
}: {
  page: number
  pages: number
  onPage: (page: number) => void
}) =>
  Math.max(page, pages) > 1 ? (
    <nav class="row pager" aria-label={t.pages}>
      <IconButton
        icon="left"
        label={t.back}
        disabled={page <= 1}
        onClick={() => onPage(Math.max(1, Math.min(page - 1, pages)))}
      />
      <span class="number">{t.of(count(page), count(pages))}</span>
      <IconButton icon="right" label={t.next} disabled={page >= pages} onClick={() => onPage(page + 1)} />
    </nav>
  ) : null
