/** Ways into the page and out of it, as people take them. */
import { afterAll, describe, expect, test } from 'bun:test'
import { api } from '../support/api.ts'
import { makeUser, type TestUser, unique } from '../support/factories.ts'
import { codeIn, mailTo, wrongCode } from '../support/mail.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { screenshot, seriousFindings, untilStatus, Visitor } from './browser.ts'

const server = await startServer()
afterAll(() => server.stop())

const sessionsOf = async ({ user, token }: TestUser): Promise<{ id: string; is_current: boolean }[]> =>
  (await api(server, 'GET', `/v1/users/${user.id}/sessions`, { token })).body.data

describe('signing in', () => {
  test('with the right password leads to the page that was asked for; a reload keeps the session', async () => {
    const user = await makeUser(server)
    await using visitor = await Visitor.come(server)
    const page = await visitor.open('/account')
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await screenshot(page, 'sign-in')
    expect(await seriousFindings(page)).toEqual([])
    await page.close()

    const signedIn = await visitor.signIn(user, '/account')
    await signedIn.getByRole('heading', { level: 1, name: 'Account' }).waitFor()
    await untilStatus(signedIn, 'live')
    await signedIn.reload()
    await signedIn.getByRole('heading', { level: 1, name: 'Account' }).waitFor()
  })

  test('with a wrong password says so, in the language of the page', async () => {
    const user = await makeUser(server)
    await using visitor = await Visitor.come(server, { language: 'zh' })
    const page = await visitor.open()
    await page.getByLabel('邮箱或用户名').fill(user.user.email)
    await page.getByLabel('密码').fill('not the password')
    await page.getByRole('button', { name: '登录', exact: true }).click()
    expect(await page.getByRole('alert').textContent()).toMatch(/[一-鿿]/)
  })

  test('signing out shows the sign-in, also in the other tab, and the session is over on the server', async () => {
    const user = await makeUser(server)
    await using visitor = await Visitor.come(server)
    const page = await visitor.signIn(user)
    const other = await visitor.open('/account')
    await other.locator('.shell').waitFor()
    expect(await sessionsOf(user)).toHaveLength(2)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await other.getByRole('heading', { name: 'Sign in' }).waitFor()
    await eventually(async () => (await sessionsOf(user)).length === 1, 'the end of the session')
  })
})

test('signing up: a wrong code is refused, the mailed one signs in', async () => {
  const name = unique('n')
  const email = `${name}@example.com`
  await using visitor = await Visitor.come(server)
  const page = await visitor.open()
  await page.getByRole('button', { name: 'No account yet? Create one' }).click()
  await page.getByLabel('Username').fill(name)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill('correct horse')
  await page.getByRole('button', { name: 'Mail me a code' }).click()
  const code = codeIn(await mailTo(server, email))
  await page.getByLabel('Code from the mail').fill(wrongCode(code))
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByRole('alert').waitFor()
  await page.getByLabel('Code from the mail').fill(code)
  await page.getByRole('button', { name: 'Confirm' }).click()
  await untilStatus(page, 'live')
})

test('a forgotten password: the mailed code sets another one', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server)
  const page = await visitor.open()
  await page.getByRole('button', { name: 'Forgotten your password?' }).click()
  await page.getByLabel('Email').fill(user.user.email)
  await page.getByRole('button', { name: 'Mail me a code' }).click()
  await page.getByLabel('Code from the mail').fill(codeIn(await mailTo(server, user.user.email)))
  await page.getByLabel('New password').fill('battery staple')
  await page.getByRole('button', { name: 'Set the password' }).click()
  await page.getByLabel('Email or username').fill(user.user.email)
  await page.getByLabel('Password').fill('battery staple')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await untilStatus(page, 'live')
})

test('a session that is ended elsewhere: the page says so at once', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server)
  const page = await visitor.signIn(user)
  await untilStatus(page, 'live')
  const ofPage = (await sessionsOf(user)).find(({ is_current }) => !is_current)!
  await api(server, 'DELETE', `/v1/users/${user.user.id}/sessions/${ofPage.id}`, { token: user.token })
  await page.getByText('Your session has ended').waitFor()
})

test('a token that expires while the page is open is renewed, on the same socket', async () => {
  const user = await makeUser(server, { minutes: 0.25 })
  await using visitor = await Visitor.come(server)
  const first = await visitor.open()
  await first.evaluate(
    (session) => localStorage.setItem('roost.session', session),
    JSON.stringify({
      accessToken: user.token,
      expiresAt: Date.now() + 15_000,
      refreshToken: user.refreshToken,
      user: { id: user.user.uuid, email: user.user.email },
    }),
  )
  await first.close()
  const page = await visitor.context.newPage()
  const sockets: string[] = []
  page.on('websocket', (socket) => sockets.push(socket.url()))
  await page.goto('/#/account')
  await untilStatus(page, 'live')
  await Bun.sleep(16_000)
  await page.getByRole('link', { name: 'Balance' }).click()
  await page.getByText('Nothing has changed your balance in these days.').waitFor()
  expect(await page.locator('.light').getAttribute('data-status')).toBe('live')
  expect(sockets).toHaveLength(1)
})
