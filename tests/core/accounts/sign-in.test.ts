import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { createAccount, findAccount } from '../../../src/core/accounts/accounts.ts'
import { changePassword } from '../../../src/core/accounts/password-change.ts'
import { endSessions, signIn } from '../../../src/core/accounts/sessions.ts'
import { SERVER } from '../../../src/core/audit/audit.ts'
import type { Context } from '../../../src/core/context.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { sessions, users } from '../../../src/db/schema/index.ts'
import { actorOf } from '../../support/actors.ts'
import { api } from '../../support/api.ts'
import { makeUser, PASSWORD, unique } from '../../support/factories.ts'
import { ROOT } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'
import { expectFactoryError, expectLearningError, expectWithout } from '../../support/shapes.ts'

/** With rate limits, and a minimum of ten characters, which is more than both documents ask for. */
const strict = await startServer({
  RATE_LIMITS: 'on',
  PASSWORD_MIN_LENGTH: '10',
  ADMIN_PASSWORD: 'a long enough one',
})
afterAll(() => strict.stop())
const post = (path: string, body: object) => api(strict, 'POST', path, { body })

describe('failed sign-ins', () => {
  const LIMIT = 10
  const fail = (email: string) => post('/api/auth/login', { email, password: 'Wr0ng-One' })

  test('after ten of one account the eleventh is refused, on every contract, with the right password too', async () => {
    const { user } = await makeUser(strict)
    const failed = await Promise.all(Array.from({ length: LIMIT }, () => fail(user.email)))
    expect(failed.map(({ status }) => status)).toEqual(Array(LIMIT).fill(401))
    for (const email of [user.email, user.email.toUpperCase()]) {
      const answer = await post('/api/auth/login', { email, password: PASSWORD })
      expectFactoryError(answer, { status: 429, code: 'RATE_LIMIT_EXCEEDED' })
      expect(Number(answer.headers.get('retry-after'))).toBeWithin(1, 301)
      expectWithout(answer, user.email, PASSWORD)
    }
    const learning = await post('/api/v1/auth/login', { email: user.email, password: PASSWORD })
    expectLearningError(learning, { status: 429, code: 'RATE_LIMIT_EXCEEDED' })
    expect(learning.headers.get('retry-after')).toMatch(/^\d+$/)
  })

  test('many at once: ten passwords are checked, with or without the right one, and the others are refused', async () => {
    const { user } = await makeUser(strict)
    const right = { email: user.email, password: PASSWORD }
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i === 39 ? post('/api/auth/login', right) : fail(user.email))),
    )
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 401).length).toBe(LIMIT)
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(39 - LIMIT)
    expect((await post('/api/auth/login', right)).status).toBe(429)
  })

  test('right ones among them are uncounted, also when the limit is nearly used up', async () => {
    const { user } = await makeUser(strict)
    const right = () => post('/api/auth/login', { email: user.email, password: PASSWORD })
    await Promise.all(Array.from({ length: LIMIT - 1 }, () => fail(user.email)))
    const answers = await Promise.all(Array.from({ length: 5 }, right))
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
    expect((await fail(user.email)).status).toBe(401)
    expect((await right()).status).toBe(429)
  })

  test('do not block another account, or one that signs in often with the right password', async () => {
    const { user } = await makeUser(strict)
    const body = { email: user.email, password: PASSWORD }
    const answers = await Promise.all(Array.from({ length: LIMIT + 2 }, () => post('/api/auth/login', body)))
    expect(answers.map(({ status }) => status)).toEqual(Array(LIMIT + 2).fill(200))
  })

  test('of an unknown user count like those of a known one', async () => {
    const nobody = `${unique('nobody')}@example.com`
    await Promise.all(Array.from({ length: LIMIT }, () => fail(nobody)))
    expect((await fail(nobody)).status).toBe(429)
  })
})

describe('wrong current passwords', () => {
  const LIMIT = 10
  const change = (token: string, current_password: string) => {
    const body = { current_password, new_password: 'another horse' }
    return api(strict, 'POST', '/api/users/change-password', { token, body })
  }

  test('after ten of one user all others are refused, the right one too, all at once or not', async () => {
    const [owner, other] = [await makeUser(strict), await makeUser(strict)]
    const answers = await Promise.all(
      Array.from({ length: LIMIT + 2 }, () => change(owner.token, 'Wr0ng-One')),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(LIMIT).fill(422), 429, 429])
    const answer = await change(owner.token, PASSWORD)
    expectFactoryError(answer, { status: 429, code: 'RATE_LIMIT_EXCEEDED' })
    expect(Number(answer.headers.get('retry-after'))).toBeWithin(1, 301)
    expect((await change(other.token, PASSWORD)).status).toBe(200)
  })
})

describe('a password that is changed while the old one is being verified', () => {
  const { ctx } = strict
  /** Runs `first` just before the transaction of the request begins. */
  const overtakenBy = (first: () => Promise<unknown>): Context => ({
    ...ctx,
    db: Object.assign(Object.create(ctx.db), {
      transaction: async (...args: Parameters<Context['db']['transaction']>) => {
        await first()
        return ctx.db.transaction(...args)
      },
    }),
  })
  const reset = (userId: number) => () =>
    transaction(ctx, async (tx) => {
      await tx.db.update(users).set({ passwordHash: 'of another one' }).where(eq(users.id, userId))
      await endSessions(tx, SERVER, userId, 'password_reset')
    })
  const own = async (userId: number) => {
    const of = eq(sessions.userId, userId)
    return (await ctx.db.select().from(sessions).where(of)).filter(({ revokedAt }) => !revokedAt)
  }

  test('opens no session', async () => {
    const { user } = await makeUser(strict)
    const client = { ip: '127.0.0.9', userAgent: undefined, requestId: 'test' }
    const input = { name: user.email, password: PASSWORD, accessMinutes: 30, client }
    await expect(signIn(overtakenBy(reset(user.id)), input)).rejects.toMatchObject({
      code: 'INVALID_CREDENTIALS',
    })
    expect(await own(user.id)).toEqual([])
  })

  test('is not changed again by somebody who knew the old one', async () => {
    const { user } = await makeUser(strict)
    const [session] = await own(user.id)
    const input = { currentPassword: PASSWORD, newPassword: 'of a thief', language: 'en' } as const
    const late = overtakenBy(reset(user.id))
    const change = changePassword(late, { ...actorOf({ user }), sessionId: session!.id }, input)
    await expect(change).rejects.toMatchObject({ code: 'VALIDATION_FAILED' })
    expect((await findAccount(ctx, user.email))!.passwordHash).toBe('of another one')
  })
})

describe('PASSWORD_MIN_LENGTH', () => {
  test('raises the minimum of both contracts, and the error names the limit', async () => {
    const body = { email: `${unique('s')}@example.com`, name: 'n', password: 'ninechars' }
    const factory = await post('/api/auth/register', body)
    expectFactoryError(factory, { status: 422, code: 'VALIDATION_ERROR', fields: ['password'] })
    expect(factory.text).toContain('10')
    const learning = await post('/api/v1/auth/register', body)
    expectLearningError(learning, { status: 422, code: 'VALIDATION_ERROR', fields: ['password'] })
    expect(learning.text).toContain('10')
    expect((await post('/api/v1/auth/register', { ...body, password: 'ten chars!' })).status).toBe(201)
  })

  test('applies to a change of the password too', async () => {
    const { token } = await makeUser(strict)
    const body = { current_password: PASSWORD, new_password: 'ninechars' }
    const answer = await api(strict, 'POST', '/api/users/change-password', { token, body })
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: ['new_password'] })
  })
})

describe('accounts', () => {
  const { ctx } = strict
  const password = PASSWORD

  test('the same email at once: exactly one is created, the others get EMAIL_TAKEN', async () => {
    for (const [path, conflict] of [
      ['/api/auth/register', 409],
      ['/api/v1/auth/register', 400],
    ] as const) {
      const email = `${unique('race')}@example.com`
      const answers = await Promise.all(
        Array.from({ length: 4 }, (_, i) =>
          post(path, { email: i % 2 ? email : email.toUpperCase(), name: 'n', password }),
        ),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(3).fill(conflict)].sort())
      const rows = (await ctx.db.select().from(users)).filter((row) => row.email.toLowerCase() === email)
      expect(rows.length).toBe(1)
    }
  })

  test('different emails with the same name at once: all are created, each with its own username', async () => {
    const name = unique('same')
    const made = await Promise.all(
      Array.from({ length: 4 }, (_, i) =>
        createAccount(ctx, SERVER, { email: `${name}@host${i}.example.com`, password }),
      ),
    )
    const names = made.map(({ username }) => username)
    expect(new Set(names).size).toBe(4)
    for (const username of names) expect(username).toStartWith(name)
  })

  test.each([
    ['a@x', /^a__$/],
    ['first.last+tag@x', /^first\.lasttag$/],
    [`${'very-long'.repeat(6)}@x`, /^very-long.{15}$/],
    ["o'brien!#$@x", /^obrien$/],
  ])('%s becomes a username of its allowed characters', async (local, pattern) => {
    const email = `${local}${unique('h')}.example.com`
    const { username } = await createAccount(ctx, SERVER, { email, password })
    expect(username.replace(/\d{5,6}$/, '')).toMatch(pattern)
    expect(username.length).toBeWithin(3, 31)
  })

  test('a user is found by email or username, in upper or lower case; a username is never read as an email', async () => {
    const { user } = await makeUser(strict)
    for (const name of [user.email, user.email.toUpperCase(), user.username, user.username.toUpperCase()]) {
      expect((await findAccount(ctx, name))?.id).toBe(user.id)
    }
    for (const name of ['', '%', '_', user.email.slice(0, -1)]) {
      expect(await findAccount(ctx, name)).toBeUndefined()
    }
  })

  test.each(['İstanbul', 'ΣΊΣΥΦΟΣ'])('the username %s signs in as it is spelt', async (name) => {
    const username = `${unique('u')}${name}`
    await createAccount(ctx, SERVER, { email: `${unique('u')}@example.com`, password, username })
    expect((await post('/api/auth/login', { username, password })).status).toBe(200)
  })

  test('passwords are stored as argon2id, each with its own salt, at the cost that OWASP recommends', async () => {
    // In a separate process, because the preload file makes hashes of this one cheap.
    const program =
      "import { hashPassword } from './src/core/accounts/passwords.ts'\n" +
      "console.log(await hashPassword('secret1')); console.log(await hashPassword('secret1'))"
    const { stdout } = Bun.spawnSync([process.execPath, '-e', program], { cwd: ROOT })
    const [one, two] = stdout.toString().split('\n')
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(two).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(one).not.toBe(two)
    const { id } = await createAccount(ctx, SERVER, { email: `${unique('a')}@example.com`, password })
    const [row] = await ctx.db.select().from(users).where(eq(users.id, id))
    expect(row!.passwordHash).toStartWith('$argon2id$')
  })
})
