/** Routes that will end, and how their answers say so: docs/contracts/portfolio.md, "Versions". */
import { routeKey } from './route-key.ts'

export interface Deprecation {
  /** Method and path as the route is declared, such as `GET /v1/photos/:id`. */
  route: string
  /** RFC 3339: since when clients should use something else. */
  since: string
  /** RFC 3339: when the route will stop to answer, once that is known. */
  sunset?: string
  /** The path that takes its place. */
  successor?: string
  /** The URL of a page that says what clients have to change. */
  page?: string
}

/** None yet. */
export const DEPRECATIONS: readonly Deprecation[] = Object.freeze([])

export type HeaderFields = Record<string, string>

/** `Deprecation` is of RFC 9745, `Sunset` of RFC 8594; the fields that begin with `API-` are the portfolio contract's. */
function fieldsOf({ since, sunset, successor, page }: Deprecation): HeaderFields {
  const links = [
    ...(page ? [`<${page}>; rel="deprecation"; type="text/html"`] : []),
    ...(successor ? [`<${successor}>; rel="successor-version"`] : []),
  ]
  return {
    deprecation: `@${Math.floor(Date.parse(since) / 1000)}`,
    'api-deprecated': 'true',
    ...(sunset && {
      sunset: new Date(sunset).toUTCString(),
      'api-sunset': new Date(sunset).toISOString().replace('.000Z', 'Z'),
    }),
    ...(links.length > 0 && { link: links.join(', ') }),
  }
}

/** The header fields that every answer of a route has: those of its contract, and what the table says of the route. */
export class RouteFields {
  private readonly fields: ReadonlyMap<string, HeaderFields>

  constructor(private readonly table: readonly Deprecation[]) {
    this.fields = new Map(table.map((entry) => [entry.route, fieldsOf(entry)]))
  }

  /** @param ofContract those of the contract, which the table's replace */
  of(ofContract: HeaderFields | undefined, method: string, route: string | undefined): HeaderFields {
    if (this.fields.size === 0) return ofContract ?? {}
    return { ...ofContract, ...(route && this.fields.get(routeKey(method, route))) }
  }

  isDeprecated(method: string, route: string): boolean {
    return this.fields.has(routeKey(method, route))
  }

  /** @throws Error when the table names a route that no contract has, because nobody would notice a mistyped path */
  check(routes: readonly { method: string; path: string }[]): void {
    const known = new Set(routes.map(({ method, path }) => routeKey(method, path)))
    const unknown = this.table.filter(({ route }) => !known.has(route)).map(({ route }) => route)
    if (unknown.length > 0) throw new Error(`The table of deprecations names no route: ${unknown.join(', ')}`)
  }
}
