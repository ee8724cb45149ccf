import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, readConfig } from '../src/config.ts'
import { freePort, ROOT } from './support/process.ts'
import { freshParts } from './support/server.ts'

const mistakesIn = (env: Record<string, string>): string => {
  try {
    readConfig(env)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  return ''
}

describe('the configuration', () => {
  test('of an empty environment is the documented one', () => {
    expect(readConfig({})).toMatchObject({
      production: false,
      port: 8000,
      dataDir: './data',
      databaseUrl: undefined,
      redisUrl: undefined,
      jwtSecret: undefined,
      accessTokenMinutes: 30,
      passwordMinLength: 6,
      admin: { email: 'admin@example.com', password: undefined },
      allowedOrigins: [],
      rateLimits: true,
      nodeHeartbeatSeconds: 5,
    })
  })

  test('takes an empty or blank variable for one that is not set', () => {
    const blank = {
      PORT: '',
      DATABASE_URL: '  ',
      RATE_LIMITS: '',
      JWT_SECRET: ' ',
      ALLOWED_ORIGINS: ' , ',
      ADMIN_EMAIL: '',
    }
    expect(readConfig(blank)).toEqual(readConfig({}))
  })

  test('reads origins and URLs as they will be compared', () => {
    const env = {
      ALLOWED_ORIGINS: 'https://App.example.com/, http://localhost:5173',
      PUBLIC_URL: 'https://x.example.com//',
    }
    expect(readConfig(env)).toMatchObject({
      allowedOrigins: ['https://app.example.com', 'http://localhost:5173'],
      publicUrl: 'https://x.example.com',
    })
  })

  const WRONG: [string, string][] = [
    ['PORT', 'http'],
    ['DATABASE_URL', 'mysql://root:S3cret-db@localhost/x'],
    ['REDIS_URL', 'localhost:6379?password=S3cret-redis'],
    ['PUBLIC_URL', 'ftp://S3cret-user@example.com'],
    ['JWT_SECRET', 'S3cret-short'],
    ['ACCESS_TOKEN_EXPIRE_MINUTES', '0'],
    ['PASSWORD_MIN_LENGTH', '5'],
    ['ADMIN_EMAIL', 'nobody'],
    ['ADMIN_PASSWORD', 'S3c'],
    ['ALLOWED_ORIGINS', '*'],
    ['RATE_LIMITS', 'maybe'],
    ['LOG_LEVEL', 'loud'],
    ['NODE_HEARTBEAT_SECONDS', '1.5'],
  ]

  test('names every mistake in one message, and no value that may be secret', () => {
    const message = mistakesIn(Object.fromEntries(WRONG))
    for (const [name] of WRONG)
      expect(message.split('\n').filter((line) => line.startsWith(`  - ${name} `))).toHaveLength(1)
    expect(message).not.toMatch(/S3c|nobody|mysql|loud|maybe/)
  })

  test.each(WRONG)('%s=%s is a mistake by itself', (name, value) => {
    expect(mistakesIn({ [name]: value }).split('\n')).toEqual([
      'The environment is not right:',
      expect.stringMatching(new RegExp(`^  - ${name} must `)),
    ])
  })

  test.each([
    ['PORT', ['-1', '65536', '80.5', 'Infinity', 'NaN', '8000a']],
    ['PASSWORD_MIN_LENGTH', ['129', 'six']],
    ['DATABASE_URL', ['localhost', 'postgres', '//x', 'http://localhost/db']],
    ['ALLOWED_ORIGINS', ['example.com', 'https://a.example.com,nonsense', 'file:///x']],
  ])('%s: none of these', (name, values) => {
    for (const value of values) expect(mistakesIn({ [name]: value }), value).toContain(`- ${name} must`)
  })

  test('production needs a secret of its own, and a raised floor a password that reaches it', () => {
    expect(mistakesIn({ NODE_ENV: 'production' })).toContain('JWT_SECRET is required')
    expect(mistakesIn({ PASSWORD_MIN_LENGTH: '20', ADMIN_PASSWORD: 'S3cret-but-short' })).toMatch(
      /^The environment is not right:\n {2}- ADMIN_PASSWORD must have at least 20 characters$/,
    )
  })
})

/** Starts the server as an operator does, and waits until it ends. */
async function failedStart(env: Record<string, string>): Promise<{ code: number; message: string }> {
  const { PATH = '', HOME = '' } = process.env
  const child = Bun.spawn([process.execPath, '--no-env-file', 'src/main.ts'], {
    cwd: ROOT,
    env: { PATH, HOME, HOST: '127.0.0.1', LOG_LEVEL: 'warn', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: 15_000,
  })
  const [code, out, message] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  expect(out).toBe('')
  return { code, message: message.trim() }
}

const scratch = () => mkdtempSync(join(tmpdir(), 'roost-start-'))

describe('a start that cannot be', () => {
  const CASES: [string, (dir: string) => Record<string, string>, RegExp][] = [
    [
      'with a bad PORT',
      () => ({ PORT: 'http' }),
      /^The environment is not right:\n {2}- PORT must be a whole number/,
    ],
    [
      'on a database that is not there',
      () => ({ DATABASE_URL: 'postgres://roost:S3cret@127.0.0.1:1/roost' }),
      /^The database in DATABASE_URL can't be used: nothing listens at its host and port\.$/,
    ],
    [
      'on a host of no name',
      () => ({ DATABASE_URL: 'postgres://roost:S3cret@no-such-host.invalid/roost' }),
      /^The database in DATABASE_URL can't be used: its host name does not resolve\.$/,
    ],
    ['in production without a secret', () => ({ NODE_ENV: 'production' }), /JWT_SECRET is required/],
    [
      'with a file for DATA_DIR',
      (dir) => {
        writeFileSync(join(dir, 'file'), '')
        return { DATA_DIR: join(dir, 'file') }
      },
      /^The directory in DATA_DIR, .+\/file, can't be made: EEXIST\.$/,
    ],
  ]
  test.each(CASES)('%s ends with one message and code 1', async (_, env, pattern) => {
    const dir = scratch()
    try {
      const { code, message } = await failedStart({ DATA_DIR: dir, ...env(dir) })
      expect(message).toMatch(pattern)
      expect(message).not.toMatch(/\n\s+at |S3cret|Error:/)
      expect(code).toBe(1)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  test('on a port or a directory that another server has, or an address that is not here, says which', async () => {
    const parts = await freshParts()
    const other = await freshParts()
    const port = String(freePort())
    const { PATH = '', HOME = '' } = process.env
    const first = Bun.spawn([process.execPath, '--no-env-file', 'src/main.ts'], {
      cwd: ROOT,
      env: { PATH, HOME, HOST: '127.0.0.1', LOG_LEVEL: 'warn', ...parts.env, PORT: port },
      stdout: 'pipe',
      stderr: 'inherit',
    })
    try {
      for await (const text of first.stdout.pipeThrough(new TextDecoderStream())) {
        if (text.includes('Roost listens on')) break
      }
      const taken = await failedStart({ ...other.env, PORT: port })
      expect(taken).toEqual({
        code: 1,
        message: expect.stringMatching(new RegExp(`^Port ${port} is in use\\.`)),
      })

      const elsewhere = await failedStart({ ...other.env, HOST: '203.0.113.1', PORT: port })
      expect(elsewhere.message).toBe(
        `The server can't listen on HOST 203.0.113.1, PORT ${port}: EADDRNOTAVAIL.`,
      )

      // The embedded database is in it; a real one may be shared.
      const { DATABASE_URL: _, ...embedded } = parts.env
      if (parts.env.DATABASE_URL) return
      const locked = await failedStart({ ...embedded, PORT: '0' })
      expect(locked.code).toBe(1)
      expect(locked.message).toStartWith(`Another process uses the data directory ${parts.env.DATA_DIR}.`)
      expect(locked.message).not.toMatch(/\n\s+at /)
    } finally {
      first.kill('SIGKILL')
      await first.exited
      await Promise.all([parts.remove(), other.remove()])
    }
  })
})
