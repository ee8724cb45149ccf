/** Lines of a log that grows at its end. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { texts } from '../lib/language.ts'
import { Button } from './button.tsx'

const t = texts({ en: { toEnd: 'To the end' }, zh: { toEnd: '跳到末尾' } })

const NEAR_END_PX = 30

/**
 * Sticks to the end unless the reader has scrolled up.
 * @param lines when they change, the box looks again at where its end is
 * @param follows whether it sticks, for the owner to read
 */
export function LogBox({
  label,
  lines,
  follows,
  children,
}: {
  label: string
  lines: unknown
  follows: { current: boolean }
  children: ComponentChildren
}) {
  const box = useRef<HTMLDivElement>(null)
  const isAway = useSignal(false)
  const toEnd = () => {
    follows.current = true
    isAway.value = false
    box.current!.scrollTop = box.current!.scrollHeight
  }
  useLayoutEffect(() => {
    if (follows.current) toEnd()
  }, [lines])
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!
    follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX
    isAway.value = !follows.current
  }
  return (
    <div class="log-frame">
      <div
        ref={box}
        class="log"
        role="log"
        aria-live="off"
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard scrolls it
        tabIndex={0}
        onScroll={onScroll}
      >
        {children}
      </div>
      {isAway.value && (
        <Button small icon="download" onClick={toEnd}>
          {t.toEnd}
        </Button>
      )}
    </div>
  )
}
