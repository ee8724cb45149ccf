import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { sql } from 'drizzle-orm'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/index.ts'
import { eventsHint } from '../../src/core/channel/hints.ts'
import { CACHED_DOMAINS } from '../../src/core/generations/generations.ts'
import { transaction } from '../../src/core/transaction.ts'
import { createServer, type Overrides, type Server } from '../../src/server.ts'
import { createLogger } from '../../src/util/logger.ts'
import { watchAnswersOf } from './answers.ts'
import { checkEvent } from './conformance.ts'
import { borrowEmbedded } from './embedded-pool.ts'
import { watchRequestsOf } from './request-headers.ts'
import { noteFrame } from './seen.ts'
import { copyTemplate, createFromTemplate } from './template.ts'

type Env = Record<string, string>

export interface TestServer extends Server {
  url: string
  /** `ws://…` */
  wsUrl: string
  stop(): Promise<void>
}

interface Parts {
  env: Env
  remove: () => Promise<void>
}

/** A directory and, on real parts, a database of its own. `TEST_DATABASE_URL` and `TEST_REDIS_URL` name the real parts. */
export async function freshParts(): Promise<Parts> {
  const parts = await emptyParts()
  if (!parts.env.DATABASE_URL) await copyTemplate(parts.env.DATA_DIR!)
  return parts
}

/** As `freshParts`, without an embedded database in the directory. */
async function emptyParts(): Promise<Parts> {
  const dataDir = mkdtempSync(join(tmpdir(), 'roost-test-'))
  const removeDirectory = () => rmSync(dataDir, { recursive: true, force: true })
  const env: Env = { DATA_DIR: dataDir, ADMIN_PASSWORD: 'admin123' }
  if (process.env.TEST_REDIS_URL) env.REDIS_URL = process.env.TEST_REDIS_URL
  const server = process.env.TEST_DATABASE_URL
  if (!server) return { env, remove: async () => removeDirectory() }
  const database = await createFromTemplate(server)
  return {
    env: { ...env, DATABASE_URL: database.url },
    async remove() {
      await database.drop()
      removeDirectory()
    },
  }
}

/** A whole server in this process, on a port and with data of its own. `overrides`: parts that the test brings along. */
export async function startServer(env: Env = {}, overrides: Overrides = {}): Promise<TestServer> {
  const parts = await emptyParts()
  const config = readConfig({
    HOST: '127.0.0.1',
    PORT: '0',
    RATE_LIMITS: 'off',
    ...parts.env,
    ...env,
  })
  const log = createLogger((env.LOG_LEVEL ?? 'silent') as 'silent')
  // A test that names one, or says `undefined` for that in the DATA_DIR, borrows none.
  const borrows = !config.databaseUrl && !('embeddedDatabase' in overrides)
  const embeddedDatabase = borrows ? borrowEmbedded() : undefined
  const server = await createServer(config, { log, embeddedDatabase, ...overrides })
  server.ctx.bus.subscribe(eventsHint, (events) => {
    for (const event of events) {
      checkEvent(event, server.ctx.epoch)
      noteFrame('user', 'send', event.type)
    }
  })
  const app = createApp(server.ctx)
  watchRequestsOf(app)
  app.listen({ port: 0, hostname: '127.0.0.1', reusePort: false })
  const port = app.server!.port
  const url = `http://127.0.0.1:${port}`
  watchAnswersOf(url)
  return {
    url,
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

/** Writes behind the API, as a change of everything that the cache keeps answers of. */
export const write = (server: TestServer, text: ReturnType<typeof sql>) =>
  transaction(server.ctx, async (tx) => {
    tx.changed(...CACHED_DOMAINS)
    await tx.db.execute(text)
  })
