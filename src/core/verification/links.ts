import type { Context } from '../context.ts'
import { invalid } from '../errors.ts'

/**
 * Allows links only to the origins in ALLOWED_ORIGINS and to PUBLIC_URL, because a stranger could otherwise ask for a
 * mail that leads its reader, and their code, to another site. The Host header is not used: the sender of the request
 * chooses it.
 * @throws AppError VALIDATION_FAILED
 */
export function assertRedirect({ config }: Context, redirectTo: string | undefined): void {
  if (redirectTo === undefined) return
  const allowed = config.publicUrl
    ? [...config.allowedOrigins, new URL(config.publicUrl).origin]
    : config.allowedOrigins
  const url = URL.canParse(redirectTo) ? new URL(redirectTo) : undefined
  const plain = url && /^https?:$/.test(url.protocol) && !url.username && !url.password
  if (!plain || !allowed.includes(url.origin)) throw invalid('redirect_to', 'redirect')
}

/** Puts email and code into the fragment, because browsers send that part of a URL to no server. */
export function linkTo(redirectTo: string | null, email: string, token: string): string | undefined {
  if (redirectTo === null) return undefined
  const url = new URL(redirectTo)
  const given = new URLSearchParams({ email, token }).toString()
  // A page may use the fragment for its own route, which stays.
  url.hash = url.hash ? `${url.hash}${url.hash.includes('?') ? '&' : '?'}${given}` : given
  return url.href
}
