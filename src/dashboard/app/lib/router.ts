/** Pages have addresses after the `#`: `#/tasks/12?tab=log`. The server answers every one of them with the same file. */
import { signal } from '@preact/signals'

export interface Route {
  /** Begins with a slash. */
  path: string
  query: URLSearchParams
}

const read = (): Route => {
  const [path = '', query = ''] = location.hash.slice(1).split('?')
  return { path: path.startsWith('/') ? path : '/', query: new URLSearchParams(query) }
}

export const route = signal<Route>(read())
addEventListener('hashchange', () => {
  route.value = read()
})

/** @param query fields that are empty or undefined are left out */
export function href(path: string, query: Record<string, string | number | undefined> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return `#${path}${text ? `?${text}` : ''}`
}

interface Navigation {
  /** The page that is left does not stay in the history. */
  replace?: boolean
  /** The path of the page that leads on, after a request: a user who has left it meanwhile stays where they are. */
  from?: string
}

export function navigate(to: string, { replace = false, from }: Navigation = {}): void {
  if (from !== undefined && from !== route.peek().path) return
  if (!replace) {
    location.hash = to
    return
  }
  history.replaceState(null, '', to)
  route.value = read()
}

/** The parameters of a path that fits the pattern: `match('/tasks/:id', '/tasks/12')` is `{ id: '12' }`. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const value = given[index]!
    if (part.startsWith(':') && value) params[part.slice(1)] = decoded(value)
    else if (part !== value) return undefined
  }
  return params
}

/** What is no encoding stays as it is: the server does not know it either. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
