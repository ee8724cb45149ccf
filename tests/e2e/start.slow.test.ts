/** What operators see at a start: a mistake is one readable message and exit 1, and no data is lost. */
import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { api } from '../support/api.ts'
import { eventually, freePort, ROOT, ServerProcess } from '../support/process.ts'
import { freshParts } from '../support/server.ts'

type Env = Record<string, string>

const { PATH = '', HOME = '' } = process.env
const cleanUps: (() => unknown)[] = []
afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp()
})

async function parts(): Promise<Env> {
  const { env, remove } = await freshParts()
  cleanUps.push(remove)
  return env
}

/** Runs a program of the project to its end. `through`: the beginning of the command line. */
async function run(
  script: string,
  env: Env,
  { args = [], through = [] }: { args?: string[]; through?: string[] } = {},
) {
  const child = Bun.spawn([...through, process.execPath, '--no-env-file', script, ...args], {
    cwd: ROOT,
    env: { PATH, HOME, HOST: '127.0.0.1', PORT: '0', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  return { code, stdout, stderr }
}

const signIn = (server: { url: string }, password: string) =>
  api(server, 'POST', '/api/auth/login', { body: { email: 'admin@example.com', password } })

describe('a mistake is one message, and exit 1', () => {
  test('a used port is named before anything is made', async () => {
    const taken = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    cleanUps.push(() => taken.stop(true))
    const { ADMIN_PASSWORD: _, ...env } = await parts()
    const { code, stdout, stderr } = await run('src/main.ts', { ...env, PORT: String(taken.port) })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^Port ${taken.port} is in use\\..*\n$`))
    // The next start is the first that makes the administrator.
    const port = String(freePort())
    await using server = await ServerProcess.start({ ...env, ADMIN_PASSWORD: '', PORT: port })
    const [, password] = /First administrator: admin@example\.com {2}password: (\S+)/.exec(server.output)!
    expect((await signIn(server, password!)).status).toBe(200)
  })

  test('an address of another machine', async () => {
    const { code, stdout, stderr } = await run('src/main.ts', { ...(await parts()), HOST: '192.0.2.1' })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^This machine does not have the address 192\.0\.2\.1\. Set HOST to .*\n$/)
  })

  test('a Redis that is not there', async () => {
    const env = { ...(await parts()), REDIS_URL: `redis://:S3cret@127.0.0.1:${freePort()}` }
    const { code, stdout, stderr } = await run('src/main.ts', env)
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: "The Redis in REDIS_URL can't be used: nothing listens at its host and port.\n",
    })
  })

  test('a directory that holds no database speaks of DATA_DIR alone', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'roost-no-database-'))
    cleanUps.push(() => rmSync(dataDir, { recursive: true }))
    mkdirSync(join(dataDir, 'pg'))
    writeFileSync(join(dataDir, 'pg', 'PG_VERSION'), '9\n')
    const { code, stderr } = await run('src/main.ts', { DATA_DIR: dataDir })
    expect(code).toBe(1)
    expect(stderr).toContain(`embedded database in ${dataDir}`)
    expect(stderr).not.toContain('DATABASE_URL')
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('a directory that the database can’t be locked in', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'roost-no-lock-'))
    cleanUps.push(() => rmSync(dataDir, { recursive: true }))
    mkdirSync(join(dataDir, 'lock.sqlite'))
    const { code, stderr } = await run('src/main.ts', { DATA_DIR: dataDir })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^The directory in DATA_DIR, \S+, can't be used: [^\n]+\n$/)
  })

  test('a disk without room for the database, and the next start works', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'roost-full-'))
    cleanUps.push(() => rmSync(dataDir, { recursive: true }))
    // The kernel refuses files over 4 to 8 MB, as a full disk does in the middle of one.
    const limited = ['/bin/sh', '-c', 'trap "" XFSZ; ulimit -f 8000; exec "$@"', 'sh']
    const env = { DATA_DIR: dataDir, ADMIN_PASSWORD: 'admin123' }
    const { code, stderr } = await run('src/main.ts', env, { through: limited })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^A new database can't be written to \S+: [^\n]+ 100 MB of free space\.\n$/)
    expect(existsSync(join(dataDir, 'pg.new'))).toBe(false)
    await using server = await ServerProcess.start(env)
    expect((await signIn(server, 'admin123')).status).toBe(200)
  })
})

describe('the administrator’s password', () => {
  test('is reset from the command line: the new one signs in, and open sessions have ended', async () => {
    const env = await parts()
    let token: string
    {
      await using server = await ServerProcess.start(env)
      token = (await signIn(server, 'admin123')).body.access_token
    }
    expect(await run('src/admin.ts', env, { args: ['nobody@example.com'] })).toMatchObject({
      code: 1,
      stderr: 'There is no account nobody@example.com.\n',
    })
    const { code, stdout } = await run('src/admin.ts', env)
    expect(code).toBe(0)
    const [, password] = /^admin@example\.com has a new password: (\S+)/.exec(stdout)!
    await using server = await ServerProcess.start({ ...env, LOG_LEVEL: 'info' })
    expect((await signIn(server, 'admin123')).status).toBe(401)
    expect((await signIn(server, password!)).status).toBe(200)
    expect((await api(server, 'GET', '/api/users/me', { token })).status).toBe(401)
    // The variable is set as at the first start, and the administrator is there.
    expect(server.output).toContain('ADMIN_PASSWORD changes nothing')
  })

  test('is not reset by guessing: not with an option, a password of one’s own, or where no server has been', async () => {
    for (const args of [['--nonsense'], ['admin@example.com', 'secret12']]) {
      const { code, stderr } = await run('src/admin.ts', {}, { args })
      expect([code, stderr]).toEqual([1, expect.stringContaining('Usage: bun run admin:reset-password')])
    }
    const dataDir = join(tmpdir(), `roost-none-${crypto.randomUUID()}`)
    const { code, stderr } = await run('src/admin.ts', { DATA_DIR: dataDir, DATABASE_URL: '' })
    expect([code, stderr]).toEqual([1, expect.stringContaining(`no data directory ${dataDir}`)])
    expect(existsSync(dataDir)).toBe(false)
  })

  test('is long enough for every PASSWORD_MIN_LENGTH', async () => {
    const env = { ...(await parts()), ADMIN_PASSWORD: '', PASSWORD_MIN_LENGTH: '128' }
    await using server = await ServerProcess.start(env)
    const [, password] = /password: (\S+)/.exec(server.output)!
    expect((await signIn(server, password!)).status).toBe(200)
  })
})

test.skipIf(!process.env.TEST_DATABASE_URL)(
  'a second server on one database is told that files need S3',
  async () => {
    const env = await parts()
    const { REDIS_URL: _, ...alone } = env
    await using first = await ServerProcess.start({ ...alone, PORT: String(freePort()) })
    expect(first.output).not.toContain('S3_BUCKET')
    await using second = await ServerProcess.start({ ...alone, PORT: String(freePort()) })
    await eventually(() => second.output.includes('another server uses this database'), 'the warning')
  },
)
