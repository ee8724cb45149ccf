import { useSignal } from '@preact/signals'
import { changed } from './changed.ts'

/**
 * What the user changes in a form that stays open after it was sent. The other values follow the server, so that the form shows
 * what others have saved and does not take it back.
 * @param values as the server has them now, in the form in which the controls hold them
 */
export function useEdits<T extends object>(values: T) {
  const edits = useSignal<Partial<T>>({})
  return {
    /** What the user has changed. */
    now: edits.value,
    /** What the controls show. */
    shown: { ...values, ...edits.value },
    edit: (next: Partial<T>) => {
      edits.value = { ...edits.peek(), ...next }
    },
    /** Call it when the server has saved `sent`. What the user has changed since then stays. */
    saved: (sent: Partial<T>) => {
      edits.value = changed<Partial<T>>(edits.peek(), sent)
    },
  }
}
