/** The address that a start prints. */
import { expect, test } from 'bun:test'
import { localUrl } from '../../src/util/local-url.ts'

test.each([
  ['0.0.0.0', 'http://localhost:8000'],
  ['::1', 'http://localhost:8000'],
  ['192.0.2.7', 'http://192.0.2.7:8000'],
  ['2001:db8::7', 'http://[2001:db8::7]:8000'],
  ['roost.example.org', 'http://roost.example.org:8000'],
])('of a server that listens at %s', (host, url) => {
  expect(localUrl(host, 8000)).toBe(url)
})
