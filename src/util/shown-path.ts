/**
 * The path of a request for the log. A client may put a token, a code or a password where an id belongs, so the log shows what
 * the server knows, the template of the route, and of the client's values only those that have the form of an id.
 */
import { UUID } from './ids.ts'
import { urlOf } from './url-of.ts'

/** Ids and positions: ten digits hold every integer id. `upload_…` is the id of a photo's file. */
const NUMBER = /^(upload_)?\d{1,10}$/
const EXTENSION = /\.[a-z][a-z0-9]{1,4}$/
/** A word, as folders and misspelt paths have them. Random secrets are longer, or have digits in them. */
const WORD = /^(v1|[A-Za-z_.-]{1,24})$/

/** Files are named by the id of what they belong to. */
function isId(segment: string): boolean {
  const id = segment.replace(EXTENSION, '')
  return NUMBER.test(id) || UUID.test(id)
}
const shownWord = (segment: string): string =>
  WORD.test(segment) || isId(segment) ? segment : segment && '…'

/** @param route the template of the route that took the request; undefined when none did */
export function shownPath(request: Request, route: string | undefined): string {
  if (route !== undefined && !/[:*]/.test(route)) return route
  const segments = urlOf(request).pathname.split('/')
  const template = route?.split('/') ?? []
  return segments
    .map((segment, n) => {
      const known = template[n]
      // Behind a `*`, and without a route, the path is the client's.
      if (known === undefined || known === '*') return shownWord(segment)
      return known.startsWith(':') && isId(segment) ? segment : known
    })
    .join('/')
}
