/** The pages for administrators. */
import { afterAll, expect, test } from 'bun:test'
import { makeUser } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
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

test('the role that was chosen for a user stays while the rest of the form changes', async () => {
  const admin = await makeUser(server, { role: 'super_admin' })
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user: admin })
  const page = await visitor.open(`/admin/users?search=${user.user.username}`)
  await page.getByRole('button', { name: 'Edit' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Role').selectOption({ label: 'Editor' })
  await dialog.getByLabel('Username').fill(admin.user.username)
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByRole('alert').waitFor()
  await dialog.getByLabel('Username').fill(user.user.username)
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('row', { name: user.user.email }).getByText('Editor').waitFor()
})

test('settings: what is wrong stands at its field; saving leaves the focus; a reset shows the defaults', async () => {
  const admin = await makeUser(server, { role: 'super_admin' })
  await using visitor = await Visitor.come(server, { user: admin })
  const page = await visitor.open('/admin/settings')
  const quality = page.getByLabel('JPEG quality')
  const before = await quality.inputValue()
  const card = page.locator('.card').filter({ has: quality })
  const save = card.getByRole('button', { name: 'Save' })
  await quality.fill('1000')
  await save.click()
  await card.getByText('must be at most 100').waitFor()
  expect(await page.locator(':focus').getAttribute('name')).toBe('image.quality_jpg')
  await quality.fill('71')
  const loaded = page.waitForResponse(
    (answer) => answer.url().endsWith('/v1/settings') && answer.request().method() === 'GET',
  )
  await save.press('Enter')
  await page.getByText('Saved.').waitFor()
  await loaded
  expect(await page.locator(':focus').textContent()).toBe('Save')
  expect(await quality.inputValue()).toBe('71')
  await page.getByRole('button', { name: 'Reset to defaults' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Reset to defaults' }).click()
  await eventually(async () => (await quality.inputValue()) === before, 'the default is shown')
})
