import { effect, signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { focusHeading } from '../lib/focus.ts'
import { texts } from '../lib/language.ts'
import { route } from '../lib/router.ts'
import { isSignedIn } from '../lib/session.ts'
import { hasTyped } from '../lib/unsaved.ts'
import { Button, IconButton } from './button.tsx'

const t = texts({
  en: {
    close: 'Close',
    cancel: 'Cancel',
    discardTitle: 'Close without saving?',
    discardText: 'What you have typed here will be lost.',
    discard: 'Close without saving',
  },
  zh: {
    close: '关闭',
    cancel: '取消',
    discardTitle: '不保存就关闭？',
    discardText: '此处填写的内容将会丢失。',
    discard: '不保存并关闭',
  },
})

/** A modal dialog. The browser keeps the focus in it, and Escape closes it; after a question when something was typed in it. */
export function Dialog({
  title,
  onClose,
  wide,
  children,
}: {
  title: string
  onClose: () => void
  wide?: boolean
  children: ComponentChildren
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  // Before the click or key that opens it has ended, so the next key already finds it open.
  useLayoutEffect(() => {
    const opener = document.activeElement
    dialog.current!.showModal()
    focusFirst(dialog.current!)
    // When a dialog is taken out of the page while it is open, nothing has the focus, and its question has no meaning any more.
    return () => {
      question.peek()?.answer(false)
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
      else focusHeading()
    }
  }, [])
  const close = async () => {
    const words = { text: t.discardText, yes: t.discard }
    if (hasTyped(dialog.current!) && !(await confirm(t.discardTitle, words))) return
    dialog.current?.close()
  }
  const onCancel = (event: Event) => {
    // An input for files fires this event too, when the user chooses none.
    if (event.target !== dialog.current) return
    event.preventDefault()
    void close()
  }
  return (
    <dialog
      ref={dialog}
      class={`dialog ${wide ? 'wide' : ''}`}
      aria-labelledby={id}
      onCancel={onCancel}
      onClose={onClose}
    >
      <div class="dialog-body">
        <div class="row">
          <h2 id={id} class="grow">
            {title}
          </h2>
          <IconButton icon="close" kind="plain" small label={t.close} onClick={close} />
        </div>
        {children}
      </div>
    </dialog>
  )
}

/** The first field, or the first answer: the browser would begin at the button that closes the dialog. */
function focusFirst(dialog: HTMLElement): void {
  if (dialog.querySelector('[autofocus]')) return
  // A field with the focus opens the keyboard of a phone, which hides half of the dialog.
  const field = matchMedia('(pointer: coarse)').matches
    ? undefined
    : dialog.querySelector<HTMLElement>('form :is(input, select, textarea):not([type="hidden"])')
  const first = field ?? dialog.querySelector<HTMLElement>('.dialog-actions button')
  first?.focus()
}

interface Question {
  title: string
  text: string
  yes: string
  danger: boolean
  answer: (yes: boolean) => void
}
const question = signal<Question | undefined>(undefined)

// Who leaves the page, or is signed out, has not said yes.
effect(() => {
  void route.value.path
  void isSignedIn.value
  question.peek()?.answer(false)
})

/** Asks before something that cannot be undone. */
export function confirm(
  title: string,
  { text = '', yes, danger = true }: { text?: string; yes: string; danger?: boolean },
) {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  question.value = {
    title,
    text,
    yes,
    danger,
    answer: (answer) => {
      question.value = undefined
      resolve(answer)
    },
  }
  return promise
}

/** Stands once in the page; `confirm()` shows it. */
export function Confirmation() {
  const asked = question.value
  if (!asked) return null
  return (
    <Dialog title={asked.title} onClose={() => asked.answer(false)}>
      {asked.text && <p>{asked.text}</p>}
      <div class="dialog-actions">
        <Button onClick={() => asked.answer(false)}>{t.cancel}</Button>
        <Button kind={asked.danger ? 'danger' : 'primary'} onClick={() => asked.answer(true)}>
          {asked.yes}
        </Button>
      </div>
    </Dialog>
  )
}
