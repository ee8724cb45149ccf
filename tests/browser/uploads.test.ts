/** Files that are dropped on the page: sent, processed and shown. */
import { afterAll, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { api } from '../support/api.ts'
import { makeUser } from '../support/factories.ts'
import { eventually, ServerProcess, temporaryDirectory } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { drop, screenshot, seriousFindings, untilStatus, Visitor } from './browser.ts'
import { document, landscape, noise } from './pictures.ts'

const server = await startServer()
const desk = temporaryDirectory('desk')
afterAll(async () => {
  rmSync(desk, { recursive: true })
  await server.stop()
})

/** @returns the path of a file with this content */
function onDesk(name: string, content: Uint8Array | string): string {
  const path = join(desk, name)
  writeFileSync(path, content)
  return path
}

const panel = (page: Page) => page.getByRole('complementary', { name: 'Uploads' })
const row = (page: Page, title: string) => panel(page).locator('.upload-row', { hasText: title })
const done = (page: Page, title: string) => row(page, title).getByText('Done').waitFor({ timeout: 60_000 })
/** The picture has been fetched and decoded. */
const isShown = (page: Page, selector: string) =>
  eventually(
    () =>
      page.evaluate(
        `document.querySelector(${JSON.stringify(selector)})?.naturalWidth > 0`,
      ) as Promise<boolean>,
    `the picture ${selector}`,
  )

test('a photo that is dropped in appears among the photos, with its thumbnail', async () => {
  const user = await makeUser(server, { role: 'editor' })
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/photos')
  await untilStatus(page, 'live')
  await page.getByRole('button', { name: 'Upload' }).waitFor()
  await drop(page, [onDesk('lake.jpg', await landscape(1))])
  const dialog = page.getByRole('dialog', { name: 'Upload a file' })
  await dialog.getByLabel('Title').fill('By the lake')
  await dialog.getByLabel('Tags').fill('water, evening')
  expect(await seriousFindings(page)).toEqual([])
  await screenshot(page, 'upload-dialog')
  await dialog.getByRole('button', { name: 'Upload' }).click()
  await done(page, 'By the lake')
  await isShown(page, '.photo-grid img')
  await screenshot(page, 'upload-done')
  await row(page, 'By the lake').getByRole('link').click()
  await page.getByRole('heading', { level: 1, name: 'By the lake' }).waitFor()
  await page.getByText('#evening').first().waitFor()
})

test('a PDF that is dropped in gets the thumbnail of its first page', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/materials')
  await untilStatus(page, 'live')
  await page.getByRole('button', { name: 'Upload' }).waitFor()
  await drop(page, [onDesk('notes.pdf', document('Notes'))])
  const dialog = page.getByRole('dialog', { name: 'Upload a file' })
  await dialog.getByLabel('Title').fill('Notes on light')
  await dialog.getByRole('button', { name: 'Upload' }).click()
  await done(page, 'Notes on light')
  await row(page, 'Notes on light').getByRole('link').click()
  await page.getByRole('heading', { level: 1, name: 'Notes on light' }).waitFor()
  await page.goto('/#/materials')
  await page.getByText('Notes on light').first().waitFor()
  await isShown(page, '#content img')
})

test('of several files those that the server would refuse are left out, and said', async () => {
  const user = await makeUser(server, { role: 'editor' })
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/photos')
  await untilStatus(page, 'live')
  await page.getByRole('button', { name: 'Upload' }).waitFor()
  const files = [
    onDesk('first.jpg', await landscape(2)),
    onDesk('virus.exe', 'MZ'),
    onDesk('second.jpg', await landscape(3)),
    onDesk('empty.png', ''),
    onDesk('broken.jpg', 'not a photo'),
  ]
  await drop(page, files)
  const dialog = page.getByRole('dialog', { name: 'Upload 3 files' })
  await dialog.getByText('2 files are left out').waitFor()
  await dialog.getByText('virus.exe').waitFor()
  await dialog.getByText('empty.png').waitFor()
  await dialog.getByRole('button', { name: 'Upload' }).click()
  await done(page, 'first')
  await done(page, 'second')
  // The server looks into the file itself, and the list goes on with the others.
  await row(page, 'broken').locator('.upload-failed').waitFor()
  await page.goto('/#/')
  await panel(page).getByText('first').waitFor()
})

test('an upload goes on where it was when the server is killed and started again in its middle', async () => {
  await using started = await ServerProcess.start()
  const login = { email: 'admin@example.com', password: 'admin123' }
  const { body } = await api(started, 'POST', '/api/v1/auth/sessions', { body: login })
  await using visitor = await Visitor.come(started)
  const page = await visitor.signIn({ user: { email: login.email }, password: login.password }, '/photos')
  await untilStatus(page, 'live')
  const arrived: string[] = []
  page.on('response', (response) => {
    if (response.request().method() === 'PUT' && response.ok())
      arrived.push(response.url().split('/').at(-1)!)
  })
  const devtools = await visitor.context.newCDPSession(page)
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 600_000 }
  await devtools.send('Network.emulateNetworkConditions', slow)
  await page.getByRole('button', { name: 'Upload' }).waitFor()
  await drop(page, [onDesk('large.jpg', await noise(1600, 1200))])
  await page.getByRole('dialog').getByRole('button', { name: 'Upload' }).click()
  await eventually(() => arrived.length >= 3, 'three chunks')
  await started.kill()
  const before = arrived.length
  await started.start()
  await devtools.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 })
  await done(page, 'large')
  expect(arrived.length).toBeGreaterThan(before)
  const { body: list } = await api(started, 'GET', '/v1/photos', { token: body.access_token })
  expect(list.data).toHaveLength(1)
  expect(list.data[0].processing_status).toBe('completed')
  // A chunk whose answer was lost in the kill may come twice; all others were sent once.
  expect(arrived.length - new Set(arrived).size).toBeLessThanOrEqual(1)
})
