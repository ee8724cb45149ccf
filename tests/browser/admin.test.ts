/** The pages for administrators. */
import { afterAll, expect, test } from 'bun:test'
import { makeUser } from '../support/factories.ts'
import { startServer } from '../support/server.ts'
import { Visitor } from './browser.ts'

const server = await startServer()
afterAll(() => server.stop())

test('filters of a list and its page are in the address; another filter begins at the first page', async () => {
  const admin = await makeUser(server, { role: 'super_admin' })
  for (let n = 0; n < 30; n++) await makeUser(server)
  await using visitor = await Visitor.come(server, { user: admin })
  const page = await visitor.open('/admin/users')
  await page.getByRole('button', { name: 'Next page' }).click()
  await page.getByText('Page 2 of 2').waitFor()
  await page.reload()
  await page.getByText('Page 2 of 2').waitFor()
  await page.getByLabel('Role').selectOption({ label: 'Super administrator' })
  await page.getByRole('row', { name: admin.user.email }).waitFor()
  expect(page.url()).toEndWith('#/admin/users?role=super_admin')
  await page.getByLabel('Search').fill(admin.user.username)
  await page.keyboard.press('Enter')
  await page.getByText('1 user', { exact: true }).waitFor()
  expect(page.url()).toEndWith(`#/admin/users?role=super_admin&search=${admin.user.username}`)
})
