import type { Context } from '../core/context.ts'

/**
 * The origin under which the client reaches this server: PUBLIC_URL, or else that of the request. Empty when the request has
 * an invalid Host; URLs in the answer are relative then.
 */
export function originOf({ config }: Context, request: Pick<Request, 'url'>): string {
  if (config.publicUrl) return config.publicUrl
  return URL.canParse(request.url) ? new URL(request.url).origin : ''
}
