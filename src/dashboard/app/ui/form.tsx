import { type Signal, useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { fieldErrors, messageOf } from '../lib/errors.ts'
import { showError } from '../lib/toasts.ts'
import { setTyped } from '../lib/unsaved.ts'
import { Button } from './button.tsx'
import type { IconName } from './icon.tsx'

export type Values = Record<string, string>

export const NOT_SENT = Symbol()

interface Props {
  /**
   * Gets the values of the named controls. What it throws is shown, at its fields if the server names them. When it resolves with
   * NOT_SENT, nothing is saved yet.
   */
  onSubmit: (values: Values, form: HTMLFormElement) => Promise<unknown>
  submit: string
  icon?: IconName
  /** The user has changed something that no control of the form holds: by a button, such as the order of a list. */
  isChanged?: boolean
  /** Beside the submit button. */
  actions?: ComponentChildren
  children: (errors: Record<string, string>) => ComponentChildren
}

/** A form that is sent once at a time, and shows what the server says about it. What was typed stays when that fails. */
export function Form({ onSubmit, submit, icon, isChanged = false, actions, children }: Props) {
  const form = useRef<HTMLFormElement>(null)
  const busy = useSignal(false)
  const errors: Signal<Record<string, string>> = useSignal({})
  const problem = useSignal('')
  useEffect(() => {
    const own = form.current!
    return () => setTyped(own, false)
  }, [])
  useEffect(() => {
    if (isChanged && !busy.value) setTyped(form.current!, true)
  }, [isChanged, busy.value])
  const send = async (event: SubmitEvent) => {
    event.preventDefault()
    if (busy.value) return
    busy.value = true
    errors.value = {}
    problem.value = ''
    try {
      setTyped(form.current!, false)
      const result = await onSubmit(valuesOf(form.current!), form.current!)
      if (result === NOT_SENT && form.current) setTyped(form.current, true)
    } catch (error) {
      // The user has closed its dialog.
      if (!form.current) return showError(error)
      setTyped(form.current, true)
      const wrong = fieldErrors(error)
      const names = namesOf(form.current)
      const [first] = Object.keys(wrong).filter((field) => names.includes(field))
      const others = Object.keys(wrong).filter((field) => !names.includes(field))
      errors.value = wrong
      if (!first || others.length > 0)
        problem.value = [messageOf(error), ...others.map((field) => `${field}: ${wrong[field]}`)].join(' · ')
      if (first) form.current.querySelector<HTMLElement>(`[name="${first}"]`)?.focus()
    } finally {
      busy.value = false
    }
  }
  return (
    <form
      ref={form}
      class="stack"
      onSubmit={send}
      onInput={({ target }) => {
        // A search chooses what the form shows, and changes nothing.
        if ((target as HTMLInputElement).type !== 'search') setTyped(form.current!, true)
      }}
      onReset={() => setTyped(form.current!, false)}
    >
      {children(errors.value)}
      {problem.value && (
        <p class="notice bad" role="alert">
          {problem.value}
        </p>
      )}
      <div class="row">
        <Button
          type="submit"
          kind="primary"
          aria-disabled={busy.value}
          aria-busy={busy.value}
          {...(icon && { icon })}
        >
          {submit}
        </Button>
        {actions}
      </div>
    </form>
  )
}

const valuesOf = (form: HTMLFormElement): Values =>
  Object.fromEntries(
    [...new FormData(form)].filter((one): one is [string, string] => typeof one[1] === 'string'),
  )

const namesOf = (form: HTMLFormElement): string[] =>
  [...form.elements].map((element) => (element as HTMLInputElement).name).filter(Boolean)
