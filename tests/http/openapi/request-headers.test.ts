/** Whether a test fails when a route reads a header field of its request that the document does not have. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { settledMisfits } from '../../support/misfits.ts'
import { documentedRequestHeaders, documentedRoutes } from '../../support/openapi.ts'
import { watchRequestsOf } from '../../support/request-headers.ts'

const app = new Elysia()
watchRequestsOf(app)
app.get('/v1/photos/:id', ({ request, query }) => String(request.headers.get(query.read!)))

test.each([
  ['Range', ['GET /v1/photos/{id} reads range, which is not documented']],
  ['If-None-Match', []],
  ['Accept-Language', []],
])('a route that reads %s', async (name, misfits) => {
  await app.handle(new Request(`http://localhost/v1/photos/1?read=${name}`))
  expect(await settledMisfits()).toEqual(misfits)
})

test('the document has those that a route names, and those that follow from its options', () => {
  const headersOf = (name: string) =>
    documentedRequestHeaders(documentedRoutes().find(({ method, path }) => `${method} ${path}` === name)!)
  expect(headersOf('GET /v1/photos/{id}')).toEqual(['If-None-Match'])
  expect(headersOf('PUT /v1/photos/{id}')).toEqual(['If-Match'])
  expect(headersOf('POST /api/tasks')).toEqual(['Idempotency-Key'])
  expect(headersOf('POST /mcp')).toEqual(['MCP-Session-Id', 'MCP-Protocol-Version'])
  expect(headersOf('GET /api/tasks')).toEqual([])
})
