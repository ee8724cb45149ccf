/** Protects the comparison that all tests' answers go through (tests/support/answers.ts): it must be able to fail. */
import { afterAll, expect, test } from 'bun:test'
import { watchAnswersOf } from '../../support/answers.ts'
import { settledMisfits } from '../../support/misfits.ts'

let answer: Response
const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => answer })
afterAll(() => server.stop(true))
watchAnswersOf(server.url.origin)

test.each([
  ['what the document has', { status: 'ready' }, 200, 0],
  ['a field that the document does not name', { status: 'ready', secret: 1 }, 200, 1],
  ['a value that it does not allow', { status: 'perhaps' }, 200, 1],
  ['a status that it does not name', { status: 'ready' }, 201, 1],
])('an answer with %s', async (_, body, status, misfits) => {
  answer = Response.json(body, { status })
  expect((await fetch(`${server.url.origin}/ready`)).status).toBe(status)
  expect(await settledMisfits()).toHaveLength(misfits)
})

test('an answer with a header field that the document does not list', async () => {
  answer = Response.json({ status: 'ready' }, { headers: { 'x-secret': '1' } })
  await fetch(`${server.url.origin}/ready`)
  expect(await settledMisfits()).toEqual([expect.stringContaining('x-secret')])
})

test.each([
  [{}, ['GET /ready answers 503 without retry-after']],
  [{ 'retry-after': '1' }, []],
])('an answer with %p where the document requires Retry-After', async (headers, misfits) => {
  answer = Response.json({ status: 'not_ready', reason: 'stopping' }, { status: 503, headers })
  await fetch(`${server.url.origin}/ready`)
  expect(await settledMisfits()).toEqual(misfits.map((misfit) => expect.stringContaining(misfit)))
})

test('an answer of another type', async () => {
  answer = new Response('ready', { headers: { 'content-type': 'text/plain' } })
  expect(await (await fetch(new Request(`${server.url.origin}/ready`))).text()).toBe('ready')
  expect(await settledMisfits()).toHaveLength(1)
})
