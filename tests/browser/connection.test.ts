/** The page stays true to the server, whatever happens to its connection. */
import { afterAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { api } from '../support/api.ts'
import { makeTask, makeUser, unique } from '../support/factories.ts'
import { eventually, ServerProcess } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { SocketProxy } from '../support/socket-proxy.ts'
import { untilStatus, Visitor } from './browser.ts'

const server = await startServer()
afterAll(() => server.stop())

const titlesOf = (page: Page) => page.locator('.task-row .task-name a').allTextContents()

test('a server that is killed and started again: the page reconnects, catches up, and shows nothing twice', async () => {
  await using started = await ServerProcess.start()
  const login = await api(started, 'POST', '/api/v1/auth/sessions', {
    body: { email: 'admin@example.com', password: 'admin123' },
  })
  const token = login.body.access_token
  const create = (title: string) =>
    api(started, 'POST', '/api/tasks', { token, body: { title, task_type: 'test' } })
  await using visitor = await Visitor.come(started)
  const admin = { user: { email: 'admin@example.com' }, password: 'admin123' }
  const page = await visitor.signIn(admin, '/tasks')
  await untilStatus(page, 'live')
  await create('before')
  await page.getByText('before').waitFor()
  for (const round of [1, 2, 3]) {
    await started.kill()
    await started.start()
    await create(`after ${round}`)
    await page.getByText(`after ${round}`).waitFor()
  }
  await untilStatus(page, 'live')
  await create('at last')
  await page.getByText('at last').waitFor()
  expect(await titlesOf(page)).toEqual(['at last', 'after 3', 'after 2', 'after 1', 'before'])
})

test('a server that cannot be reached: the light says offline; with the server it is live again', async () => {
  let target = server.url
  await using proxy = new SocketProxy(() => target)
  const user = await makeUser(server)
  await using visitor = await Visitor.come(proxy)
  const page = await visitor.signIn(user, '/tasks')
  await untilStatus(page, 'live')
  target = 'http://127.0.0.1:1'
  proxy.cutAll()
  await untilStatus(page, 'offline', 40_000)
  const task = await makeTask(server, user)
  target = server.url
  // The page may be quicker, and then the button is gone.
  const retry = page.getByRole('button', { name: 'Try now' })
  await Promise.race([retry.click().catch(() => {}), untilStatus(page, 'live', 60_000)])
  await untilStatus(page, 'live')
  await page.getByText(task.title).waitFor()
})

test('a network that blocks WebSockets: the page says that it polls, and stays current', async () => {
  await using proxy = new SocketProxy(() => server.url)
  proxy.blocksUpgrades = true
  const user = await makeUser(server)
  await using visitor = await Visitor.come(proxy)
  const page = await visitor.signIn(user, '/tasks')
  await untilStatus(page, 'polling', 40_000)
  const task = await makeTask(server, user)
  await page.getByText(task.title).waitFor()
  proxy.blocksUpgrades = false
  await untilStatus(page, 'live', 60_000)
  const other = await makeTask(server, user)
  await page.getByText(other.title).waitFor()
  expect(await titlesOf(page)).toEqual([other.title, task.title])
})

test('two tabs have one socket; when the tab that holds it is closed, the other goes on and misses nothing', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server)
  const first = await visitor.signIn(user, '/tasks')
  await untilStatus(first, 'live')
  const second = await visitor.open('/tasks')
  await untilStatus(second, 'live')
  const sockets = () => server.ctx.live.hub.channels.find(user.user.id)?.connections.size
  const task = await makeTask(server, user, { title: unique('both ') })
  await Promise.all([first.getByText(task.title).waitFor(), second.getByText(task.title).waitFor()])
  expect(sockets()).toBe(1)
  await first.close()
  const later = await makeTask(server, user, { title: unique('one ') })
  await second.getByText(later.title).waitFor()
  await untilStatus(second, 'live')
  await eventually(() => sockets() === 1, 'the end of the first socket')
  expect(await titlesOf(second)).toEqual([later.title, task.title])
})

test('a profile that could not be fetched is fetched with the next connection', async () => {
  await using proxy = new SocketProxy(() => server.url)
  const user = await makeUser(server)
  await using visitor = await Visitor.come(proxy, { user })
  await visitor.context.route('**/api/users/me', (route) => route.abort())
  const failed = visitor.context.waitForEvent('requestfailed', (request) =>
    request.url().endsWith('/api/users/me'),
  )
  const page = await visitor.open('/tasks')
  await untilStatus(page, 'live')
  await failed
  const balance = page.getByTitle('Available balance')
  expect(await balance.count()).toBe(0)
  await visitor.context.unroute('**/api/users/me')
  proxy.cutAll()
  await balance.waitFor()
})

test('a page that was opened without a network comes by itself with the network', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/tasks')
  await untilStatus(page, 'live')
  await visitor.context.setOffline(true)
  const link = (name: string) => page.getByRole('navigation').getByRole('link', { name })
  await link('Schedule').click()
  await page.getByText('The server cannot be reached').waitFor()
  await visitor.context.setOffline(false)
  await page.getByRole('heading', { level: 1, name: 'Schedule' }).waitFor()
  await page.getByText('Nothing is planned here').waitFor()
})
