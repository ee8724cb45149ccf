import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorNotice, Loading } from '../../ui/parts.tsx'
import type { Conversation } from './conversation.ts'
import { Question, TurnView } from './turn.tsx'

const t = texts({
  en: {
    label: 'Conversation',
    newest: 'Newest',
    earlier: (n: string) => `Show ${n} earlier`,
    answering: 'The agent answers',
    answered: 'The answer is complete',
  },
  zh: {
    label: '对话内容',
    newest: '最新消息',
    earlier: (n: string) => `显示更早的 ${n} 条`,
    answering: '助手正在回答',
    answered: '回答完成',
  },
})

/** A long conversation shows its end first. */
const SHOWN = 40
/** Turns that are made at once: more would keep the page from answering. */
const AT_ONCE = 4
/** Within so many pixels of the end the reader follows it. */
const NEAR_END = 48

export function Thread({
  conversation,
  onSend,
}: {
  conversation: Conversation
  onSend: (text: string) => Promise<void>
}) {
  const { turns, sending, isRunning, isLoaded, error } = conversation
  const wanted = useSignal(SHOWN)
  const { box, content, follows, toEnd } = useFollow()
  const all = turns.value
  const goal = Math.max(0, all.length - wanted.value)
  const first = useFirst(all.length, goal, isLoaded.value)
  const send = (text: string) => {
    toEnd()
    return onSend(text)
  }
  return (
    <div class="thread">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard scrolls the conversation */}
      <section class="thread-scroll" ref={box} tabIndex={0} aria-label={t.label}>
        <div ref={content} class="thread-content">
          {error.value !== undefined && <ErrorNotice error={error.value} onRetry={conversation.reload} />}
          {!isLoaded.value && error.value === undefined && <Loading lines={5} />}
          {goal > 0 && (
            <Button
              small
              onClick={() => {
                wanted.value += SHOWN
              }}
            >
              {t.earlier(count(Math.min(SHOWN, goal)))}
            </Button>
          )}
          <ol class="turns">
            {all.slice(first).map((turn) => (
              <TurnView
                key={turn.runId}
                turn={turn}
                isLast={turn === all.at(-1)}
                asks={turn === all.at(-1) && conversation.asksForConsent.value && sending.value === undefined}
                onSend={send}
              />
            ))}
            {sending.value !== undefined && (
              <li class="turn">
                <Question text={sending.value} />
              </li>
            )}
          </ol>
        </div>
      </section>
      {!follows.value && (
        <div class="to-end">
          <Button small onClick={toEnd}>
            ↓ {t.newest}
          </Button>
        </div>
      )}
      <span class="hidden-text" role="status">
        {isRunning.value ? t.answering : all.length > 0 && t.answered}
      </span>
    </div>
  )
}

/** The first turn that is shown. It comes to its goal in steps, and lets the browser show each of them. */
function useFirst(length: number, goal: number, isLoaded: boolean): number {
  const first = useSignal(Number.POSITIVE_INFINITY)
  useEffect(() => {
    if (!isLoaded || first.value <= goal) return undefined
    const timer = setTimeout(() => {
      first.value = Math.max(goal, Math.min(first.value, length) - AT_ONCE)
    })
    return () => clearTimeout(timer)
  }, [first.value, length, goal, isLoaded])
  return first.value
}

/** Keeps the end in view while the content grows, unless the reader has scrolled away from it. */
function useFollow() {
  const box = useRef<HTMLElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const follows = useSignal(true)
  const toEnd = () => {
    follows.value = true
    box.current!.scrollTop = box.current!.scrollHeight
  }
  useEffect(() => {
    const scroller = box.current!
    let height = 0
    const grown = new ResizeObserver(() => {
      height = scroller.scrollHeight
      if (follows.peek()) scroller.scrollTop = scroller.scrollHeight
    })
    grown.observe(content.current!)
    grown.observe(scroller)
    const scrolled = () => {
      // Growth also moves the end away, before the observer has followed it.
      if (scroller.scrollHeight !== height && follows.peek()) return
      follows.value = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END
    }
    scroller.addEventListener('scroll', scrolled, { passive: true })
    return () => {
      grown.disconnect()
      scroller.removeEventListener('scroll', scrolled)
    }
  }, [])
  return { box, content, follows, toEnd }
}
