import { type BlockList, isIP } from 'node:net'
import type { Client } from '../core/audit/audit.ts'
import type { Context } from '../core/context.ts'
import { peerOf, requestIdOf } from './request-log.ts'

/** Who sends the request, for its session, for rate limits and for the audit log. */
export const clientOf = (ctx: Context, request: Request): Client => ({
  ip: addressOf(peerOf(request), request.headers.get('x-forwarded-for'), ctx.config.trustedProxies),
  userAgent: request.headers.get('user-agent') ?? undefined,
  requestId: requestIdOf(request),
})

/**
 * The address of the client: the peer of the connection, unless the peer is a trusted proxy. Each proxy appends the address
 * of its own peer to `X-Forwarded-For`, so the list is read from its end up to the first address that is no trusted proxy.
 * The client may have written everything before that address, so the server ignores it.
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

/** An address without the port that some proxies add, and an IPv4 address without the prefix that an IPv6 socket adds. */
const bare = (text: string): string =>
  text
    .trim()
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^([\d.]+):\d+$/, '$1')
    .replace(/^::ffff:(?=[\d.]+$)/i, '')
