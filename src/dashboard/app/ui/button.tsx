import { useSignal } from '@preact/signals'
import type { ButtonHTMLAttributes, ComponentChildren } from 'preact'
import { showError } from '../lib/toasts.ts'
import { Icon, type IconName } from './icon.tsx'

interface Look {
  kind?: 'primary' | 'danger' | 'plain'
  small?: boolean
  icon?: IconName
}

type Rest = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'onClick' | 'icon'>

const classOf = ({ kind, small }: Look, extra = '') =>
  ['button', kind, small && 'small', extra].filter(Boolean).join(' ')

/**
 * While a promise of `onClick` is pending, another click does nothing. The button is not disabled then, because it would lose
 * the focus. What the promise rejects with is shown to the user.
 */
export function Button({
  onClick,
  children,
  kind,
  small,
  icon,
  disabled,
  ...rest
}: Look & Rest & { onClick?: (event: MouseEvent) => unknown; children?: ComponentChildren }) {
  const busy = useSignal(false)
  const click = async (event: MouseEvent) => {
    if (!onClick || busy.peek()) return
    const result = onClick(event)
    if (!(result instanceof Promise)) return
    busy.value = true
    try {
      await result
    } catch (error) {
      showError(error)
    } finally {
      busy.value = false
    }
  }
  return (
    <button
      type="button"
      {...rest}
      class={classOf({ kind, small } as Look, children ? '' : 'icon')}
      disabled={disabled}
      aria-disabled={busy.value || rest['aria-disabled']}
      aria-busy={busy.value || rest['aria-busy']}
      onClick={click}
    >
      {icon && <Icon name={icon} size={small ? 16 : 18} />}
      {children}
    </button>
  )
}

/** A button with an icon alone. `label` is read out and shown as a tooltip. */
export const IconButton = ({
  label,
  ...rest
}: Look & Rest & { label: string; icon: IconName; onClick?: (event: MouseEvent) => unknown }) => (
  <Button {...rest} aria-label={label} title={label} />
)

/** A link that looks like a button. */
export const ButtonLink = ({
  to,
  children,
  icon,
  ...look
}: Look & { to: string; children: ComponentChildren }) => (
  <a href={to} class={classOf(look)}>
    {icon && <Icon name={icon} size={look.small ? 16 : 18} />}
    {children}
  </a>
)
