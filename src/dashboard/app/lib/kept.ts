import { type Signal, signal } from '@preact/signals'

/** What the browser keeps for this page between visits. Private windows may refuse; the page then works without. */
export function kept(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

export function keep(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    // Refused or full.
  }
}

/** What the user has chosen: between visits, and in all tabs at once. `keep` under the same key tells the other tabs. */
export function choice<T extends string>(key: string, among: readonly T[], otherwise: T): Signal<T> {
  const read = (text: string | null | undefined) => among.find((one) => one === text) ?? otherwise
  const chosen = signal(read(kept(key)))
  addEventListener('storage', (event) => {
    if (event.key === key) chosen.value = read(event.newValue)
  })
  return chosen
}
