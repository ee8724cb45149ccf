/** The language of the page. Texts stand beside what uses them: `const t = texts({ en: {…}, zh: {…} })`. */
import { effect } from '@preact/signals'
import { choice, keep } from './kept.ts'

export type Language = 'en' | 'zh'

const KEY = 'roost.language'
const preferred = (): Language => (/^zh\b/i.test(navigator.language) ? 'zh' : 'en')

export const language = choice<Language>(KEY, ['en', 'zh'], preferred())

export function setLanguage(next: Language): void {
  language.value = next
  keep(KEY, next)
}

effect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
})

// biome-ignore lint/suspicious/noExplicitAny: a text may have any parameters
type Text = string | ((...parameters: any[]) => string)
type Texts<T> = { [K in keyof T]: T[K] extends string ? string : T[K] }

/** Texts in both languages. A component that reads one is shown anew when the language changes. */
export function texts<T extends Record<string, Text>>(both: { en: T; zh: Texts<T> }): Texts<T> {
  return new Proxy({} as Texts<T>, {
    get: (_, name: string) => (both[language.value] as Record<string, Text>)[name],
  })
}
