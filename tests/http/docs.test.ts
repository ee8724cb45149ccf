/** The page of the documentation. Tests of the document are in `openapi/`. */
import { afterAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { api } from '../support/api.ts'
import { mountedRoutes } from '../support/described.ts'
import { startServer } from '../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const get = (path: string) => api(server, 'GET', path)

describe('/api/docs', () => {
  test('is a page whose every asset comes from this server', async () => {
    const page = await get('/api/docs')
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.text).not.toMatch(/(https?:)?\/\/[\w.-]+\.\w+/)
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
    expect(assets).toEqual([
      '/api/docs/swagger-ui.css',
      '/api/docs/swagger-ui-bundle.js',
      '/api/docs/swagger-ui-standalone-preset.js',
    ])
    const documents = [...page.text.matchAll(/"url":"([^"]+)"/g)].map(([, path]) => path!)
    expect(documents).toHaveLength(6)
    expect(page.text).toContain('SwaggerUIStandalonePreset')
    for (const path of [...assets, ...documents]) {
      const asset = await get(path)
      expect(asset.status, path).toBe(200)
      const type = path.endsWith('css')
        ? 'text/css'
        : path.endsWith('js')
          ? 'text/javascript'
          : 'application/json'
      expect(asset.headers.get('content-type')).toStartWith(type)
      expect(asset.text.length).toBeGreaterThan(1000)
    }
  })

  test('keeps tokens, so it runs no script but those of this server and its own, and no page may frame it', async () => {
    const { headers, text } = await get('/api/docs')
    const policy = headers.get('content-security-policy')!
    expect(policy).toContain("frame-ancestors 'none'")
    const inside = [...text.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script]) =>
      createHash('sha256').update(script!).digest('base64'),
    )
    expect(inside).toHaveLength(1)
    expect(/script-src ([^;]*)/.exec(policy)![1]).toBe(`'self' 'sha256-${inside[0]}'`)
  })

  test('may try the routes where clients find them', async () => {
    const behindProxy = await startServer({ PUBLIC_URL: 'https://roost.example.org/apis' })
    try {
      const { headers } = await api(behindProxy, 'GET', '/api/docs')
      const policy = headers.get('content-security-policy')!
      // A source with a path would allow that one address alone.
      expect(/connect-src ([^;]*)/.exec(policy)![1]).toBe("'self' https://roost.example.org")
    } finally {
      await behindProxy.stop()
    }
  })

  test('no other page of it, such as the plugin has, loads anything from another host', async () => {
    for (const { method, path } of mountedRoutes().filter(({ path }) => path.startsWith('/api/docs'))) {
      const answer = await api(server, method, path)
      const isPage = answer.headers.get('content-type')?.startsWith('text/html')
      if (isPage) expect(answer.text).not.toMatch(/(?:src|href)=["']?(?:https?:)?\/\//)
    }
  })
})
