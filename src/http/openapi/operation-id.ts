/** Derives names of operations: POST /api/tasks/:id/cancel of factory is `factoryCancelTask`. */

const VERBS: Record<string, string> = { GET: 'get', PUT: 'update', PATCH: 'update', DELETE: 'delete' }
/** Segments of paths that say nothing about what a route does. */
const SILENT = new Set(['api', 'v1', 'auth'])

export const pascal = (words: string) =>
  words.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, first) => first.toUpperCase())
const camel = (words: string) => words.charAt(0).toLowerCase() + pascal(words).slice(1)
const isParameter = (segment: string) => /^[:*]/.test(segment)
const isPlural = (segment: string) => /[^us]s$/.test(segment) && segment !== 'stats'
const singular = (segment: string) => (isPlural(segment) ? segment.replace(/s$/, '') : segment)

/**
 * The name of the function with which a client calls a route, from the method and the path of the route.
 * @param name replaces the derived part, where that would read badly
 */
export function operationId(contract: string, method: string, path: string, name?: string): string {
  return contract + pascal(name ?? derived(method, path))
}

function derived(method: string, path: string): string {
  const segments = path.split('/').filter((segment) => segment && !SILENT.has(segment))
  // `/tasks/:id` is about one task, so the noun is in the singular.
  const nouns = segments
    .map((segment, at) => (isOneNamed(segments[at + 1]) ? singular(segment) : segment))
    .filter((segment) => !isParameter(segment))
  const last = nouns.at(-1) ?? ''
  const verb = VERBS[method]
  if (verb) {
    const isList = method === 'GET' && !isParameter(segments.at(-1) ?? '') && isPlural(last)
    return (isList ? 'list' : verb) + nouns.map(pascal).join('')
  }
  const owners = nouns.slice(0, -1).map(pascal).join('')
  // A POST to a collection creates an item. Any other POST is an action on the nouns before the last one.
  return isPlural(last) ? `create${owners}${pascal(singular(last))}` : camel(last) + owners
}

const isOneNamed = (next: string | undefined) => next !== undefined && (isParameter(next) || next === 'me')
