import { expect, test } from 'bun:test'
import { wantsStream } from '../../src/http/sse.ts'

test.each([
  ['text/event-stream', true],
  ['TEXT/Event-Stream; charset=utf-8', true],
  ['text/event-stream, application/json', true],
  ['text/event-stream;q=0.5, */*;q=0.8', true],
  ['application/json;q=0.5, text/event-stream ; q=0.9', true],
  ['application/json, text/event-stream;q=0.1', false],
  ['text/event-stream;q=0', false],
  ['text/event-streams', false],
  ['*/*', false],
  ['', false],
])('Accept: %s', (accept, wanted) => {
  expect(wantsStream(new Request('http://localhost', { headers: { accept } }))).toBe(wanted)
})
