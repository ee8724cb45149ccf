/** The pages for administrators. */
import { afterAll, expect, test } from 'bun:test'
import { api } from '../support/api.ts'
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

test('a list with fewer pages than its address names shows the last one, and back leads to where the user was', async () => {
  const admin = await makeUser(server, { role: 'super_admin' })
  for (let n = 0; n < 30; n++) await makeUser(server)
  await using visitor = await Visitor.come(server, { user: admin })
  const page = await visitor.open('/admin/users?page=2')
  const secondPage = page.getByText(/Page 2 of [2-9]/)
  await secondPage.waitFor()
  await page.goto(`${server.url}/#/admin/users?role=super_admin&page=7`)
  await page.waitForURL(({ hash }) => hash === '#/admin/users?role=super_admin')
  await page.getByText('Page').waitFor({ state: 'detached' })
  // The shorter list is still shown when the address is the one before.
  await page.goBack()
  await secondPage.waitFor()
  expect(page.url()).toEndWith('#/admin/users?page=2')
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
  await page.locator('[name="image.quality_jpg"]:focus').waitFor()
  await quality.fill('71')
  await save.press('Enter')
  await page.getByText('Saved.').waitFor()
  await card.locator('[aria-busy="false"]:focus', { hasText: 'Save' }).waitFor()
  expect(await quality.inputValue()).toBe('71')
  await page.getByRole('button', { name: 'Reset to defaults' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Reset to defaults' }).click()
  await eventually(async () => (await quality.inputValue()) === before, 'the default is shown')
})

test('two administrators keep what each of them saves', async () => {
  const [admin, other] = [
    await makeUser(server, { role: 'super_admin' }),
    await makeUser(server, { role: 'super_admin' }),
  ]
  const put = async (path: string, body: object) =>
    expect((await api(server, 'PUT', path, { token: other.token, body })).status).toBe(200)
  await put('/api/admin/config', { task_prices: { kept: 1, ended: 1 } })
  await using visitor = await Visitor.come(server, { user: admin })
  const page = await visitor.open('/admin/settings')
  const cardOf = (label: string) => page.locator('.card').filter({ has: page.getByLabel(label) })
  const save = async (label: string) => {
    await cardOf(label).getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    await page.locator('.toast').getByRole('button', { name: 'Close' }).click()
    await page.locator('.toast').waitFor({ state: 'detached' })
  }
  const types = page.getByLabel('Task type')
  const namesOfTypes = async () =>
    (await Promise.all((await types.all()).map((one) => one.inputValue()))).sort()
  await types.first().waitFor()
  const [title, quality] = [page.getByLabel('Title', { exact: true }), page.getByLabel('JPEG quality')]
  await title.waitFor()

  await put('/api/admin/config', { default_task_timeout: 1234, task_prices: { kept: 2, theirs: 3 } })
  await put('/v1/settings', { general: { site_author: 'Mei' }, image: { quality_webp: 77 } })
  const shown = await Promise.all((await types.all()).map((one) => one.inputValue()))
  await cardOf('Time limit').getByRole('button', { name: 'Remove' }).nth(shown.indexOf('ended')).click()
  await page.getByRole('button', { name: 'Add a type' }).click()
  await types.last().fill('mine')
  await page.getByLabel('Tasks of a user').fill('8')
  await save('Time limit')
  expect(await page.getByLabel('Time limit').inputValue()).toBe('1234')
  expect(await namesOfTypes()).toEqual(['kept', 'mine', 'theirs'])
  const { data } = (await api(server, 'GET', '/api/admin/config', { token: admin.token })).body
  expect(data).toMatchObject({ default_task_timeout: 1234, max_concurrent_tasks_per_user: 8 })
  expect(data.task_prices).toEqual({ kept: 2, theirs: 3, mine: 1 })

  // What is not saved yet stays while the rest of the page is renewed.
  await title.fill('Half a ti')
  await quality.fill('72')
  await save('JPEG quality')
  expect(await page.getByLabel('WebP quality').inputValue()).toBe('77')
  expect(await page.getByLabel('Author').inputValue()).toBe('Mei')
  expect(await title.inputValue()).toBe('Half a ti')
  const settings = (await api(server, 'GET', '/v1/settings', { token: admin.token })).body.data
  expect(settings.image).toMatchObject({ quality_jpg: 72, quality_webp: 77 })
  await put('/api/admin/config', { task_prices: { kept: null, mine: null, theirs: null } })
})

test('prices of task types are added and removed; maintenance begins after a question, and is told at once', async () => {
  const admin = await makeUser(server, { role: 'super_admin' })
  await using visitor = await Visitor.come(server, { user: admin })
  const page = await visitor.open('/admin/settings')
  const card = page.locator('.card').filter({ hasText: 'Tasks and prices' })
  const types = card.getByLabel('Task type')
  const save = async () => {
    await card.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').last().waitFor()
  }
  await card.getByRole('button', { name: 'Add a type' }).click()
  await types.last().fill('render')
  await card.getByLabel('Price').last().fill('2.5')
  await save()
  await page.reload()
  await types.first().waitFor()
  const shown = await Promise.all((await types.all()).map((one) => one.inputValue()))
  expect(shown).toContain('render')
  await card.getByRole('button', { name: 'Remove' }).nth(shown.indexOf('render')).click()
  const asked = page.waitForEvent('dialog')
  await page.evaluate('setTimeout(() => location.reload())')
  await (await asked).dismiss()
  await card.getByLabel('Maintenance').check()
  await card.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Begin' }).click()
  await page.getByText('only administrators can change anything').waitFor()
  await card.getByLabel('Maintenance').uncheck()
  await save()
  await page.getByText('only administrators can change anything').waitFor({ state: 'detached' })
  const { body } = await api(server, 'GET', '/api/admin/config', { token: admin.token })
  expect([body.data.task_prices.render, body.data.maintenance_mode]).toEqual([undefined, false])
})

test('recharge codes are made, listed by state, and switched off', async () => {
  const admin = await makeUser(server, { role: 'admin' })
  await using visitor = await Visitor.come(server, { user: admin })
  const page = await visitor.open('/admin/codes')
  await page.getByRole('button', { name: 'New codes' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Worth of each code').fill('5')
  await dialog.getByLabel('How many codes').fill('2')
  await dialog.getByLabel('Description').fill('Autumn')
  await dialog.getByRole('button', { name: 'New codes' }).click()
  await dialog.getByText('2 codes are made.').waitFor()
  const [code] = (await dialog.getByRole('textbox').inputValue()).split('\n')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  const row = page.getByRole('row', { name: code! })
  await row.getByRole('button', { name: 'Disable' }).click()
  await row.getByText('Disabled').waitFor()
  await page.getByLabel('Status').selectOption({ label: 'Used up' })
  await page.getByText('No code fits.').waitFor()
  await page.getByLabel('Status').selectOption({ label: 'Disabled' })
  await row.getByTitle('Who has used it').click()
  await page.getByText('Nobody has used it yet.').waitFor()
})
