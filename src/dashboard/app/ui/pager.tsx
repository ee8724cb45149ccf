import { useLayoutEffect } from 'preact/hooks'
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

/** What the server says of the page that it has answered. */
export interface Paging {
  page: number
  total_pages: number
}

/**
 * Leads through the pages of a list, by the address; nothing for a single page. From behind the end of a list that has become
 * shorter it goes to the last page.
 * @param total how many entries there are, in words
 */
export function Pager({ of, total }: { of: Paging; total?: string }) {
  const page = currentPage()
  const pages = of.total_pages
  const last = Math.max(1, pages)
  // Another page than that of the address is shown while the one of the address is fetched.
  const isBehind = of.page > last && of.page === page
  useLayoutEffect(() => {
    if (isBehind) goToPage(last, { replace: true })
  }, [isBehind, last])
  const isLong = Math.max(page, pages) > 1
  if (!total && !isLong) return null
  return (
    <div class="row">
      {total && <span class="grow muted small">{total}</span>}
      {isLong && (
        <nav class="row pager" aria-label={t.pages}>
          <IconButton icon="left" label={t.back} disabled={page <= 1} onClick={() => goToPage(page - 1)} />
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
