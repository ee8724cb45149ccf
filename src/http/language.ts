import { preferredLanguage } from '../core/language.ts'
import type { Language } from '../core/messages.ts'

/** The language that the client asks for (RFC 9110, 12.5.4), or `fallback`. */
export const languageOf = (request: Request, fallback: Language): Language =>
  preferredLanguage(request.headers.get('accept-language'), fallback)
