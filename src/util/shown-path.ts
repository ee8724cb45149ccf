/**
 * The paths of requests for the log. A client may put a token, a code or a password where an id or a word belongs, so the log
 * shows what the server knows, the templates of its routes and the words in them, and of the client's values only those that have
 * the form of an id.
 */
import { UUID } from './ids.ts'
import { urlOf } from './url-of.ts'

/** Ids and positions: ten digits hold every integer id. `upload_…` is the id of a photo's file. */
const NUMBER = /^(upload_)?\d{1,10}$/
const EXTENSION = /\.[a-z][a-z0-9]{1,4}$/

/** Files are named by the id of what they belong to. */
function isId(segment: string): boolean {
  const id = segment.replace(EXTENSION, '')
  return NUMBER.test(id) || UUID.test(id)
}

/** The parameter of an invite code, which is a secret also when it has only digits. */
const CODE = ':code'

export class ShownPaths {
  /** Of the templates of all routes. */
  private readonly words = new Set<string>()

  /** Reads the words of the routes. */
  learn({ routes }: { routes: readonly { path: string }[] }): void {
    for (const { path } of routes)
      for (const part of path.split('/')) if (!/^[:*]/.test(part)) this.words.add(part)
  }

  /** @param route the template of the route that took the request; undefined when none did */
  of(request: Request, route: string | undefined): string {
    if (route !== undefined && !/[:*]/.test(route)) return route
    const segments = urlOf(request).pathname.split('/')
    const template = route?.split('/') ?? []
    return segments
      .map((segment, n) => {
        const known = template[n]
        // Behind a `*`, and without a route, the path is the client's.
        if (known === undefined || known === '*')
          return this.words.has(segment) || isId(segment) ? segment : segment && '…'
        return known.startsWith(':') && known !== CODE && isId(segment) ? segment : known
      })
      .join('/')
  }
}
