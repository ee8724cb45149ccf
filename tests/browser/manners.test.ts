/** How the page behaves everywhere: titles, the focus, what it says of other pages, of maintenance and of an update. */
import { afterAll, expect, test } from 'bun:test'
import type { Page, Request } from 'playwright-core'
import type { EventType } from '../../src/client/index.ts'
import { transaction } from '../../src/core/transaction.ts'
import { api } from '../support/api.ts'
import { makeUser, signInAgain } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { untilStatus, Visitor } from './browser.ts'

const server = await startServer()
afterAll(() => server.stop())

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name })
/** The page moves the focus after it has shown what gets it. */
const untilFocused = (page: Page, text: string) => page.locator(':focus').filter({ hasText: text }).waitFor()

test('a page has its title in the tab, and the focus goes with pages and dialogs', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open()
  await page.getByRole('link', { name: 'Webhooks' }).click()
  await heading(page, 'Webhooks').waitFor()
  expect(await page.title()).toBe('Webhooks · Roost')
  await untilFocused(page, 'Webhooks')
  const opener = page.getByRole('button', { name: 'New webhook' })
  await opener.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.locator('[name=url]:focus').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await untilFocused(page, 'New webhook')
})

test('the address of a page for administrators tells others so, and what does not exist has no “Try again”', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/admin/users')
  await heading(page, 'This page is for administrators').waitFor()
  for (const path of ['/tasks/999999', '/photos/0', '/chat/none', '/tasks?status=none']) {
    await page.goto(`${server.url}/#${path}`)
    await page.getByRole('alert').waitFor()
    expect([path, await page.getByRole('button', { name: 'Try again' }).count()]).toEqual([path, 0])
    await page.getByRole('navigation').getByRole('link', { name: 'Balance' }).click()
    await page.getByRole('alert').waitFor({ state: 'detached' })
  }
})

test('a page with a fault leaves the menu, and an address that is no encoding is one that does not exist', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user, expected: /TypeError/ })
  const page = await visitor.open('/tasks/%E0')
  await page.getByRole('alert').waitFor()
  await page.route('**/v1/webhooks?*', (route) => route.fulfill({ json: { data: null } }))
  await page.getByRole('link', { name: 'Webhooks' }).click()
  await heading(page, 'The page could not be loaded').waitFor()
  await page.unroute('**/v1/webhooks?*')
  await page.getByRole('button', { name: 'Try again' }).click()
  await heading(page, 'Webhooks').waitFor()
})

test('the menu of a phone closes with what is chosen in it, also when that is shown already', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user, width: 400 })
  const page = await visitor.open('/balance')
  const menu = page.locator('.shell[data-menu="open"]')
  for (const name of ['Balance', 'Account']) {
    await page.getByRole('button', { name: 'Menu' }).click()
    await menu.waitFor()
    await page.getByRole('link', { name, exact: true }).click()
    await menu.waitFor({ state: 'detached' })
    await heading(page, name).waitFor()
  }
})

test('who leaves a page has not said yes to what it asks', async () => {
  const user = await makeUser(server)
  await signInAgain(server, user)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/balance')
  const methods: string[] = []
  page.on('request', (request) => methods.push(request.method()))
  await page.getByRole('link', { name: 'Account' }).click()
  const ask = page.getByRole('button', { name: 'Sign all others out' })
  await ask.click()
  await page.getByRole('dialog').waitFor()
  await page.goBack()
  await heading(page, 'Balance').waitFor()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  // After a yes, the page would have sent this request before those of the next page.
  await page.goForward()
  await ask.waitFor()
  expect(methods).not.toContain('DELETE')
})

test('a secret is copied, also from a page over plain HTTP, which has no clipboard', async () => {
  const user = await makeUser(server)
  const body = { url: 'https://hooks.example.com/roost', events: ['task.failed'] }
  const { id } = (await api(server, 'POST', '/v1/webhooks', { token: user.token, body })).body.data
  await using visitor = await Visitor.come(server, { user })
  await visitor.context.addInitScript(`
    Object.defineProperty(window, 'isSecureContext', { value: false })
    Object.defineProperty(navigator, 'clipboard', { value: undefined })`)
  const page = await visitor.open(`/webhooks/${id}`)
  await page.getByRole('button', { name: 'New secret' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'New secret' }).click()
  await page.getByRole('button', { name: 'Copy' }).click()
  await page.getByText('Copied').waitFor()
})

test('what happens elsewhere is told once, and not on the page that shows it', async () => {
  const { user } = await makeUser(server)
  const emit: (type: EventType, data: object) => Promise<void> = (type, data) =>
    transaction(server.ctx, async (tx) => tx.emit(user.id, type, data as never))
  const lowBalance = () =>
    emit('balance.low', { balanceMinor: 300, availableMinor: 300, thresholdMinor: 500 })
  await using visitor = await Visitor.come(server)
  // The clock of the browser is two minutes fast.
  await visitor.context.clock.install({ time: Date.now() + 120_000 })
  const page = await visitor.signIn({ user }, '/balance')
  await heading(page, 'Balance').waitFor()
  await untilStatus(page, 'live')
  const toasts = page.locator('.toast')
  await lowBalance()
  await emit('webhook.disabled', { webhookId: 1, reason: 'GONE' })
  await toasts.getByText('A webhook is switched off').waitFor()
  expect(await toasts.count()).toBe(1)
  await page.getByRole('navigation').getByRole('link', { name: 'Schedule' }).click()
  await heading(page, 'Schedule').waitFor()
  await lowBalance()
  await toasts.getByText('The balance is low: ¥3.00 available').waitFor()
  await lowBalance()
  await toasts.getByText('The balance is low × 2').waitFor()
  expect(await toasts.getByText('The balance is low').count()).toBe(1)
})

test('maintenance is told on every page', async () => {
  const admin = await makeUser(server, { role: 'super_admin' })
  const setMode = (maintenance_mode: boolean) =>
    api(server, 'PUT', '/api/admin/config', { token: admin.token, body: { maintenance_mode } })
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  await visitor.context.clock.install()
  const page = await visitor.open()
  await untilStatus(page, 'live')
  const notice = page.getByText('Maintenance is going on.')
  await setMode(true)
  await page.reload()
  await notice.waitFor()
  await setMode(false)
  await page.clock.fastForward(61_000)
  await notice.waitFor({ state: 'detached' })
  await setMode(true)
  await page.clock.fastForward(61_000)
  await notice.waitFor()
  await setMode(false)
})

test('after an update of the server the page fetches the new one, and once only', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user, expected: /dynamically imported module/ })
  const fetched: string[] = []
  const listen = (request: Request) => void fetched.push(request.url())
  visitor.context.on('request', listen)
  const page = await visitor.open()
  await untilStatus(page, 'live')
  visitor.context.off('request', listen)
  // The newer page is the same program, and one of its files is missing too.
  const script = page.locator('script[src]')
  const older = `${server.url}${await script.getAttribute('src')}`
  await page.route('**/assets/*.js', (route) =>
    fetched.includes(route.request().url()) ? route.continue() : route.fulfill({ status: 404 }),
  )
  await page.route(`${server.url}/`, async (route) => {
    const answer = await route.fetch()
    const body = (await answer.text()).replace(/src="\/assets\/[^"]+\.js"/, 'src="/assets/newer.js"')
    await route.fulfill({ response: answer, body })
  })
  await page.route('**/assets/newer.js', async (route) =>
    route.fulfill({ response: await route.fetch({ url: older }) }),
  )
  let loads = 0
  page.on('domcontentloaded', () => loads++)
  await page.getByRole('navigation').getByRole('link', { name: 'Schedule' }).click()
  await heading(page, 'The page could not be loaded').waitFor()
  expect(await script.getAttribute('src')).toBe('/assets/newer.js')
  expect(loads).toBe(1)
})

test('a server that sends no mail says where the code is', async () => {
  await using visitor = await Visitor.come(server)
  const page = await visitor.open()
  await page.getByText('The first start has printed').waitFor()
  await page.getByRole('button', { name: 'Forgotten your password?' }).click()
  await page.getByLabel('Email').fill((await makeUser(server)).user.email)
  await page.getByRole('button', { name: 'Mail me a code' }).click()
  await page.getByText('writes each mail as a file').waitFor()
})

test('what was typed is not lost by Escape or a reload without a question', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/webhooks')
  const opener = page.getByRole('button', { name: 'New webhook' })
  const editor = page.getByRole('dialog', { name: 'New webhook' })
  const question = page.getByRole('dialog', { name: 'Close without saving?' })
  const asked: string[] = []
  page.on('dialog', (dialog) => {
    asked.push(dialog.type())
    return dialog.dismiss()
  })
  await opener.click()
  await editor.getByLabel('Address').fill('https://hooks.example.com/roost')
  await page.keyboard.press('Escape')
  await question.getByRole('button', { name: 'Cancel' }).click()
  await question.waitFor({ state: 'detached' })
  expect(await editor.getByLabel('Address').inputValue()).toBe('https://hooks.example.com/roost')

  await page.evaluate('setTimeout(() => location.reload())')
  await eventually(() => asked.pop() === 'beforeunload', 'a question before the reload')
  await editor.getByRole('button', { name: 'Close' }).click()
  await question.getByRole('button', { name: 'Close without saving' }).click()
  await editor.waitFor({ state: 'detached' })
  await untilFocused(page, 'New webhook')

  // After some Escapes in a row Chromium closes a dialog whatever the page says. No question stays behind.
  await opener.click()
  await editor.getByLabel('Address').fill('https://hooks.example.com/roost')
  for (let n = 0; n < 9 && (await editor.isVisible()); n++) await page.keyboard.press('Escape')
  await editor.waitFor({ state: 'detached' })
  await question.waitFor({ state: 'detached' })

  // Nothing is asked of who has typed nothing, or has saved.
  const isOpenAtOnce = await page.evaluate(`new Promise((done) => {
    const buttons = [...document.querySelectorAll('button')]
    buttons.find(({ textContent }) => textContent === 'New webhook').click()
    setTimeout(() => done(document.querySelector('dialog[open]') !== null))
  })`)
  // The next key finds it open, however soon it comes.
  expect(isOpenAtOnce).toBe(true)
  await page.keyboard.press('Escape')
  await editor.waitFor({ state: 'detached' })
  await page.goto(`${server.url}/#/account`)
  await page.getByLabel('Name', { exact: true }).fill('Renamed')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved').waitFor()
  await page.reload()
  await heading(page, 'Account').waitFor()
  expect(asked).toEqual([])
})

test('a link and “back” do not leave what was typed without a question', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/balance')
  const link = (name: string) => page.getByRole('navigation').getByRole('link', { name, exact: true })
  const question = page.getByRole('dialog', { name: 'Leave without saving?' })
  const stay = async () => {
    await question.getByRole('button', { name: 'Cancel' }).click()
    await question.waitFor({ state: 'detached' })
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Half a na')
  }
  await link('Account').click()
  await page.getByLabel('Name', { exact: true }).fill('Half a na')
  await link('Schedule').click()
  await stay()
  await page.evaluate('history.back()')
  await stay()
  await page.evaluate('history.back()')
  await question.getByRole('button', { name: 'Leave without saving' }).click()
  await heading(page, 'Balance').waitFor()

  // A page goes forward again without a question, because nothing is typed in it.
  await page.goForward()
  await heading(page, 'Account').waitFor()
  await page.getByLabel('Name', { exact: true }).fill('Half a na')
  await link('Schedule').click()
  await question.getByRole('button', { name: 'Leave without saving' }).click()
  await heading(page, 'Schedule').waitFor()
  await link('Account').click()
  await heading(page, 'Account').waitFor()
})

test('colours that the system forces leave what is chosen to be seen', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/schedule')
  await page.emulateMedia({ forcedColors: 'active' })
  const background = (isPressed: boolean): Promise<string> =>
    page.evaluate(
      `getComputedStyle(document.querySelector('.segments [aria-pressed="${isPressed}"]')).backgroundColor`,
    )
  await page.getByRole('button', { name: 'Day', exact: true }).click()
  await page.locator('[aria-pressed="true"]', { hasText: 'Day' }).waitFor()
  expect(await background(true)).not.toBe(await background(false))
})
