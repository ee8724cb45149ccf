import { currentPage, goToPage } from '../lib/filter.ts'
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

/**
 * Leads through the pages of a list, by the address, also back from behind its end when it has become shorter; nothing for a
 * single page.
 * @param total how many entries there are, in words
 */
export function Pager({ pages, total }: { pages: number; total?: string }) {
  const page = currentPage()
  const isLong = Math.max(page, pages) > 1
  if (!total && !isLong) return null
  return (
    <div class="row">
      {total && <span class="grow muted small">{total}</span>}
      {isLong && (
        <nav class="row pager" aria-label={t.pages}>
          <IconButton
            icon="left"
            label={t.back}
            disabled={page <= 1}
            onClick={() => goToPage(Math.max(1, Math.min(page - 1, pages)))}
          />
          <span class="number">{t.of(count(page), count(pages))}</span>
          <IconButton
            icon="right"
            label={t.next}
            disabled={page >= pages}
            onClick={() => goToPage(page + 1)}
          />
        </nav>
      )}
    </div>
  )
}
