import type { Context } from '../core/context.ts'

/**
 * Where this client reaches this server: PUBLIC_URL, else what its own request says. Empty, which makes URLs relative,
 * when its Host makes no sense.
 */
export function originOf({ config }: Context, request: Request): string {
  if (config.publicUrl) return config.publicUrl
  return URL.canParse(request.url) ? new URL(request.url).origin : ''
}
