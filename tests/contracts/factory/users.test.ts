import { afterAll, describe, expect, test } from 'bun:test'
import { auditedOf } from '../../support/audited.ts'
import { describedApi } from '../../support/described.ts'
import { makeTask, makeUser, PASSWORD, signInAgain, unique } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import {
  enveloped,
  expectAnswer,
  expectFactoryError,
  expectWithout,
  NEVER_SHOWN,
} from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)

/** docs/contracts/factory.md, "Accounts". */
const ME = enveloped({
  id: 'uuid',
  email: 'string',
  username: 'string',
  full_name: 'string',
  role: 'string',
  balance: 'money',
  available_balance: 'money',
  low_balance_threshold: 'money|null',
  total_tasks: 'integer',
  created_at: 'instant',
  last_login: 'instant|null',
})

describe('GET /api/users/me', () => {
  test('shows every documented field of oneself', async () => {
    const { user, token } = await makeUser(server, { balanceMinor: 10_050, role: 'editor' })
    const answer = await ask('GET', '/api/users/me', { token })
    expectAnswer(answer, 200, ME)
    expect(answer.body.data).toMatchObject({
      id: user.uuid,
      email: user.email,
      username: user.username,
      full_name: user.displayName,
      role: 'editor',
      balance: 100.5,
      available_balance: 100.5,
      total_tasks: 0,
    })
    expectWithout(answer, 'argon2', ...NEVER_SHOWN)
  })

  test('counts the tasks that one has', async () => {
    const owner = await makeUser(server)
    await makeTask(server, owner)
    await makeTask(server, owner)
    expect((await ask('GET', '/api/users/me', { token: owner.token })).body.data.total_tasks).toBe(2)
  })
})

describe('PUT /api/users/me', () => {
  test('changes what it names and nothing else', async () => {
    const { user, token } = await makeUser(server)
    const username = unique('new_')
    const both = await ask('PUT', '/api/users/me', { token, body: { full_name: '新的姓名', username } })
    expectAnswer(both, 200, ME)
    expect(both.body.data).toMatchObject({ full_name: '新的姓名', username, email: user.email })
    const one = await ask('PUT', '/api/users/me', { token, body: { full_name: 'Owl 🦉' } })
    expect(one.body.data).toMatchObject({ full_name: 'Owl 🦉', username })
    const none = await ask('PUT', '/api/users/me', { token, body: {} })
    expect(none.body.data).toEqual(one.body.data)
  })

  test('what is not for oneself to change stays as it is', async () => {
    const { user, token } = await makeUser(server)
    const body = {
      role: 'admin',
      balance: 5,
      balanceMinor: 5,
      is_active: false,
      email: 'x@example.com',
      id: 'x',
    }
    const answer = await ask('PUT', '/api/users/me', { token, body })
    expect(answer.body.data).toMatchObject({ id: user.uuid, email: user.email, role: 'user', balance: 0 })
  })

  test('the new username signs in, the old one does not', async () => {
    const { user, token } = await makeUser(server)
    const username = unique('renamed')
    await ask('PUT', '/api/users/me', { token, body: { username } })
    const signIn = (name: string) =>
      ask('POST', '/api/auth/login', { body: { username: name, password: PASSWORD } })
    expect((await signIn(username)).status).toBe(200)
    expect((await signIn(user.username)).status).toBe(401)
  })

  test('a taken username, in any case: 409', async () => {
    const other = await makeUser(server)
    const { token } = await makeUser(server)
    const answer = await ask('PUT', '/api/users/me', {
      token,
      body: { username: other.user.username.toUpperCase() },
    })
    expectFactoryError(answer, { status: 409, code: 'USERNAME_ALREADY_EXISTS' })
    expectWithout(answer, other.user.email)
  })

  test.each<[string, object, string]>([
    ['a short username', { username: 'ab' }, 'username'],
    ['a long username', { username: 'a'.repeat(31) }, 'username'],
    ['a username that reads as an email', { username: 'a@b.co' }, 'username'],
    ['a username with a slash', { username: 'a/b/c' }, 'username'],
    ['a username that is null', { username: null }, 'username'],
    ['an empty full_name', { full_name: '' }, 'full_name'],
    ['a long full_name', { full_name: 'n'.repeat(101) }, 'full_name'],
    ['a full_name that is a number', { full_name: 5 }, 'full_name'],
  ])('%s: 422', async (_, body, field) => {
    const { token } = await makeUser(server)
    const answer = await ask('PUT', '/api/users/me', { token, body })
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
  })
})

describe('POST /api/users/change-password', () => {
  test('the new password signs in, the old one does not; other sessions end, this one stays', async () => {
    const owner = await makeUser(server)
    const other = await signInAgain(server, owner)
    const body = { current_password: PASSWORD, new_password: 'another horse' }
    const answer = await ask('POST', '/api/users/change-password', { token: owner.token, body })
    expectAnswer(answer, 200, enveloped('object'))
    expectWithout(answer, 'another horse', PASSWORD)
    const signIn = (password: string) =>
      ask('POST', '/api/auth/login', { body: { email: owner.user.email, password } })
    expect((await signIn('another horse')).status).toBe(200)
    expect((await signIn(PASSWORD)).status).toBe(401)
    expect((await ask('GET', '/api/users/me', { token: owner.token })).status).toBe(200)
    expect((await ask('GET', '/api/users/me', { token: other.token })).status).toBe(401)
    const refresh = { body: { refresh_token: other.refreshToken } }
    expect((await ask('POST', '/api/v1/auth/refresh', refresh)).status).toBe(401)
  })

  test.each<[string, object, string[]]>([
    ['nothing', {}, ['current_password', 'new_password']],
    [
      'a wrong current password',
      { current_password: 'Wr0ng-One', new_password: 'another horse' },
      ['current_password'],
    ],
    ['a short new password', { current_password: PASSWORD, new_password: '12345' }, ['new_password']],
    [
      'a new password that is too long',
      { current_password: PASSWORD, new_password: 'p'.repeat(201) },
      ['new_password'],
    ],
    ['no current password', { new_password: 'another horse' }, ['current_password']],
    [
      'a current password that is a number',
      { current_password: 1, new_password: 'another horse' },
      ['current_password'],
    ],
  ])('%s: 422, and nothing has changed', async (_, body, fields) => {
    const owner = await makeUser(server)
    const answer = await ask('POST', '/api/users/change-password', { token: owner.token, body })
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields })
    expectWithout(answer, PASSWORD, 'Wr0ng-One', 'another horse')
    const isGuess = JSON.stringify(body).includes('Wr0ng-One')
    expect(await auditedOf(server, answer)).toEqual(isGuess ? ['user.password_change_failed'] : [])
    const again = await ask('POST', '/api/auth/login', {
      body: { email: owner.user.email, password: PASSWORD },
    })
    expect(again.status).toBe(200)
  })
})

describe('GET /api/users/stats', () => {
  /** docs/contracts/factory.md, "Accounts". */
  const STATS = enveloped({
    total_tasks: 'integer',
    completed_tasks: 'integer',
    failed_tasks: 'integer',
    total_cost: 'money',
    current_balance: 'money',
    last_task_date: 'instant|null',
  })

  test('of a user without tasks: zeros and no date', async () => {
    const { token } = await makeUser(server, { balanceMinor: 1 })
    const answer = await ask('GET', '/api/users/stats', { token })
    expectAnswer(answer, 200, STATS)
    expect(answer.body.data).toEqual({
      total_tasks: 0,
      completed_tasks: 0,
      failed_tasks: 0,
      total_cost: 0,
      current_balance: 0.01,
      last_task_date: null,
    })
  })

  test("counts one's own tasks and nobody else's", async () => {
    const owner = await makeUser(server)
    await makeTask(server, await makeUser(server))
    await makeTask(server, owner)
    const task = await makeTask(server, owner)
    const answer = await ask('GET', '/api/users/stats', { token: owner.token })
    expectAnswer(answer, 200, STATS)
    expect(answer.body.data).toMatchObject({ total_tasks: 2, completed_tasks: 0, failed_tasks: 0 })
    expect(answer.body.data.last_task_date).toBe(task.createdAt.toISOString())
  })
})

describe('POST /api/ws/ticket', () => {
  test('gives a ticket, another one each time, and says how long it lives', async () => {
    const { token } = await makeUser(server)
    const first = await ask('POST', '/api/ws/ticket', { token })
    const second = await ask('POST', '/api/ws/ticket', { token })
    expectAnswer(first, 200, enveloped({ ticket: 'string', expires_in: 'integer' }))
    expect(first.body.data.expires_in).toBe(30)
    expect(first.body.data.ticket).not.toBe(second.body.data.ticket)
    expectWithout(first, token)
  })
})
