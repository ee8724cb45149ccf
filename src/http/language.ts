import type { Language } from '../core/messages.ts'

/** The language the client asks for (RFC 9110, 12.5.4), or the contract's own. */
export function languageOf(request: Request, fallback: Language): Language {
  const header = request.headers.get('accept-language')
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
