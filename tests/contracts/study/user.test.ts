import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { recordProgress } from '../../../src/core/courses/progress.ts'
import { courseAccountsOf } from '../../../src/core/courses/settings.ts'
import { studySettings } from '../../../src/db/schema/index.ts'
import { auditedOf } from '../../support/audited.ts'
import { describedApi } from '../../support/described.ts'
import { makeTask, makeUser, PASSWORD, signInAgain } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import { expectAnswer, expectFactoryError, expectWithout, NEVER_SHOWN } from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)

const courseAccountOf = async ({ ctx }: typeof server, userId: number) =>
  (await courseAccountsOf(ctx, [userId])).get(userId)

const CONFIG = {
  cx_username: 'string',
  cx_password_set: 'boolean',
  speed: 'number',
  notopen_action: 'string',
} as const
const ME = {
  id: 'integer',
  username: 'string',
  email: 'string',
  full_name: 'string',
  role: 'string',
  is_active: 'boolean',
  created_at: 'instant',
  last_login: 'instant|null',
} as const

describe('GET and PUT /api/user/config', () => {
  const config = (token: string) => ask('GET', '/api/user/config', { token })
  const change = (token: string, body: object) => ask('PUT', '/api/user/config', { token, body })
  const DOCUMENTED = {
    cx_username: '13800138000',
    cx_password: 'your_password',
    speed: 1.5,
    notopen_action: 'retry',
  }

  test('the default values, before a user has changed any', async () => {
    const answer = await config((await makeUser(server)).token)
    expectAnswer(answer, 200, CONFIG)
    expect(answer.body).toEqual({
      cx_username: '',
      cx_password_set: false,
      speed: 1,
      notopen_action: 'retry',
    })
  })

  test('the documented request: the password is kept encrypted and never shown', async () => {
    const { user, token } = await makeUser(server)
    const answer = await change(token, DOCUMENTED)
    expectAnswer(answer, 200, CONFIG)
    const shown = { cx_username: '13800138000', cx_password_set: true, speed: 1.5, notopen_action: 'retry' }
    expect(answer.body).toEqual(shown)
    expect((await config(token)).body).toEqual(shown)
    expectWithout(answer, 'your_password')
    const [row] = await server.ctx.db.select().from(studySettings).where(eq(studySettings.userId, user.id))
    expectWithout({ text: JSON.stringify(row) }, 'your_password')
    expect(await courseAccountOf(server, user.id)).toEqual({
      username: '13800138000',
      password: 'your_password',
    })
    expect(await auditedOf(server, answer)).toEqual(['study_settings.updated'])
  })

  test('changes what it names and nothing else', async () => {
    const { user, token } = await makeUser(server)
    await change(token, DOCUMENTED)
    const account = () => courseAccountOf(server, user.id)
    expect((await change(token, { speed: 2 })).body).toMatchObject({
      speed: 2,
      cx_username: '13800138000',
      cx_password_set: true,
    })
    expect((await account())?.password).toBe('your_password')
    expect((await change(token, { notopen_action: 'skip' })).body).toMatchObject({
      speed: 2,
      notopen_action: 'skip',
    })
    expect((await change(token, { cx_password: ' 密码 🦉 ' })).body).toMatchObject({
      cx_password_set: true,
      speed: 2,
    })
    expect((await account())?.password).toBe(' 密码 🦉 ')
    const nothing = await change(token, {})
    expect(nothing.body).toMatchObject({ speed: 2, notopen_action: 'skip', cx_password_set: true })
    expect(await auditedOf(server, nothing)).toEqual([])
  })

  test.each([[''], [null]])('a cx_password of %p removes it', async (cx_password) => {
    const { user, token } = await makeUser(server)
    await change(token, DOCUMENTED)
    expect((await change(token, { cx_password })).body).toMatchObject({ cx_password_set: false, speed: 1.5 })
    expect(await courseAccountOf(server, user.id)).toBeUndefined()
  })

  test('null is the default value of the other fields', async () => {
    const { token } = await makeUser(server)
    await change(token, { ...DOCUMENTED, notopen_action: 'stop' })
    const answer = await change(token, { cx_username: null, speed: null, notopen_action: null })
    expect(answer.body).toEqual({ cx_username: '', cx_password_set: true, speed: 1, notopen_action: 'retry' })
  })

  test('two changes at once of a user who had none both count', async () => {
    const { token } = await makeUser(server)
    const answers = await Promise.all([
      change(token, { speed: 2 }),
      change(token, { notopen_action: 'stop' }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect((await config(token)).body).toMatchObject({ speed: 2, notopen_action: 'stop' })
  })

  test("a password that was copied from another user's row is none", async () => {
    const [one, two] = [await makeUser(server), await makeUser(server)]
    await change(one.token, DOCUMENTED)
    await change(two.token, { ...DOCUMENTED, cx_password: 'other' })
    const { db } = server.ctx
    const [row] = await db.select().from(studySettings).where(eq(studySettings.userId, one.user.id))
    await db
      .update(studySettings)
      .set({ cxPasswordSealed: row!.cxPasswordSealed })
      .where(eq(studySettings.userId, two.user.id))
    expect(await courseAccountOf(server, two.user.id)).toBeUndefined()
    expect((await courseAccountOf(server, one.user.id))?.password).toBe('your_password')
  })

  test.each<[string, object, string]>([
    ['a speed of nothing', { speed: 0 }, 'speed'],
    ['a negative speed', { speed: -1 }, 'speed'],
    ['too high a speed', { speed: 101 }, 'speed'],
    ['a speed in words', { speed: 'fast' }, 'speed'],
    ['a speed as a text', { speed: '1.5' }, 'speed'],
    ['an unknown action', { notopen_action: 'wait' }, 'notopen_action'],
    ['an empty action', { notopen_action: '' }, 'notopen_action'],
    ['a username that is a number', { cx_username: 13800138000 }, 'cx_username'],
    ['a long username', { cx_username: '1'.repeat(101) }, 'cx_username'],
    ['a username that cannot be stored', { cx_username: 'a\u0000' }, 'cx_username'],
    ['a password that is an object', { cx_password: {} }, 'cx_password'],
    ['a long password', { cx_password: 'S3cret-'.repeat(40) }, 'cx_password'],
  ])('%s: 422, and nothing has changed', async (_, body, field) => {
    const { token } = await makeUser(server)
    const answer = await change(token, { cx_username: 'a', ...body })
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
    expectWithout(answer, 'S3cret')
    expect((await config(token)).body.cx_username).toBe('')
  })
})

describe('PUT /api/user/password', () => {
  const change = (token: string, body: object) => ask('PUT', '/api/user/password', { token, body })
  const signIn = (email: string, password: string) =>
    ask('POST', '/api/auth/login', { body: { email, password } })

  test('the new password signs in, the old one does not; other sessions end, this one stays', async () => {
    const owner = await makeUser(server)
    const other = await signInAgain(server, owner)
    const answer = await change(owner.token, { current_password: PASSWORD, new_password: 'another horse' })
    expectAnswer(answer, 200, { message: 'string' })
    expect(await auditedOf(server, answer)).toContain('user.password_changed')
    expect((await signIn(owner.user.email, 'another horse')).status).toBe(200)
    expect((await signIn(owner.user.email, PASSWORD)).status).toBe(401)
    expect((await ask('GET', '/api/auth/me', { token: owner.token })).status).toBe(200)
    expect((await ask('GET', '/api/auth/me', { token: other.token })).status).toBe(401)
  })

  test.each<[string, object, string[]]>([
    ['nothing', {}, ['current_password', 'new_password']],
    [
      'a wrong current password',
      { current_password: 'Wr0ng-One', new_password: 'another horse' },
      ['current_password'],
    ],
    ['a short new password', { current_password: PASSWORD, new_password: '12345' }, ['new_password']],
  ])('%s: 422, and nothing has changed', async (_, body, fields) => {
    const { user, token } = await makeUser(server)
    const answer = await change(token, body)
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields })
    expectWithout(answer, PASSWORD, 'Wr0ng-One')
    expect((await signIn(user.email, PASSWORD)).status).toBe(200)
  })
})

describe('GET /api/user/profile', () => {
  const PROFILE = {
    ...ME,
    statistics: {
      total_tasks: 'integer',
      running_tasks: 'integer',
      completed_tasks: 'integer',
      failed_tasks: 'integer',
      last_task_date: 'instant|null',
      courses: 'integer',
      completed_items: 'integer',
      studied_seconds: 'integer',
    },
  } as const
  const profile = (token: string) => ask('GET', '/api/user/profile', { token })

  test('of a new user: zeros and no date', async () => {
    const { user, token } = await makeUser(server)
    const answer = await profile(token)
    expectAnswer(answer, 200, PROFILE)
    expect(answer.body).toMatchObject({
      id: user.id,
      username: user.username,
      email: user.email,
      role: 'user',
    })
    expect(answer.body.statistics).toEqual({
      total_tasks: 0,
      running_tasks: 0,
      completed_tasks: 0,
      failed_tasks: 0,
      last_task_date: null,
      courses: 0,
      completed_items: 0,
      studied_seconds: 0,
    })
    expectWithout(answer, 'argon2', ...NEVER_SHOWN)
  })

  test("counts one's own tasks and studies, and nobody else's", async () => {
    const [owner, other] = [await makeUser(server), await makeUser(server)]
    const task = await makeTask(server, owner, { kind: 'study', title: 'a', courseIds: ['1'] })
    await makeTask(server, other)
    const item = (userId: number, courseId: string, itemId: string, position: number, isDone = false) => ({
      provider: 'built_in' as const,
      userId,
      courseId,
      itemId,
      position,
      isDone,
    })
    await recordProgress(server.ctx, [
      item(owner.user.id, '1', '1', 30.4, true),
      item(owner.user.id, '1', '2', 20.4),
      item(owner.user.id, '2', '1', 0),
      item(other.user.id, '3', '1', 99, true),
    ])
    expect((await profile(owner.token)).body.statistics).toMatchObject({
      total_tasks: 1,
      last_task_date: task.createdAt.toISOString(),
      courses: 2,
      completed_items: 1,
      studied_seconds: 50,
    })
  })
})

test.each([
  ['GET', '/api/user/config'],
  ['PUT', '/api/user/config'],
  ['PUT', '/api/user/password'],
  ['GET', '/api/user/profile'],
])('signed out, %s %s: 401', async (method, path) => {
  expectFactoryError(await ask(method, path), { status: 401, code: 'INVALID_CREDENTIALS' })
})
