import type { Context } from '../context.ts'
import { invalid } from '../errors.ts'

/**
 * Mails link only to our own pages: whoever asks for a mail must not choose where its reader lands, with a code. Our own
 * origin counts only when it is configured: that of a request is what its sender says.
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

/** Email and code go into the fragment: that part of a URL reaches no server and no log. */
export function linkTo(redirectTo: string | null, email: string, token: string): string | undefined {
  if (redirectTo === null) return undefined
  const url = new URL(redirectTo)
  const given = new URLSearchParams({ email, token }).toString()
  // A page that routes by its fragment keeps its route.
  url.hash = url.hash ? `${url.hash}${url.hash.includes('?') ? '&' : '?'}${given}` : given
  return url.href
}
