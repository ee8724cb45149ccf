/** The page of the sockets: `/api/docs/live`. Its content is that of the AsyncAPI document, which has tests of its own. */
import { describe, expect, test } from 'bun:test'
import { documentedSockets } from '../../support/asyncapi.ts'
import { hollowApp } from '../../support/hollow.ts'

const app = hollowApp()
const get = (path: string, headers: Record<string, string> = {}) =>
  app.handle(new Request(`http://localhost${path}`, { headers }))
const answer = await get('/api/docs/live')
const page = await answer.text()

describe('the page of the sockets', () => {
  test('runs no script inside the HTML, and loads only files of this server', async () => {
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
    expect(page).not.toMatch(/<style|<script(?! src=)|\son\w+=|style=|javascript:/i)
    const loaded = [...page.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => path!)
    expect(new Set(loaded)).toEqual(
      new Set(['data:,', '/api/docs/live.css', '/api/docs/live.js', '/api/docs/live/json', '/api/docs']),
    )
    for (const path of loaded.filter((path) => path.startsWith('/')))
      expect((await get(path)).status, path).toBe(200)
  })

  test('is small', async () => {
    const sizes = await Promise.all(
      ['/api/docs/live', '/api/docs/live.css', '/api/docs/live.js'].map(async (path) => {
        const bytes = new Uint8Array(await (await get(path, { 'accept-encoding': 'gzip' })).arrayBuffer())
        return bytes.length
      }),
    )
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(30_000)
  })

  test.each(Object.entries(documentedSockets().channels))(
    'has every frame of %s with its meaning, and every topic and close code',
    (name, channel) => {
      for (const message of Object.values(channel.messages)) {
        expect(page).toContain(`<article id="${name}-${message.name}">`)
        expect(page).toContain(Bun.escapeHTML(message.summary))
      }
      for (const { code } of channel['x-close-codes']) expect(page).toContain(`<code>${code}</code>`)
      for (const topic of channel['x-topics'] ?? []) expect(page).toContain(Bun.escapeHTML(topic.name))
    },
  )

  test('has every anchor once that a link leads to', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id!)
    expect(new Set(ids).size).toBe(ids.length)
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id!)
    expect(targets.length).toBeGreaterThan(100)
    expect(targets.filter((id) => !ids.includes(id))).toEqual([])
  })

  test('shows fields of objects and lists by their path, with type, need and meaning', () => {
    const row = (frame: string, field: string) =>
      new RegExp(`id="${frame}">.*?<tr><th scope="row"><code>${field}</code></th>(.*?)</tr>`, 's').exec(
        page,
      )![1]!
    expect(row('node-hello', 'gpus\\[\\].memory_total')).toContain('<td>yes</td><td>GB.</td>')
    expect(row('user-upload_update', 'file_id')).toContain('<td>no</td>')
    expect(row('user-upload_update', 'data.bytes')).toContain('<td>yes</td>')
    expect(row('user-resync', 'reason')).toContain('&quot;expired&quot; | &quot;epoch&quot;')
    expect(row('user-task.completed', 'data.cost')).toContain('two decimals')
  })
})
