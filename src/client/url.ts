/**
 * The URL of a server without a slash at its end. It may have a path, below which a proxy serves Roost.
 * @throws TypeError when it is none
 */
export function baseOf(url: string): string {
  const { protocol, origin, pathname } = parsed(url)
  if (protocol !== 'http:' && protocol !== 'https:') throw wrong(url)
  return origin + pathname.replace(/\/+$/, '')
}

function parsed(url: string): URL {
  try {
    return new URL(url)
  } catch {
    throw wrong(url)
  }
}

const wrong = (url: string) =>
  new TypeError(`the URL of a server is like https://roost.example.org, and not ${JSON.stringify(url)}`)
