/** Where the user types what to search for. Tags that fit are suggested meanwhile. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { dataOf } from '../../../../client/index.ts'
import { texts } from '../../lib/language.ts'
import { navigate } from '../../lib/router.ts'
import { api } from '../../lib/session.ts'
import { Button } from '../../ui/button.tsx'
import { listHref, type PhotoFilter } from './filter.ts'
import { TagChip } from './tag-chip.tsx'

const t = texts({
  en: {
    label: 'Search for photos',
    placeholder: 'Title, tag, place, pinyin…',
    search: 'Search',
    suggestions: 'Tags that fit',
  },
  zh: {
    label: '搜索照片',
    placeholder: '标题、标签、地点、拼音…',
    search: '搜索',
    suggestions: '匹配的标签',
  },
})

const loadSuggestions = async (q: string, signal: AbortSignal) =>
  (await dataOf(api().portfolio.tags.suggestions.get({ query: { q, limit: 6 }, signal }))).data
type Suggestion = Awaited<ReturnType<typeof loadSuggestions>>[number]

const TYPED_MS = 250
const MAX_TAG = 50

export function SearchBox({ filter }: { filter: PhotoFilter }) {
  const box = useRef<HTMLElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const suggestions = useSignal<readonly Suggestion[]>([])
  const pending = useRef<{ timer?: ReturnType<typeof setTimeout>; call?: AbortController }>({})

  const stop = () => {
    clearTimeout(pending.current.timer)
    pending.current.call?.abort()
    suggestions.value = []
  }
  useEffect(() => {
    if (input.current) input.current.value = filter.q ?? ''
    return stop
  }, [filter.q])

  useEffect(() => {
    const leave = ({ target }: Event) => {
      if (!box.current!.contains(target as Node)) stop()
    }
    addEventListener('pointerdown', leave)
    addEventListener('focusin', leave)
    return () => {
      removeEventListener('pointerdown', leave)
      removeEventListener('focusin', leave)
    }
  }, [])

  const suggest = () => {
    const q = input.current!.value.trim()
    clearTimeout(pending.current.timer)
    pending.current.call?.abort()
    if (!q || q.length > MAX_TAG) {
      suggestions.value = []
      return
    }
    pending.current.timer = setTimeout(async () => {
      const call = new AbortController()
      pending.current.call = call
      // Suggestions are a help: without them the search works as well.
      const found = await loadSuggestions(q, call.signal).catch(() => [])
      if (!call.signal.aborted) suggestions.value = found
    }, TYPED_MS)
  }
  const search = (event: Event) => {
    event.preventDefault()
    stop()
    const { sort: _, status: __, ...others } = filter
    navigate(listHref({ ...others, q: input.current!.value.trim() }))
  }

  return (
    <search ref={box}>
      <form class="photo-search" onSubmit={search}>
        <input
          ref={input}
          type="search"
          class="input"
          aria-label={t.label}
          placeholder={t.placeholder}
          maxLength={100}
          onInput={suggest}
          onKeyDown={(event) => event.key === 'Escape' && stop()}
        />
        <Button type="submit" icon="search">
          {t.search}
        </Button>
      </form>
      {suggestions.value.length > 0 && (
        <ul class="photo-suggestions" aria-label={t.suggestions}>
          {suggestions.value.map((tag) => (
            <li key={tag.id}>
              <TagChip {...tag} />
            </li>
          ))}
        </ul>
      )}
    </search>
  )
}
