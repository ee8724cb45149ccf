/** The languages in which the server writes to people. */
import type { Language } from '../util/language.ts'

/** A text in each language. `{name}` stands for a parameter. */
export type Text = Record<Language, string>

/** The language that an `Accept-Language` header asks for (RFC 9110, 12.5.4), or `fallback`. */
export function preferredLanguage(header: string | null, fallback: Language): Language {
  if (!header || header === '*') return fallback
  const wanted = header
    .split(',')
    .map((part) => {
      const [tag = '', ...params] = part.trim().split(';')
      const q = params.map((param) => /^\s*q=([\d.]+)$/.exec(param)?.[1]).find((value) => value !== undefined)
      return { language: tag.slice(0, 2).toLowerCase(), q: q === undefined ? 1 : Number(q) }
    })
    .filter(({ language, q }) => (language === 'zh' || language === 'en') && q > 0)
    .sort((a, b) => b.q - a.q)
  return (wanted[0]?.language as Language | undefined) ?? fallback
}
