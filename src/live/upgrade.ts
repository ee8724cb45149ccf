import type { Origins } from '../util/origins.ts'

/**
 * Why a request may not become a socket; undefined: it may. A browser sends its page's origin with every upgrade, and
 * no preflight protects this one: a foreign page must not ride on what the browser knows.
 */
export function refuseUpgrade(request: Request, origins: Origins, draining: boolean): Response | undefined {
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
    return refuse(426, 'This address speaks WebSocket.', { upgrade: 'websocket' })
  }
  if (draining) return refuse(503, 'Restarting', { 'retry-after': '1' })
  if (origins.allows(request)) return undefined
  return refuse(403, 'This origin may not connect. See ALLOWED_ORIGINS.')
}

/** With its type: Elysia loses the one that a text has by default. */
export const refuse = (status: number, text: string, headers: Record<string, string> = {}) =>
  new Response(text, { status, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' } })
