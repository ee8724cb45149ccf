import { useEffect, useRef } from 'preact/hooks'
import { texts } from '../lib/language.ts'
import { closeToast, toasts } from '../lib/toasts.ts'
import { IconButton } from './button.tsx'

const t = texts({ en: { close: 'Close', open: 'Open' }, zh: { close: '关闭', open: '打开' } })

/** A popover, because what lies over the page is else below every dialog that is open. */
export function Toasts() {
  const box = useRef<HTMLDivElement>(null)
  const newest = toasts.value.at(-1)?.id
  useEffect(() => {
    const isBelow = document.querySelector('dialog[open]') !== null
    if (isBelow) box.current?.hidePopover()
    box.current?.showPopover()
  }, [newest])
  return (
    <div ref={box} class="toasts" popover="manual" role="status" aria-live="polite">
      {toasts.value.map(({ id, kind, text, to }) => (
        <div key={id} class={`toast ${kind}`}>
          <span class="grow" dir="auto">
            {text} {to && <a href={to}>{t.open}</a>}
          </span>
          <IconButton icon="close" small kind="plain" label={t.close} onClick={() => closeToast(id)} />
        </div>
      ))}
    </div>
  )
}
