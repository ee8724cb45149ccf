/** The week's schedule: made, moved by mouse and by keyboard, repeated, and remembered. */
import { afterAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { createItem } from '../../src/core/agenda/items.ts'
import { sendReminders } from '../../src/core/agenda/reminders.ts'
import { api } from '../support/api.ts'
import { makeUser, type TestUser } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { screenshot, seriousFindings, untilStatus, Visitor } from './browser.ts'

const server = await startServer()
afterAll(() => server.stop())

/** Days of a week that is long to come, in Shanghai. */
const TUESDAY = 'Tuesday, 4 March 2031'
const WEDNESDAY = 'Wednesday, 5 March 2031'
const NEXT_TUESDAY = 'Tuesday, 11 March 2031'
const day = (page: Page, name: string) =>
  page.getByRole('list', { name: name.replace(',', '') }).or(page.getByRole('list', { name }))
const block = (page: Page, name: string, text: RegExp) => day(page, name).getByRole('button', { name: text })

const startsOf = async ({ token }: TestUser): Promise<string[]> => {
  const path = '/api/v1/schedule-items?start_at=2031-03-01&end_at=2031-03-20&timezone=Asia/Shanghai'
  const { body } = await api(server, 'GET', path, { token })
  return body.map(({ start_at }: { start_at: string }) => start_at.slice(0, 16)).sort()
}

async function create(page: Page, title: string, { repeat }: { repeat?: string } = {}): Promise<void> {
  await page.getByRole('button', { name: 'New appointment' }).click()
  const dialog = page.getByRole('dialog', { name: 'New appointment' })
  await dialog.getByLabel('Title').fill(title)
  await dialog.getByLabel('Begins').fill('2031-03-04T10:00')
  await dialog.getByLabel('Ends').fill('2031-03-04T11:00')
  if (repeat) await dialog.getByLabel('Repeat').selectOption({ label: repeat })
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.waitFor({ state: 'detached' })
}

/** Drags an item by days and hours. */
async function drag(
  page: Page,
  item: ReturnType<typeof block>,
  by: { days: number; hours: number },
): Promise<void> {
  const column = (await day(page, TUESDAY).boundingBox())!
  const box = (await item.boundingBox())!
  const [x, y] = [box.x + box.width / 2, box.y + 8]
  await page.mouse.move(x, y)
  await page.mouse.down()
  const [dx, dy] = [by.days * column.width, (by.hours * column.height) / 24]
  await page.mouse.move(x + dx, y + dy, { steps: 8 })
  await page.mouse.up()
}

test('an item is created, and moved by mouse and by keyboard', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/schedule?date=2031-03-04&view=week')
  await untilStatus(page, 'live')
  await create(page, 'Dentist')
  const before = block(page, TUESDAY, /Dentist.*10:00–11:00/)
  await before.waitFor()
  expect(await seriousFindings(page)).toEqual([])
  await drag(page, before, { days: 1, hours: 2 })
  const moved = block(page, WEDNESDAY, /Dentist.*12:00–13:00/)
  await moved.waitFor()
  await screenshot(page, 'schedule-moved')
  await eventually(async () => (await startsOf(user))[0] === '2031-03-05T04:00', 'the move')
  await moved.press('Shift+ArrowDown')
  await block(page, WEDNESDAY, /Dentist.*12:15–13:15/).waitFor()
  await page.keyboard.press('Shift+ArrowLeft')
  await block(page, TUESDAY, /Dentist.*12:15–13:15/).waitFor()
  await eventually(async () => (await startsOf(user))[0] === '2031-03-04T04:15', 'the move by keyboard')
})

test('an item that moves on while an earlier move is on its way does not jump back', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/schedule?date=2031-03-04&view=week')
  await untilStatus(page, 'live')
  await create(page, 'Dentist')
  await block(page, TUESDAY, /Dentist.*10:00–11:00/).waitFor()
  const sent: string[] = []
  const [moved, fetched] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await page.route(/\/schedule-items/, async (route) => {
    const method = route.request().method()
    if (method === 'GET') fetched.resolve()
    // The second move is slow, so that the event of the first one comes before.
    else await (sent.length === 0 ? moved.promise : Promise.race([fetched.promise, Bun.sleep(1500)]))
    sent.push(method)
    await route.continue()
  })
  await block(page, TUESDAY, /Dentist/).press('Shift+ArrowDown')
  await block(page, TUESDAY, /Dentist.*10:15–11:15/).waitFor()
  await page.keyboard.press('Shift+ArrowDown')
  await block(page, TUESDAY, /Dentist.*10:30–11:30/).waitFor()
  moved.resolve()
  await page.waitForResponse(
    (answer) => answer.request().method() === 'GET' && answer.url().includes('/schedule-items'),
  )
  // The event of the second move leads to another one.
  expect(sent.slice(0, 3)).toEqual(['PATCH', 'PATCH', 'GET'])
  await block(page, TUESDAY, /Dentist.*10:30–11:30/).waitFor()
})

test('of a recurring item one is moved alone, then all of them', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/schedule?date=2031-03-04&view=week')
  await untilStatus(page, 'live')
  await create(page, 'Choir', { repeat: 'Every week' })
  const first = block(page, TUESDAY, /Choir.*10:00–11:00/)
  await first.waitFor()
  await drag(page, first, { days: 0, hours: 3 })
  await page.getByRole('dialog').getByRole('button', { name: 'Only this one' }).click()
  await block(page, TUESDAY, /Choir.*13:00–14:00/).waitFor()
  // The new item is shown before the series leaves it out.
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  expect(await startsOf(user)).toEqual(['2031-03-04T05:00', '2031-03-11T02:00', '2031-03-18T02:00'])

  await page.getByRole('button', { name: 'Later' }).click()
  await block(page, NEXT_TUESDAY, /Choir.*10:00–11:00/).press('Shift+ArrowDown')
  await page.getByRole('dialog').getByRole('button', { name: 'All of them' }).click()
  await block(page, NEXT_TUESDAY, /Choir.*10:15–11:15/).waitFor()
  expect((await startsOf(user)).slice(-2)).toEqual(['2031-03-11T02:15', '2031-03-18T02:15'])

  await block(page, NEXT_TUESDAY, /Choir/).click()
  const dialog = page.getByRole('dialog', { name: 'Edit the appointment' })
  await dialog.getByLabel('Title').fill('Band')
  await dialog.getByLabel('Begins').fill('2031-03-11T11:00')
  await dialog.getByLabel('all of them').check()
  // What was typed of one is meant of all: the series begins a week earlier.
  expect(await dialog.getByLabel('Title').inputValue()).toBe('Band')
  expect(await dialog.getByLabel('Begins').inputValue()).toBe('2031-03-04T11:00')
  expect(await dialog.getByLabel('Ends').inputValue()).toBe('2031-03-04T12:00')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await block(page, NEXT_TUESDAY, /Band.*11:00–12:00/).waitFor()
  expect((await startsOf(user)).slice(-2)).toEqual(['2031-03-11T03:00', '2031-03-18T03:00'])
})

test('a reminder is a toast, and a notification of the browser', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  // Chromium without a window has no notifications.
  await visitor.context.addInitScript(`
    window.shown = []
    window.Notification = class extends EventTarget {
      static permission = 'granted'
      constructor(title) {
        super()
        window.shown.push(title)
      }
    }`)
  const page = await visitor.open('/tasks')
  await untilStatus(page, 'live')
  const startAt = new Date(Date.now() + 10 * 60_000).toISOString()
  await createItem(
    server.ctx,
    user.user.id,
    { title: 'Leave for the train', startAt, reminderMinutes: 15 },
    'manual',
  )
  await sendReminders(server.ctx)
  await page.locator('.toast', { hasText: 'Leave for the train' }).waitFor()
  expect(await page.evaluate('shown')).toEqual(['Leave for the train'])
})
