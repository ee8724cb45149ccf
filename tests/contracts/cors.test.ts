/** `ALLOWED_ORIGINS`: the origins whose pages may call the API. */
import { afterAll, describe, expect, test } from 'bun:test'
import { api } from '../support/api.ts'
import { hollowApp } from '../support/hollow.ts'

const app = hollowApp({ ALLOWED_ORIGINS: 'https://app.example.com,http://localhost:5173' }).listen(0)
const server = { url: `http://localhost:${app.server!.port}` }
afterAll(() => app.stop(true))

describe('browsers of other origins', () => {
  const preflight = (origin: string, path = '/api/tasks') =>
    api(server, 'OPTIONS', path, {
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })

  test.each(['https://app.example.com', 'http://localhost:5173'])(
    '%s is listed: its preflight is let through',
    async (origin) => {
      for (const path of ['/api/tasks', '/api/v1/auth/login', '/api/tasks/5/cancel']) {
        const answer = await preflight(origin, path)
        expect(answer.status).toBe(204)
        expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
        expect(answer.headers.get('access-control-max-age')).toBe('600')
        expect(answer.headers.get('access-control-allow-methods')).toMatch(/POST|\*/)
        expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).toMatch(/authorization|\*/)
      }
      const get = await api(server, 'GET', '/api/docs', { headers: { origin } })
      expect(get.headers.get('access-control-allow-origin')).toBe(origin)
      const exposed = get.headers.get('access-control-expose-headers')!.split(', ')
      expect(exposed).toEqual(expect.arrayContaining(['etag', 'link', 'retry-after', 'x-request-id']))
      expect(exposed).not.toContain('host')
      const refused = await api(server, 'GET', '/api/tasks', { headers: { origin } })
      expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, origin])
      expect(refused.headers.get('access-control-expose-headers')).toBe(exposed.join(', '))
    },
  )

  test('caches keep one answer for each origin, also of what has several codings', async () => {
    const headers = { origin: 'https://app.example.com' }
    for (const path of ['/', '/api/docs/json', '/api/docs/live'])
      expect((await api(server, 'GET', path, { headers })).headers.get('vary')).toBe(
        'Origin, Accept-Encoding',
      )
  })

  test('an OPTIONS that is no preflight names the methods of the route', async () => {
    const origin = 'https://app.example.com'
    for (const headers of [{}, { origin }, { 'access-control-request-method': 'POST' }]) {
      const answer = await api(server, 'OPTIONS', '/api/tasks/5', { headers })
      expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'GET, HEAD, DELETE, OPTIONS'])
    }
    const page = await api(server, 'OPTIONS', '/api/tasks/5', { headers: { origin } })
    expect(page.headers.get('access-control-allow-origin')).toBe(origin)
  })

  test.each([
    'https://evil.example',
    'https://app.example.com.evil.example',
    'https://evilapp.example.com',
    'http://app.example.com',
    'https://app.example.com:8443',
    'null',
  ])('%s is not: it is told nothing', async (origin) => {
    const answer = await preflight(origin)
    expect(answer.headers.get('access-control-allow-origin')).not.toBe(origin)
    expect(answer.headers.get('access-control-allow-origin')).not.toBe('*')
  })
})
