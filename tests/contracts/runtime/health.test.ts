import { afterAll, describe, expect, test } from 'bun:test'
import { createApp } from '../../../src/app.ts'
import { api } from '../../support/api.ts'
import { describedApi } from '../../support/described.ts'
import { makeUser } from '../../support/factories.ts'
import { MailServer } from '../../support/mail.ts'
import { freePort } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'
import { expectAnswer } from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)

const SERVICE = { status: 'string', latency_ms: 'number', kind: 'string' } as const
const real = (name: string, env: string, embedded: string) => (process.env[env] ? name : embedded)

test('GET /api/v1/health: ok', async () => {
  const answer = await ask('GET', '/api/v1/health')
  expectAnswer(answer, 200, { status: 'string' })
  expect(answer.body).toEqual({ status: 'ok' })
})

test('GET /api/v1/health tells everybody about maintenance while it goes on', async () => {
  const { token } = await makeUser(server, { role: 'super_admin' })
  const set = (maintenance_mode: boolean) =>
    api(server, 'PUT', '/api/admin/config', { token, body: { maintenance_mode } })
  await set(true)
  expect((await ask('GET', '/api/v1/health')).body).toEqual({ status: 'ok', maintenance: true })
  await set(false)
  expect((await ask('GET', '/api/v1/health')).body).toEqual({ status: 'ok' })
})

describe('GET /api/v1/infra/health', () => {
  test('tells each part in use, by what it is, with a measured latency', async () => {
    const answer = await ask('GET', '/api/v1/infra/health')
    expectAnswer(answer, 200, {
      status: 'string',
      services: { redis: SERVICE, database: SERVICE, storage: SERVICE, mail: SERVICE },
      ledger: { status: 'string', checked_at: 'null', trial_balance: 'number', differences: 'number' },
    })
    expect(answer.body.status).toBe('healthy')
    const { services } = answer.body
    expect(services).toMatchObject({
      redis: { status: 'healthy', kind: real('redis', 'TEST_REDIS_URL', 'embedded') },
      database: { status: 'healthy', kind: real('postgresql', 'TEST_DATABASE_URL', 'embedded') },
      storage: { status: 'healthy', kind: 'disk' },
      mail: { status: 'healthy', kind: 'files' },
    })
    expect(services.database.latency_ms).toBeGreaterThan(0)
  })

  test('a database that is gone: 503 with the same body, from both', async () => {
    const { ctx } = server
    const gone = Object.assign(new Error('connect ECONNREFUSED 10.0.0.9'), { code: 'ECONNREFUSED' })
    const db = new Proxy(ctx.db, { get: () => () => Promise.reject(gone) })
    const app = createApp({ ...ctx, db })
    const infra = await app.handle(new Request('http://localhost/api/v1/infra/health'))
    expect(infra.status).toBe(503)
    expect(infra.headers.get('content-type')).toStartWith('application/json')
    expect(await infra.json()).toMatchObject({
      status: 'unhealthy',
      services: { database: { status: 'unhealthy' }, redis: { status: 'healthy' } },
    })
    const health = await app.handle(new Request('http://localhost/api/v1/health'))
    expect(health.status).toBe(503)
    expect(await health.json()).toEqual({ status: 'unhealthy' })
  })

  test('a mail server that is away is told, but sends no client elsewhere; when it is back, that too', async () => {
    const port = freePort()
    const smtp = await startServer({ SMTP_URL: `smtp://user:S3cret@127.0.0.1:${port}` })
    try {
      const infra = () => fetch(`${smtp.url}/api/v1/infra/health`)
      const answer = await infra()
      expect(answer.status).toBe(503)
      const text = await answer.text()
      expect(JSON.parse(text)).toMatchObject({
        status: 'unhealthy',
        services: { mail: { status: 'unhealthy', kind: 'smtp' }, database: { status: 'healthy' } },
      })
      expect(text).not.toContain('S3cret')
      for (const path of ['/api/v1/health', '/health'])
        expect((await fetch(smtp.url + path)).status).toBe(200)
    } finally {
      await smtp.stop()
    }
    await using mails = await MailServer.start()
    const back = await startServer({ SMTP_URL: mails.url })
    try {
      const answer = await fetch(`${back.url}/api/v1/infra/health`)
      expect(await answer.json()).toMatchObject({ services: { mail: { status: 'healthy', kind: 'smtp' } } })
    } finally {
      await back.stop()
    }
  })
})
