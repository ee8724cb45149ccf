/** Files that are dropped on the page: sent, processed and shown. */
import { afterAll, expect, spyOn, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import type { Page } from 'playwright-core'
import { photoFiles } from '../../src/db/schema/index.ts'
import { api } from '../support/api.ts'
import { makeUser } from '../support/factories.ts'
import { eventually, ServerProcess, temporaryDirectory } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { drop, go, screenshot, seriousFindings, settled, untilStatus, Visitor } from './browser.ts'
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
  await page.getByRole('link', { name: 'All photos' }).click()
  const suggestions = page.getByRole('list', { name: 'Tags that fit' })
  await page.getByLabel('Search for photos').pressSequentially('eve')
  await suggestions.getByText('#evening').waitFor()
  await page.getByRole('heading', { level: 1 }).click()
  await suggestions.waitFor({ state: 'hidden' })
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
  await go(page, '/materials')
  await page.locator('#content').getByText('Notes on light').first().waitFor()
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
  await drop(page, files.slice(0, 2))
  await page.getByRole('dialog', { name: 'Upload a file' }).waitFor()
  // Files that are dropped while the dialog is open join the others.
  await drop(page, files.slice(2))
  const dialog = page.getByRole('dialog', { name: 'Upload 3 files' })
  await dialog.getByText('2 files are left out').waitFor()
  await dialog.getByText('virus.exe').waitFor()
  await dialog.getByText('empty.png').waitFor()
  await dialog.getByRole('button', { name: 'Upload' }).click()
  await done(page, 'first')
  await done(page, 'second')
  // The server looks into the file itself, and the list goes on with the others.
  await row(page, 'broken').locator('.upload-failed').waitFor()
  await go(page, '/')
  await panel(page).getByText('first').waitFor()
})

test('many photos share a few requests, so that the limit of uploads a minute does not hold them up', async () => {
  const limited = await startServer({ RATE_LIMITS: 'on' })
  try {
    const user = await makeUser(limited, { role: 'editor' })
    await using visitor = await Visitor.come(limited, { user })
    const page = await visitor.open('/photos')
    await untilStatus(page, 'live')
    const requests: string[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().includes('/v1/upload/')) requests.push(request.url())
    })
    const pictures = await Promise.all(Array.from({ length: 13 }, (_, n) => landscape(n, 120 + n, 90)))
    const files = pictures.map((picture, n) => onDesk(`many ${n}.jpg`, picture))
    // Files of one size are not told apart in one request; a broken one fails alone.
    files.splice(3, 0, onDesk('many twin.jpg', pictures[0]!), onDesk('many broken.jpg', 'not a photo'))
    await page.getByRole('button', { name: 'Upload' }).waitFor()
    await drop(page, files)
    await page.getByRole('dialog').getByRole('button', { name: 'Upload' }).click()
    await row(page, 'many broken').locator('.upload-failed').waitFor()
    await page.getByRole('status').getByText('1 file has failed').waitFor({ timeout: 60_000 })
    expect(await panel(page).getByRole('link').count()).toBe(14)
    const { body } = await api(limited, 'GET', '/v1/photos?limit=100', { token: user.token })
    const titles = (body.data as { title: string; file_id: string }[]).map(({ title }) => title)
    expect(titles.toSorted()).toEqual([...pictures.map((_, n) => `many ${n}`), 'many twin'].toSorted())
    expect(requests.length).toBeLessThanOrEqual(4)
  } finally {
    await limited.stop()
  }
})

test('an upload beyond the limit says until when it waits, and goes on by itself', async () => {
  const limited = await startServer({ RATE_LIMITS: 'on', REQUEST_LIMITS: 'upload=1/5' })
  try {
    const user = await makeUser(limited, { role: 'editor' })
    await using visitor = await Visitor.come(limited, { user })
    const page = await visitor.open('/photos')
    await untilStatus(page, 'live')
    const picture = await landscape(4)
    await page.getByRole('button', { name: 'Upload' }).waitFor()
    // Of the same size, so that each is a request of its own.
    await drop(page, [onDesk('one.jpg', picture), onDesk('other.jpg', picture)])
    await page.getByRole('dialog').getByRole('button', { name: 'Upload' }).click()
    await row(page, 'other')
      .getByText(/Goes on at \d\d:\d\d:\d\d/)
      .waitFor()
    await done(page, 'one')
    await done(page, 'other')
  } finally {
    await limited.stop()
  }
})

test('an upload that is cancelled while it shares a request leaves nothing on the server', async () => {
  const user = await makeUser(server, { role: 'editor' })
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/photos')
  await untilStatus(page, 'live')
  const devtools = await visitor.context.newCDPSession(page)
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 20_000 }
  await devtools.send('Network.emulateNetworkConditions', slow)
  await page.getByRole('button', { name: 'Upload' }).waitFor()
  const [kept, unwanted] = [await noise(600, 400), await noise(610, 400)]
  await drop(page, [onDesk('kept.jpg', kept), onDesk('unwanted.jpg', unwanted)])
  await page.getByRole('dialog').getByRole('button', { name: 'Upload' }).click()
  await panel(page).getByRole('button', { name: 'Cancel unwanted' }).click()
  await page.getByRole('button', { name: 'Cancel the upload' }).click()
  await devtools.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 })
  await done(page, 'kept')
  // The other file may arrive after the one that is kept, and is then deleted.
  await settled(page)
  const files = await server.ctx.db.select().from(photoFiles).where(eq(photoFiles.userId, user.user.id))
  expect(files.map(({ fileName }) => fileName)).toEqual(['kept.jpg'])
})

test('an upload that is cancelled while the server answers leaves nothing on the server', async () => {
  const user = await makeUser(server, { role: 'editor' })
  await using visitor = await Visitor.come(server, { user })
  await visitor.context.addInitScript(`
    const { send } = XMLHttpRequest.prototype
    XMLHttpRequest.prototype.send = function (body) {
      this.upload.addEventListener('load', () => document.body.classList.add('sent'))
      return send.call(this, body)
    }`)
  const { storage } = server.ctx
  for (const name of ['late.jpg', 'late.pdf']) {
    const page = await visitor.open('/photos')
    await page.getByRole('button', { name: 'Upload' }).waitFor()
    const content = name === 'late.pdf' ? document('Late') : await landscape(3)
    const held = Promise.withResolvers<void>()
    const write = storage.write.bind(storage)
    const spy = spyOn(storage, 'write').mockImplementation(async (key, ...rest) => {
      const bytes = await write(key, ...rest)
      if (key.includes('late')) await held.promise
      return bytes
    })
    await drop(page, [onDesk(name, content)])
    await page.getByRole('dialog').getByRole('button', { name: 'Upload' }).click()
    await page.locator('body.sent').waitFor()
    await panel(page).getByRole('button', { name: 'Cancel late' }).click()
    const isDeleted = page.waitForResponse((answer) => answer.request().method() === 'DELETE')
    await page.getByRole('button', { name: 'Cancel the upload' }).click()
    await panel(page).waitFor({ state: 'detached' })
    held.resolve()
    expect((await isDeleted).ok()).toBe(true)
    spy.mockRestore()
    await page.close()
  }
  const { db } = server.ctx
  expect(await db.select().from(photoFiles).where(eq(photoFiles.userId, user.user.id))).toEqual([])
})

test('a large photo that is cancelled as it becomes complete is deleted; when the server refuses, the user reads why', async () => {
  const user = await makeUser(server, { role: 'editor' })
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/photos')
  await page.getByRole('button', { name: 'Upload' }).waitFor()
  const send = async (name: string, content: Uint8Array) => {
    await drop(page, [onDesk(name, content)])
    await page.getByRole('dialog').getByRole('button', { name: 'Upload' }).click()
  }
  const filesOnServer = () =>
    server.ctx.db.select().from(photoFiles).where(eq(photoFiles.userId, user.user.id))

  const [isComplete, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await page.route('**/v1/upload/chunked/*/complete', async (route) => {
    await route.fetch()
    isComplete.resolve()
    await ended.promise
    await route.abort()
  })
  const picture = await landscape(4)
  await send('large.jpg', Buffer.concat([picture, Buffer.alloc(9 * 1024 * 1024)]))
  await isComplete.promise
  expect((await filesOnServer()).length).toBe(1)
  await panel(page).getByRole('button', { name: 'Cancel large' }).click()
  await page.getByRole('button', { name: 'Cancel the upload' }).click()
  await eventually(async () => (await filesOnServer()).length === 0, 'no file')
  ended.resolve()

  await page.route('**/v1/photos', (route) => route.fulfill({ status: 422, json: {} }))
  await page.route('**/v1/upload/upload_*', (route) =>
    route.fulfill({ status: 409, json: { message: 'A photo uses this file' } }),
  )
  await send('small.jpg', picture)
  await row(page, 'small').getByText('status 422').waitFor()
  await panel(page).getByRole('button', { name: 'Cancel small' }).click()
  await page.locator('.toast').getByText('A photo uses this file').waitFor()
})

test('uploads go on where they were when the server is killed and started again in their middle', async () => {
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
  const small = await Promise.all([500, 510, 520, 530].map((width) => noise(width, 400)))
  await drop(page, [
    onDesk('large.jpg', await noise(3800, 2850)),
    ...small.map((photo, n) => onDesk(`small ${n}.jpg`, photo)),
  ])
  await page.getByRole('dialog').getByRole('button', { name: 'Upload' }).click()
  await eventually(() => arrived.length >= 3, 'three chunks')
  await started.kill()
  const before = arrived.length
  await started.start()
  await devtools.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 })
  for (const title of ['large', ...small.map((_, n) => `small ${n}`)]) await done(page, title)
  expect(arrived.length).toBeGreaterThan(before)
  const { body: list } = await api(started, 'GET', '/v1/photos', { token: body.access_token })
  expect(list.data.map((photo: { processing_status: string }) => photo.processing_status)).toEqual(
    Array(5).fill('completed'),
  )
  // A chunk whose answer was lost in the kill may come twice; all others were sent once.
  expect(arrived.length - new Set(arrived).size).toBeLessThanOrEqual(1)
})
