import { type BlockList, isIP } from 'node:net'
import type { Client } from '../core/accounts/sessions.ts'
import type { Context } from '../core/context.ts'

/** Who is at the other end of a request, for sessions and limits. */
export const clientOf = (ctx: Context, request: Request, server: Bun.Server<unknown> | null): Client => ({
  ip: addressOf(
    server?.requestIP(request)?.address,
    request.headers.get('x-forwarded-for'),
    ctx.config.trustedProxies,
  ),
  userAgent: request.headers.get('user-agent') ?? undefined,
})

/**
 * The address of the client: that of the socket, unless a trusted proxy is at its other end. Each proxy adds to
 * `X-Forwarded-For`, at its end, whom it was asked by; what stands before the first untrusted address from there
 * is that client's own word, and counts for nothing.
 */
export function addressOf(peer: string | undefined, forwardedFor: string | null, trusted: BlockList): string {
  let address = peer ? bare(peer) : 'unknown'
  const hops = (forwardedFor ?? '').split(',')
  while (hops.length > 0 && isIP(address) && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) {
    const next = bare(hops.pop()!)
    if (!isIP(next)) break
    address = next
  }
  return address
}

/** Without the port that some proxies add, and an IPv4 address as such though an IPv6 socket took it. */
const bare = (text: string): string =>
  text
    .trim()
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^([\d.]+):\d+$/, '$1')
    .replace(/^::ffff:(?=[\d.]+$)/i, '')
