/** A start that fails closes what it has opened, so that nothing keeps the process alive. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { readConfig } from '../src/config/index.ts'
import { openDatabase } from '../src/db/client.ts'
import { createServer } from '../src/server.ts'
import { createLogger } from '../src/util/logger.ts'
import { StartupError } from '../src/util/startup-error.ts'
import { failureOf } from './support/failure.ts'
import { ROOT } from './support/process.ts'
import { freshParts } from './support/server.ts'

const script = `
  import { readConfig } from './src/config/index.ts'
  import { createServer } from './src/server.ts'
  const onAdministratorMade = () => {
    throw new Error('the start was stopped')
  }
  const config = readConfig(process.env)
  await createServer(config, { onAdministratorMade }).catch((error) => console.log(error.message))
`

test('the process ends by itself', async () => {
  const { env, remove } = await freshParts()
  const { ADMIN_PASSWORD: _, ...withoutPassword } = env
  const child = Bun.spawn([process.execPath, '-e', script], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, LOG_LEVEL: 'silent', ...withoutPassword },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), 30_000)
  try {
    expect(await child.exited).toBe(0)
    expect(await child.stdout.text()).toBe('the start was stopped\n')
  } finally {
    clearTimeout(limit)
    child.kill('SIGKILL')
    await remove()
  }
}, 60_000)

test.each([
  ['the embedded database', 'data', {}],
  ['the embedded database', '.', {}],
  ['PostgreSQL', 'data', { DATABASE_URL: 'postgres://roost@127.0.0.1:1/roost' }],
])('a DATA_DIR that cannot be made has one message, on %s', async (_, under, env) => {
  const dataDir = join(import.meta.path, under)
  const start = createServer(readConfig({ DATA_DIR: dataDir, ...env }), { log: createLogger('silent') })
  const error = await failureOf(start)
  expect(error).toBeInstanceOf(StartupError)
  expect(error.message).toBe(
    `The directory in DATA_DIR, ${dataDir}, can't be used: it, or a folder above it, is a file. Set DATA_DIR to a directory.`,
  )
})

test('a database that has lost a table: the message says which, without the query', async () => {
  const { env, remove } = await freshParts()
  try {
    const config = readConfig(env)
    const log = createLogger('silent')
    const database = await openDatabase(config, log)
    await database.db.execute(sql`drop table settings`)
    await database.close()
    const error = await failureOf(createServer(config, { log }))
    expect(error).toBeInstanceOf(StartupError)
    expect(error.message).toMatch(
      /^The .*database .*can't be used: relation "settings" does not exist \(42P01\)\.$/,
    )
  } finally {
    await remove()
  }
})
