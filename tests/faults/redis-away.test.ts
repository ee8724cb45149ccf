/**
 * While Redis is away or hangs, hints and short-lived values may be lost and nothing else: people sign in, tasks run,
 * events arrive, the server stays ready, and the health of the parts says what is wrong.
 */
import { describe, expect, test } from 'bun:test'
import { eventually, ServerProcess } from '../support/process.ts'
import { hasRedis, NO_REDIS, RedisProcess } from '../support/redis.ts'
import { addNode, addTask, ask, register } from './client.ts'
import { openParts } from './parts.ts'
import { Reader } from './reader.ts'
import { ScriptedNode } from './scripted-node.ts'

if (!hasRedis) console.log(`skipped: Redis goes away: ${NO_REDIS}`)

const SOON_MS = 5000

describe.concurrent('Redis', () => {
  for (const fault of ['is killed', 'hangs'] as const) {
    test.skipIf(!hasRedis)(`${fault}: the server goes on without it`, async () => {
      await using stack = new AsyncDisposableStack()
      const parts = stack.use(await openParts('embedded'))
      const redis = stack.use(await RedisProcess.start())
      const env = { ...parts.env, REDIS_URL: redis.url, RATE_LIMITS: 'on' }
      const server = stack.use(await ServerProcess.start(env))
      const { url, wsUrl } = server
      const owner = await register(url)
      const { token } = owner
      const reader = await stack.use(new Reader('owner', () => wsUrl, owner)).ready()
      const { token: nodeToken } = await addNode(url, 'node')
      const node = await stack.use(new ScriptedNode(() => wsUrl, nodeToken)).connected()

      if (fault === 'hangs') redis.freeze()
      else await redis.kill()
      const credentials = { email: owner.email, password: 'secret123' }
      const [signedIn, wrong, ticket, health, ready, infra] = await Promise.all([
        ask(url, 'POST', '/api/auth/login', { body: credentials, ms: SOON_MS }),
        ask(url, 'POST', '/api/auth/login', { body: { ...credentials, password: 'wrong1' }, ms: SOON_MS }),
        ask(url, 'POST', '/api/ws/ticket', { token, ms: SOON_MS }),
        ask(url, 'GET', '/health', { ms: SOON_MS }),
        ask(url, 'GET', '/ready', { ms: SOON_MS }),
        ask(url, 'GET', '/api/v1/infra/health', { ms: SOON_MS }),
      ])
      expect([signedIn?.status, wrong?.status]).toEqual([200, 401])
      expect(ticket).toMatchObject({ status: 503, body: { error_code: 'SERVER_UNAVAILABLE' } })
      // The server is ready, so a load balancer keeps it. The health of the parts names Redis.
      expect(health).toMatchObject({ status: 200, body: { status: 'healthy' } })
      expect(ready).toMatchObject({ status: 200, body: { status: 'ready' } })
      expect(infra).toMatchObject({ status: 503, body: { services: { redis: { status: 'unhealthy' } } } })
      await reader.event('task.completed', await addTask(url, owner))

      if (fault === 'hangs') redis.thaw()
      else await redis.start()
      await eventually(
        async () => (await ask(url, 'GET', '/api/v1/infra/health'))?.status === 200,
        'Redis is well again',
      )
      expect((await ask(url, 'POST', '/api/ws/ticket', { token }))?.status).toBe(200)
      await reader.event('task.completed', await addTask(url, owner))
      expect(reader.connections).toBe(1)
      expect([...reader.problems, ...node.problems, ...server.complaints]).toEqual([])
    })
  }
})
