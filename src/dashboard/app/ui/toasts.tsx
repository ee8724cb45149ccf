import { texts } from '../lib/language.ts'
import { closeToast, toasts } from '../lib/toasts.ts'
import { IconButton } from './button.tsx'

const t = texts({ en: { close: 'Close', open: 'Open' }, zh: { close: '关闭', open: '打开' } })

export const Toasts = () => (
  <div class="toasts" role="status" aria-live="polite">
    {toasts.value.map(({ id, kind, text, to }) => (
      <div key={id} class={`toast ${kind}`}>
        <span class="grow">
          {text} {to && <a href={to}>{t.open}</a>}
        </span>
        <IconButton icon="close" small kind="plain" label={t.close} onClick={() => closeToast(id)} />
      </div>
    ))}
  </div>
)
