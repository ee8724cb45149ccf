import { expect, test } from 'bun:test'
import { ShownPaths } from '../../src/util/shown-path.ts'

const paths = new ShownPaths()
paths.learn({
  routes: ['/api/tasks', '/api/tasks/:id/logs', '/v1/invite-codes/:code', '/files/*', '/'].map((path) => ({
    path,
  })),
})
const UUID = '01920000-0000-7000-8000-000000000000'

test.each([
  ['/api/tasks', '/api/tasks', '/api/tasks'],
  ['/api/tasks/12/logs', '/api/tasks/:id/logs', '/api/tasks/12/logs'],
  [`/api/tasks/${UUID}/logs`, '/api/tasks/:id/logs', `/api/tasks/${UUID}/logs`],
  ['/api/tasks/correcthorse/logs', '/api/tasks/:id/logs', '/api/tasks/:id/logs'],
  ['/v1/invite-codes/23456789', '/v1/invite-codes/:code', '/v1/invite-codes/:code'],
  ['/files/tasks/12.jpg', '/files/*', '/files/tasks/12.jpg'],
  ['/files/tasks/correcthorse.jpg', '/files/*', '/files/tasks/…'],
  // No route takes these.
  ['/api/tasks/12/correcthorse', undefined, '/api/tasks/12/…'],
  ['/correcthorse', undefined, '/…'],
  ['/api/tasks/', undefined, '/api/tasks/'],
  ['/', undefined, '/'],
])('the log shows %s of route %s as %s', (path, route, shown) => {
  expect(paths.of(new Request(`http://x${path}?token=secret`), route)).toBe(shown)
})
