/** The page at `/`: what the browser may load for it, and how its files are sent. */
import { afterAll, describe, expect, test } from 'bun:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { buildPage, firstLoad, MAX_FIRST_SCRIPTS } from '../../src/dashboard/build.ts'
import { page } from '../../src/http/page.ts'
import { startServer } from '../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())

const get = (path: string, coding = 'identity') =>
  fetch(server.url + path, { headers: { 'accept-encoding': coding }, decompress: false })

const index = await (await get('/')).text()
const names = [...index.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)

describe('the page', () => {
  test('may run scripts of this server alone, and none inside the HTML', async () => {
    const { status, headers } = await get('/')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = headers.get('content-security-policy')!
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(index).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/)
  })

  test('names only files of this server, each with a hash in its name, except the API documentation', async () => {
    const assets = names.filter((path) => path !== '/api/docs')
    expect(assets.length).toBeGreaterThan(2)
    for (const path of assets) expect(path).toMatch(/^\/assets\/[\w-]+-[a-z0-9]{8}\.(js|css|svg)$/)
  })

  test('is asked for anew each time; its files are kept for ever', async () => {
    expect((await get('/')).headers.get('cache-control')).toBe('no-cache')
    for (const path of names.filter((path) => path.startsWith('/assets/'))) {
      const { status, headers } = await get(path)
      expect(status, path).toBe(200)
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  test('a file that does not exist is 404, and no cache keeps that', async () => {
    const { status, headers } = await get('/assets/main-00000000.js')
    expect(status).toBe(404)
    expect(headers.get('cache-control')).toBe('no-store')
    expect((await get('/assets/..%2f..%2fpackage.json')).status).toBe(404)
  })

  test.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ] as const)('a script is sent with %s to a client that accepts it', async (coding, decompress) => {
    const path = names.find((path) => path.endsWith('.js'))!
    const plain = await get(path)
    const packed = await get(path, coding)
    expect(packed.headers.get('content-encoding')).toBe(coding)
    expect(packed.headers.get('vary')).toBe('Accept-Encoding')
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(decompress(await packed.arrayBuffer()).toString()).toBe(await plain.text())
  })

  test('with an S3 of its own: photos and videos may come from there, scripts may not', async () => {
    const app = page(buildPage, 'https://files.example.org/bucket')
    const answer = await app.handle(new Request('http://localhost/'))
    const policy = answer.headers.get('content-security-policy')!
    expect(policy).toContain("img-src 'self' https://files.example.org blob:")
    expect(policy).toContain("script-src 'self';")
  })

  test('a build that fails is tried again by the next request', async () => {
    let tries = 0
    const app = page(async () => {
      if (++tries === 1) throw new Error('no memory')
      return buildPage()
    }, undefined)
    expect((await app.handle(new Request('http://localhost/'))).status).toBe(500)
    expect((await app.handle(new Request('http://localhost/'))).status).toBe(200)
  })
})

test('what a browser loads before the page shows anything is within its limit', async () => {
  const built = await buildPage()
  const names = firstLoad(built)
  expect(names.length).toBeGreaterThan(0)
  const size = names.reduce((sum, name) => sum + built.assets.get(name)!.brotli!.length, 0)
  expect(size).toBeLessThan(MAX_FIRST_SCRIPTS)
})
