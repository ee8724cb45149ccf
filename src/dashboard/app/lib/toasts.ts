import { signal } from '@preact/signals'
import { messageOf } from './errors.ts'

export interface Toast {
  id: number
  kind: 'good' | 'bad' | 'warn' | 'info'
  text: string
  /** Address of the page that it is about. */
  to?: string | undefined
}

/** Most toasts at a time: more would cover the page. */
const MOST = 4
const SHOWN_MS = 6000

export const toasts = signal<Toast[]>([])
let lastId = 0

/** @returns its id */
export function showToast(kind: Toast['kind'], text: string, to?: string): number {
  const id = ++lastId
  // What is said again is not said twice.
  const others = toasts.value.filter((toast) => toast.text !== text || toast.to !== to)
  toasts.value = [...others, { id, kind, text, to }].slice(-MOST)
  setTimeout(() => closeToast(id), kind === 'bad' ? 2 * SHOWN_MS : SHOWN_MS)
  return id
}

export function closeToast(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

export function showError(error: unknown): void {
  showToast('bad', messageOf(error))
}
