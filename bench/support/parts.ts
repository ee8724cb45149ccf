/** Directories and databases for the servers of one measurement, and the rows in them before it begins. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { readConfig } from '../../src/config/index.ts'
import type { Context } from '../../src/core/context.ts'
import { createServer } from '../../src/server.ts'
import { createLogger } from '../../src/util/logger.ts'
import { copyTemplate } from '../../tests/support/template.ts'

export type Kind = 'embedded' | 'PostgreSQL'

export interface Parts {
  kind: Kind
  env: Record<string, string>
  /** Changes the data with functions of the core. No server may run on the data meanwhile. */
  prepare<T>(work: (ctx: Context) => Promise<T>): Promise<T>
  remove(): Promise<void>
}

/** The databases that can be measured: PGlite always, PostgreSQL when BENCH_DATABASE_URL names one. */
export const kinds = (): Kind[] =>
  process.env.BENCH_DATABASE_URL ? ['embedded', 'PostgreSQL'] : ['embedded']

/** New data; on PostgreSQL a new database, which `remove` drops. */
export async function freshParts(kind: Kind, extra: Record<string, string> = {}): Promise<Parts> {
  const dataDir = mkdtempSync(join(tmpdir(), 'roost-bench-'))
  const removeDir = () => rmSync(dataDir, { recursive: true, force: true })
  const env: Record<string, string> = {
    DATA_DIR: dataDir,
    DATABASE_URL: '',
    REDIS_URL: '',
    JWT_SECRET: 'a secret that only benchmarks share, 0123456789',
    ADMIN_PASSWORD: 'admin123',
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'info',
    ...extra,
  }
  let drop = async () => {}
  if (kind === 'embedded') await copyTemplate(dataDir)
  else {
    const name = `roost_bench_${Bun.randomUUIDv7().replaceAll('-', '').slice(-20)}`
    const server = postgres(process.env.BENCH_DATABASE_URL!, { max: 1, onnotice: () => {} })
    await server.unsafe(`create database ${name}`)
    const url = new URL(process.env.BENCH_DATABASE_URL!)
    url.pathname = `/${name}`
    env.DATABASE_URL = url.href
    drop = async () => {
      await server.unsafe(`drop database ${name} with (force)`)
      await server.end()
    }
  }
  return {
    kind,
    env,
    async prepare(work) {
      const server = await createServer(readConfig(env), { log: createLogger('silent') })
      try {
        return await work(server.ctx)
      } finally {
        await server.close()
      }
    },
    async remove() {
      await drop()
      removeDir()
    },
  }
}
