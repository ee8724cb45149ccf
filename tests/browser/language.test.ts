/** The language of the page, which all tabs share: its own texts, and those that the server writes. */
import { afterAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { failTask } from '../client/support.ts'
import { makeUser } from '../support/factories.ts'
import { startServer } from '../support/server.ts'
import { untilStatus, Visitor } from './browser.ts'

const server = await startServer()
afterAll(() => server.stop())

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name })

test('another language holds for all tabs, for what they show already, and for texts of events', async () => {
  const user = await makeUser(server, { balanceMinor: 10_000 })
  await failTask(server, user)
  await using visitor = await Visitor.come(server, { user })
  const sockets: string[] = []
  visitor.context.on('page', (page) => page.on('websocket', (socket) => sockets.push(socket.url())))
  const page = await visitor.open('/balance')
  const other = await visitor.open('/account')
  for (const tab of [page, other]) await untilStatus(tab, 'live')
  const kind = page.getByRole('table').getByRole('cell', { name: 'Adjustment' }).first()
  await kind.waitFor()
  await page.getByRole('button', { name: '中文' }).click()
  await heading(page, '余额').waitFor()
  await heading(other, '账户').waitFor()
  expect(await other.locator('html').getAttribute('lang')).toBe('zh-CN')
  await kind.waitFor({ state: 'detached' })
  await failTask(server, user)
  for (const tab of [page, other]) await tab.locator('.toast').getByText('任务程序已退出，退出码 3').waitFor()
  // Those that were open in English, and those of the new language: the tabs share each.
  expect(sockets.length).toBeLessThanOrEqual(3)
  await other.getByRole('button', { name: 'English' }).click()
  await heading(page, 'Balance').waitFor()
})
