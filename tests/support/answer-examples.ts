import { Examples } from './examples.ts'
import { type DocumentedRoute, undocumented } from './openapi.ts'

const examples = new Examples('src/http/openapi/examples.json')

/** Records the answer of a route as an example for the document, when it is a success. */
export function recordAnswer(route: DocumentedRoute, status: number, headers: Headers, body: unknown): void {
  if (status >= 300 || body === undefined) return
  const { operationId, tags } = route.operation
  const fits = (example: unknown) =>
    undocumented(route, { status, headers, text: 'x', body: example }).length === 0
  examples.record(tags[0]!.split(':')[0]!, operationId, body, fits)
}
