import type { Origins } from '../util/origins.ts'

/**
 * Checks whether a request may become a socket. Browsers send the origin of the page with an upgrade, but no preflight request,
 * so the server itself must refuse pages of other origins.
 * @returns the refusal; undefined when the request may become a socket
 */
export function refuseUpgrade(request: Request, origins: Origins, draining: boolean): Response | undefined {
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
    return refuse(426, 'This address speaks WebSocket.', { upgrade: 'websocket' })
  }
  if (draining) return refuse(503, 'Restarting', { 'retry-after': '1' })
  if (origins.allows(request)) return undefined
  return refuse(403, 'This origin may not connect. See ALLOWED_ORIGINS.')
}

/** Names the content type, because Elysia loses the default type of a text. */
export const refuse = (status: number, text: string, headers: Record<string, string> = {}) =>
  new Response(text, { status, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' } })
