/** Which pages may call, and that the log names the pages that were refused. */
import { expect, test } from 'bun:test'
import { createLogger } from '../../src/util/logger.ts'
import { Origins } from '../../src/util/origins.ts'
import { ShownPaths } from '../../src/util/shown-path.ts'

function origins(config: { allowedOrigins?: string[]; publicUrl?: string } = {}) {
  const lines: { level: number; origin: string; path: string; msg: string }[] = []
  const log = createLogger('info', { write: (line) => void lines.push(JSON.parse(line)) })
  const paths = new ShownPaths()
  paths.learn({ routes: [{ path: '/ws/connect' }] })
  const policy = new Origins(
    { allowedOrigins: config.allowedOrigins ?? [], publicUrl: config.publicUrl },
    log,
    paths,
  )
  const ask = (origin?: string) =>
    policy.allows(
      new Request('http://roost.example/ws/connect?token=S3cret', {
        headers: { host: 'roost.example', ...(origin !== undefined && { origin }) },
      }),
    )
  return { ask, lines }
}

test('its own pages, listed origins, the public URL and requests from no page may', () => {
  const { ask, lines } = origins({
    allowedOrigins: ['https://app.example'],
    publicUrl: 'https://api.example/roost',
  })
  for (const origin of [undefined, 'http://roost.example', 'https://app.example', 'https://api.example']) {
    expect(ask(origin), origin).toBe(true)
  }
  expect(lines).toEqual([])
})

test('another origin may not, and is named once, with the variable that lets it in and no token', () => {
  const { ask, lines } = origins()
  for (let i = 0; i < 3; i++) expect(ask('https://evil.example')).toBe(false)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ level: 40, origin: 'https://evil.example', path: '/ws/connect' })
  expect(lines[0]!.msg).toContain('ALLOWED_ORIGINS')
  expect(JSON.stringify(lines)).not.toContain('S3cret')
})

test('however many origins a client makes up, the log stays short', () => {
  const { ask, lines } = origins()
  for (let i = 0; i < 1000; i++) ask(`https://${i}.example`)
  ask(`https://${'x'.repeat(10_000)}.example`)
  expect(lines.length).toBeLessThanOrEqual(50)
  expect(JSON.stringify(lines).length).toBeLessThan(20_000)
})
