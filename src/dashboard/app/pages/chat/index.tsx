import { type Signal, signal, useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { LiveClient } from '../../../../client/index.ts'
import { texts } from '../../lib/language.ts'
import { href, navigate } from '../../lib/router.ts'
import { live } from '../../lib/session.ts'
import { IconButton } from '../../ui/button.tsx'
import { PageHead } from '../../ui/parts.tsx'
import type { PageProps } from '../index.ts'
import { ask } from './ask.ts'
import { Composer } from './composer.tsx'
import { Conversation } from './conversation.ts'
import { ConversationList, useConversations } from './list.tsx'
import { Suggestions } from './suggestions.tsx'
import { Thread } from './thread.tsx'

const t = texts({
  en: { title: 'Agent', list: 'Conversations' },
  zh: { title: '助手', list: '对话列表' },
})

/** A conversation that this page has just begun: it is shown before the server is asked for it. */
let begun: Conversation | undefined

/** What was typed and not sent, by conversation. It stays while other pages are shown; another sign-in begins anew. */
const drafts = new WeakMap<LiveClient, Map<string, Signal<string>>>()

function draftOf(conversation = ''): Signal<string> {
  const all = drafts.get(live()) ?? new Map<string, Signal<string>>()
  drafts.set(live(), all)
  const draft = all.get(conversation) ?? signal('')
  all.set(conversation, draft)
  return draft
}

export default function Chat({ params }: PageProps) {
  const id = params.session
  const list = useConversations()
  const draft = draftOf(id)
  const shown = useSignal(false)
  const conversation = useMemo(() => {
    if (id === undefined) return undefined
    return begun?.id === id ? begun : new Conversation(id)
  }, [id])
  useEffect(() => conversation?.open(), [conversation])
  useEffect(() => {
    shown.value = false
  }, [id])
  const isRunning = conversation?.isRunning.value ?? false
  const lastQuestion = conversation?.turns.value.at(-1)?.question
  useEffect(() => {
    // The server has got a question although its answer was lost on the way.
    if (isRunning && draft.peek() === lastQuestion) draft.value = ''
  }, [isRunning, lastQuestion])

  const send = async (text: string) => {
    if (conversation) return conversation.send(text)
    const { session, runId } = await ask(text)
    begun = new Conversation(session, { runId, question: text })
    // What was typed while the answer began.
    draftOf(session).value = draft.peek()
    draft.value = ''
    void list.reload()
    navigate(href(`/chat/${session}`), { from: '/chat' })
  }
  return (
    <div class="chat" data-list={shown.value ? 'shown' : 'hidden'}>
      <PageHead title={t.title}>
        <span class="chat-list-button">
          <IconButton
            icon="menu"
            label={t.list}
            aria-expanded={shown.value}
            onClick={() => {
              shown.value = !shown.value
            }}
          />
        </span>
      </PageHead>
      <ConversationList view={list} current={id} />
      <div class="chat-main">
        {conversation ? (
          <Thread key={conversation.id} conversation={conversation} onSend={send} />
        ) : (
          <Suggestions onSend={send} />
        )}
        <Composer
          key={id ?? ''}
          draft={draft}
          isRunning={isRunning}
          onSend={send}
          onStop={async () => conversation?.stop()}
        />
      </div>
    </div>
  )
}
