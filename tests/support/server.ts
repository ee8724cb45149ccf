import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/index.ts'
import { eventsHint } from '../../src/core/channel/hints.ts'
import { createServer, type Overrides, type Server } from '../../src/server.ts'
import { createLogger } from '../../src/util/logger.ts'
import { checkEvent } from './conformance.ts'
import { copyTemplate } from './template.ts'

type Env = Record<string, string>

export interface TestServer extends Server {
  url: string
  /** `ws://…` */
  wsUrl: string
  stop(): Promise<void>
}

/** A directory and, on real parts, a database of its own. `TEST_DATABASE_URL` and `TEST_REDIS_URL` name the real parts. */
export async function freshParts(): Promise<{ env: Env; remove: () => Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'roost-test-'))
  const env: Env = { DATA_DIR: dataDir, ADMIN_PASSWORD: 'admin123' }
  if (process.env.TEST_REDIS_URL) env.REDIS_URL = process.env.TEST_REDIS_URL
  const server = process.env.TEST_DATABASE_URL
  if (!server) {
    await copyTemplate(dataDir)
    return { env, remove: async () => rmSync(dataDir, { recursive: true, force: true }) }
  }
  const name = `roost_test_${Bun.randomUUIDv7().replaceAll('-', '').slice(-20)}`
  const admin = postgres(server, { max: 1, onnotice: () => {} })
  await admin.unsafe(`create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    env: { ...env, DATABASE_URL: url.href },
    async remove() {
      await admin.unsafe(`drop database ${name} with (force)`)
      await admin.end()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** A whole server in this process, on a port and with data of its own. `overrides`: parts that the test brings along. */
export async function startServer(env: Env = {}, overrides: Overrides = {}): Promise<TestServer> {
  const parts = await freshParts()
  const config = readConfig({
    HOST: '127.0.0.1',
    PORT: '0',
    RATE_LIMITS: 'off',
    ...parts.env,
    ...env,
  })
  const log = createLogger((env.LOG_LEVEL ?? 'silent') as 'silent')
  const server = await createServer(config, { log, ...overrides })
  server.ctx.bus.subscribe(eventsHint, (events) => events.forEach(checkEvent))
  const app = createApp(server.ctx)
  app.listen({ port: 0, hostname: '127.0.0.1', reusePort: false })
  const port = app.server!.port
  return {
    url: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port}`,
    ...server,
    async stop() {
      await server.close()
      await app.server?.stop(true)
      await parts.remove()
    },
  }
}

/** Lets a test look behind the API. */
export const query = async (server: TestServer, text: ReturnType<typeof sql>) =>
  server.ctx.db.execute(text) as Promise<unknown> as Promise<Record<string, unknown>[]>
