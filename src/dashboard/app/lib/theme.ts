import { computed, effect, signal } from '@preact/signals'
import { choice, keep } from './kept.ts'

type Theme = 'light' | 'dark' | 'system'

const KEY = 'roost.theme'
const theme = choice<Theme>(KEY, ['light', 'dark', 'system'], 'system')

export function setTheme(next: Theme): void {
  theme.value = next
  keep(KEY, next)
}

const dark = matchMedia('(prefers-color-scheme: dark)')
const systemIsDark = signal(dark.matches)
dark.addEventListener('change', () => {
  systemIsDark.value = dark.matches
})

export const isDark = computed(
  () => theme.value === 'dark' || (theme.value === 'system' && systemIsDark.value),
)
effect(() => {
  document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light'
})
