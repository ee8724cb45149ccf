import { signal } from '@preact/signals'
import { anonymous } from './session.ts'

/** Only administrators may change anything now, as far as this page knows. */
export const isMaintained = signal(false)

/** Two pages in a row are no reason to ask twice. */
const EVERY_MS = 20_000
let askedAt = Number.NEGATIVE_INFINITY

/** @param now asks although the page has asked a moment ago */
export async function checkMaintenance({ now = false } = {}): Promise<void> {
  if (!now && performance.now() < askedAt + EVERY_MS) return
  askedAt = performance.now()
  const { data } = await anonymous.runtime.health.get()
  if (data) isMaintained.value = data.maintenance === true
}
