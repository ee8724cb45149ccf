/** Two who work at the same time, and a user who goes on before the server has answered. */
import { afterAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { api } from '../support/api.ts'
import { makeMaterial } from '../support/courses.ts'
import { makeNode, makeUser } from '../support/factories.ts'
import { startServer } from '../support/server.ts'
import { openNode } from '../support/sockets.ts'
import { settled, Visitor } from './browser.ts'

const server = await startServer()
afterAll(() => server.stop())

const saved = (page: Page) => page.getByRole('dialog').waitFor({ state: 'detached' })

test('who leaves a page before the answer comes is not led away from where they are', async () => {
  const user = await makeUser(server)
  const { token } = await makeNode(server)
  const node = await openNode(server, token, { taskTypes: ['test'] })
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/tasks/new')
  const held = Promise.withResolvers<void>()
  await page.route('**/api/tasks', async (route) => {
    await held.promise
    await route.continue()
  })
  await page.getByLabel('Title').fill('On its way')
  await page.getByLabel('Title').press('Enter')
  await page.getByRole('navigation').getByRole('link', { name: 'Tasks' }).click()
  const row = page.locator('.task-row', { hasText: 'On its way' })
  await page.getByText('You have no tasks yet').waitFor()
  held.resolve()
  await row.waitFor()
  await settled(page)
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Tasks')
  node.close()
})

test('an editor that was open while another changed other fields leaves those as they are', async () => {
  const boss = await makeUser(server, { role: 'super_admin' })
  const as = (method: string, path: string, body?: unknown) =>
    api(server, method as 'POST', path, { token: boss.token, body })
  const other = await makeUser(server, { role: 'admin' })
  const event = { title: 'Meeting', start_at: '2031-03-04T10:00', end_at: '2031-03-04T11:00' }
  const item = (await as('POST', '/api/v1/schedule-items', { ...event, timezone: 'Asia/Shanghai' })).body
  await using visitor = await Visitor.come(server, { user: boss })

  const page = await visitor.open(`/admin/users?search=${other.user.username}`)
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Name', { exact: true }).fill('Renamed')
  const { id } = (await as('GET', `/v1/users?search=${other.user.username}`)).body.data[0]
  await as('PUT', `/api/admin/users/${id}`, { role: 'user' })
  await page.getByRole('button', { name: 'Save' }).click()
  await saved(page)
  const user = (await as('GET', `/v1/users/${id}`)).body.data
  expect(user).toMatchObject({ display_name: 'Renamed', role: 'user' })

  await page.goto(`${server.url}/#/schedule?date=2031-03-04&view=day`)
  await page.getByRole('button', { name: /Meeting/ }).click()
  await page.getByLabel('Title').fill('Planning')
  const path = `/api/v1/schedule-items/${item.id}`
  const moved = { start_at: '2031-03-04T15:00:00+08:00', end_at: '2031-03-04T16:00:00+08:00' }
  await as('PATCH', path, { ...moved, metadata: { location: 'Hangzhou', version: 2 } })
  await page.getByRole('button', { name: 'Save' }).click()
  await saved(page)
  const now = (await as('GET', path)).body
  expect(now).toMatchObject({ title: 'Planning', metadata: { location: 'Hangzhou' } })
  expect(Date.parse(now.start_at)).toBe(Date.parse(moved.start_at))
})

test('two editors of a course keep what each of them changes', async () => {
  const user = await makeUser(server, { role: 'editor' })
  const ids = [await makeMaterial(server, user, { title: 'Light' }), await makeMaterial(server, user)]
  const as = async (method: 'POST' | 'PUT' | 'GET', path: string, body?: object) =>
    (await api(server, method, path, { token: user.token, ...(body && { body }) })).body
  const course = { courseName: 'Painting', teacherName: 'Mei', material_ids: ids.slice(0, 1) }
  const { courseId } = await as('POST', '/api/courses', course)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/courses')
  await page.getByRole('button', { name: 'Edit: Painting' }).click()
  await page.getByRole('dialog').getByLabel('Name').fill('Painting in oil')
  await as('PUT', `/api/courses/${courseId}`, { teacherName: 'Lin', material_ids: ids })
  await page.getByRole('button', { name: 'Save' }).click()
  await saved(page)
  const now = await as('GET', `/api/courses/${courseId}`)
  expect(now).toMatchObject({ courseName: 'Painting in oil', teacherName: 'Lin' })
  expect(now.items.length).toBe(2)
})

test('two occurrences that are deleted in two tabs are both gone', async () => {
  const user = await makeUser(server)
  const series = { title: 'Standup', start_at: '2031-03-03T10:00', end_at: '2031-03-03T11:00' }
  const body = { ...series, timezone: 'Asia/Shanghai', rrule: 'FREQ=DAILY;COUNT=3' }
  await api(server, 'POST', '/api/v1/schedule-items', { token: user.token, body })
  await using visitor = await Visitor.come(server, { user })
  const tabs = [
    await visitor.open('/schedule?date=2031-03-03&view=day'),
    await visitor.open('/schedule?date=2031-03-04&view=day'),
  ]
  for (const tab of tabs) await tab.getByRole('button', { name: /Standup/ }).click()
  for (const tab of tabs) {
    await tab.getByRole('button', { name: 'Delete' }).click()
    await tab
      .getByRole('dialog', { name: 'Delete “Standup”?' })
      .getByRole('button', { name: 'Delete' })
      .click()
    await saved(tab)
  }
  for (const tab of tabs) await tab.getByText('Nothing is planned here').waitFor()
})
