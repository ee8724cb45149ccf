import type { Config } from '../config.ts'

/**
 * Why a request may not become a socket; undefined: it may. A browser sends its page's origin with every upgrade, and
 * no preflight protects this one: a foreign page must not ride on what the browser knows.
 */
export function refuseUpgrade(request: Request, config: Config, draining: boolean): Response | undefined {
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
    return new Response('This address speaks WebSocket.', { status: 426, headers: { upgrade: 'websocket' } })
  }
  if (draining) return new Response('Restarting', { status: 503, headers: { 'retry-after': '1' } })
  const origin = request.headers.get('origin')
  if (!origin || isAllowed(origin, request, config)) return undefined
  return new Response('This origin may not connect. See ALLOWED_ORIGINS.', { status: 403 })
}

function isAllowed(origin: string, request: Request, config: Config): boolean {
  if (config.allowedOrigins.includes(origin)) return true
  if (config.publicUrl && new URL(config.publicUrl).origin === origin) return true
  return URL.canParse(origin) && new URL(origin).host === request.headers.get('host')
}
