/** Sends a request as the user. */
import { redirectOf } from './error.ts'
import { baseOf } from './url.ts'

export interface RestOptions {
  /** Where the server is: `https://roost.example.org`. */
  url: string
  /**
   * An access token, or what gives one. `refused`: the server has refused the last one. Without a token only the routes that
   * anybody may call answer.
   */
  token?: string | ((refused: boolean) => Promise<string | undefined> | string | undefined)
  /** Language of texts, or what gives it for each request. Without it each contract has its own. */
  language?: 'en' | 'zh' | (() => 'en' | 'zh')
}

/**
 * `fetch` with the access token, from a path such as `/api/events` or a whole URL. After a 401 it asks for another token and
 * sends the request once more, unless its body is a stream. A URL of another server, such as that of a file in object storage,
 * is fetched without the token. Throws RoostError REDIRECTED when the server redirects.
 */
export type AuthorizedFetch = (path: string, init?: RequestInit) => Promise<Response>

export function authorizedFetch({ url, token, language }: RestOptions): AuthorizedFetch {
  const base = baseOf(url)
  const { origin } = new URL(base)
  const give = async (refused: boolean) => (typeof token === 'function' ? await token(refused) : token)
  return async (path, init = {}) => {
    const target = new URL(path.startsWith('/') ? base + path : path, `${base}/`)
    if (target.origin !== origin) return fetch(target, init)
    const send = async (access: string | undefined) => {
      const headers = new Headers(init.headers)
      if (access !== undefined) headers.set('authorization', `Bearer ${access}`)
      const wanted = typeof language === 'function' ? language() : language
      if (wanted !== undefined && !headers.has('accept-language')) headers.set('accept-language', wanted)
      const answer = await fetch(target, { ...init, headers, redirect: 'manual' })
      const moved = redirectOf(target, answer)
      if (moved) throw moved
      return answer
    }
    const access = await give(false)
    const answer = await send(access)
    if (answer.status !== 401 || typeof token !== 'function' || init.body instanceof ReadableStream)
      return answer
    // Another call may have renewed the token in the meantime.
    const current = await give(false)
    const next = current === access ? await give(true) : current
    if (next === undefined) return answer
    await answer.body?.cancel()
    return send(next)
  }
}
