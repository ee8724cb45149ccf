import { Elysia } from 'elysia'
import { type StaticFile, sendFile } from './static-file.ts'

interface Page {
  index: StaticFile
  /** By name. A name changes with the content of its file. */
  assets: Map<string, StaticFile>
}

/** Seconds of a year: the longest that caches keep a file. */
const FOREVER = 31_536_000

/**
 * The page at `/` and its files below `/assets/`. It runs only scripts of this server and none inside the HTML, and no other
 * page may frame it.
 * @param build called at the first request; later requests share its page
 * @param fileOrigin where photos and videos are fetched from when it is not this server
 */
export function page(build: () => Promise<Page>, fileOrigin: string | undefined) {
  let built: Promise<Page> | undefined
  const load = () => {
    built ??= build().catch((error: unknown) => {
      built = undefined
      throw error
    })
    return built
  }
  const policy = contentSecurityPolicy(fileOrigin)
  return new Elysia({ name: 'page' })
    .get(
      '/',
      async (call) =>
        sendFile(call, (await load()).index, {
          'cache-control': 'no-cache',
          'content-security-policy': policy,
          'cross-origin-opener-policy': 'same-origin',
          'referrer-policy': 'no-referrer',
          'permissions-policy': 'camera=(), geolocation=(), microphone=()',
        }),
      HIDDEN,
    )
    .get(
      '/assets/:name',
      async (call) => {
        const file = (await load()).assets.get(call.params.name)
        // A page that was loaded before an update asks for files of the older version: it reloads itself then.
        if (!file) return new Response(null, { status: 404, headers: { 'cache-control': 'no-store' } })
        return sendFile(call, file, { 'cache-control': `public, max-age=${FOREVER}, immutable` })
      },
      HIDDEN,
    )
}

const HIDDEN = { detail: { hide: true } }

/** Content Security Policy Level 3. `blob:` and `data:` are for previews of files that the user picks, and for placeholders. */
function contentSecurityPolicy(fileOrigin: string | undefined): string {
  const files = ["'self'", ...(fileOrigin ? [new URL(fileOrigin).origin] : [])].join(' ')
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    `img-src ${files} blob: data:`,
    `media-src ${files} blob:`,
    `connect-src ${files}`,
    "manifest-src 'self'",
    `frame-src ${files}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')
}
