import { useSignal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { api } from '../../lib/session.ts'
import { RELOAD, useView, type View } from '../../lib/view.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { Ago, Loaded } from '../../ui/parts.tsx'

const t = texts({
  en: { label: 'Conversations', begin: 'New conversation', none: 'No conversations yet', more: 'Show more' },
  zh: { label: '对话', begin: '新对话', none: '还没有对话', more: '显示更多' },
})

const PAGE_SIZE = 30

const fetchPage = async (page: number, signal?: AbortSignal) =>
  dataOf(
    api().runtime['agent-chats'].get({ query: { page, page_size: PAGE_SIZE }, ...(signal && { signal }) }),
  )
type Page = Awaited<ReturnType<typeof fetchPage>>

/** The user's conversations, the last used first. */
export const useConversations = (): View<Page> =>
  useView({
    load: (signal) => fetchPage(1, signal),
    on: { 'agent.run_finished': () => RELOAD },
  })

export function ConversationList({ view, current }: { view: View<Page>; current: string | undefined }) {
  const older = useSignal<Page['items']>([])
  const pages = useSignal(1)
  const more = async () => {
    const { items } = await fetchPage(pages.value + 1)
    pages.value++
    older.value = [...older.value, ...items]
  }
  return (
    <nav class="chat-list" aria-label={t.label}>
      <ButtonLink to={href('/chat')} icon="plus">
        {t.begin}
      </ButtonLink>
      <Loaded view={view} lines={6}>
        {({ items, total }) => {
          // A conversation that was used meanwhile has moved to the first page.
          const all = new Map([...older.value, ...items].map((one) => [one.session_id, one]))
          const sorted = [...all.values()].sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1))
          return (
            <>
              {sorted.length === 0 && <p class="muted small">{t.none}</p>}
              <ul>
                {sorted.map(({ session_id, title, updated_at }) => (
                  <li key={session_id}>
                    <a
                      href={href(`/chat/${session_id}`)}
                      aria-current={session_id === current ? 'page' : undefined}
                    >
                      <span class="truncate">{title}</span>
                      <span class="small muted">
                        <Ago at={updated_at} />
                      </span>
                    </a>
                  </li>
                ))}
              </ul>
              {sorted.length < total && (
                <Button small kind="plain" onClick={more}>
                  {t.more}
                </Button>
              )}
            </>
          )
        }}
      </Loaded>
    </nav>
  )
}
