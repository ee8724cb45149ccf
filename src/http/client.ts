import type { Client } from '../core/accounts/sessions.ts'

/** Who is at the other end of a request, for sessions and limits. */
export const clientOf = (request: Request, server: Bun.Server<unknown> | null): Client => ({
  ip: server?.requestIP(request)?.address ?? 'unknown',
  userAgent: request.headers.get('user-agent') ?? undefined,
})
