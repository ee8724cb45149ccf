import { effect, signal } from '@preact/signals'
import { keep, kept } from './kept.ts'

export type Theme = 'light' | 'dark' | 'system'

const KEY = 'roost.theme'
export const theme = signal<Theme>((kept(KEY) as Theme | undefined) ?? 'system')

export function setTheme(next: Theme): void {
  theme.value = next
  keep(KEY, next)
}

const dark = matchMedia('(prefers-color-scheme: dark)')
const systemIsDark = signal(dark.matches)
dark.addEventListener('change', () => {
  systemIsDark.value = dark.matches
})

effect(() => {
  const isDark = theme.value === 'dark' || (theme.value === 'system' && systemIsDark.value)
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
})
