/** Photos and materials, from the files that somebody hands to the page to the pictures that others see. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { api } from '../support/api.ts'
import { makeUser, type TestUser } from '../support/factories.ts'
import { twoColours } from '../support/photo-fixtures.ts'
import { startServer } from '../support/server.ts'
import { overflows, screenshot, seriousFindings, settled, untilKnown, Visitor } from './browser.ts'

const server = await startServer()
afterAll(() => server.stop())

const folder = mkdtempSync(join(tmpdir(), 'roost-page-photos-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const fileOf = (name: string) => join(folder, name)

let editor: TestUser
let admin: TestUser
beforeAll(async () => {
  editor = await makeUser(server, { role: 'editor' })
  admin = await makeUser(server, { role: 'admin' })
  for (const name of ['城市夜景.jpg', 'Old_town.jpg']) await twoColours(480, 320).jpeg().toFile(fileOf(name))
  await Bun.write(fileOf('notes.txt'), 'no photo')
})

const choose = (page: Page, ...names: string[]) =>
  page.locator('input[type=file]').setInputFiles(names.map(fileOf))
const pictures = (page: Page) => page.locator('.photo-grid img')

describe('photos', () => {
  test('are uploaded while other pages are open, appear when they are processed, and are found by pinyin', async () => {
    await using visitor = await Visitor.come(server)
    const page = await visitor.signIn(editor, '/photos')
    await page.getByText('No photos yet').waitFor()
    await untilKnown(page)
    await choose(page, '城市夜景.jpg', 'Old_town.jpg', 'notes.txt')
    expect(await page.getByRole('dialog').getByRole('alert').textContent()).toContain('notes.txt')
    await page.getByLabel('Who sees the photos').selectOption('published')
    expect(await seriousFindings(page)).toEqual([])
    await page.getByRole('dialog').getByRole('button', { name: 'Upload', exact: true }).click()
    await page.getByRole('link', { name: 'Materials' }).click()
    await page.getByRole('heading', { level: 1, name: 'Materials' }).waitFor()
    await page.getByText('All files are done').waitFor({ timeout: 60_000 })
    await page.getByRole('link', { name: 'Photos', exact: true }).click()
    await pictures(page).nth(1).waitFor()
    expect(await seriousFindings(page)).toEqual([])
    await screenshot(page, 'photos')

    await page.getByLabel('Search for photos').fill('yejing')
    await page.keyboard.press('Enter')
    expect(await page.locator('.photo-caption mark').textContent()).toBe('夜景')
    expect(await pictures(page).count()).toBe(1)
  })

  test('lead to each other by the arrow keys, and show a change of somebody else', async () => {
    await using visitor = await Visitor.come(server)
    const page = await visitor.signIn(admin, '/photos?sort=title')
    await page.getByRole('link', { name: 'Old town' }).click()
    await page.locator('.viewer img').waitFor()
    await page.getByRole('link', { name: 'Next' }).waitFor()
    await page.keyboard.press('ArrowRight')
    await page.getByRole('heading', { level: 1, name: '城市夜景' }).waitFor()
    expect(await seriousFindings(page)).toEqual([])

    await using other = await Visitor.come(server)
    const theirs = await other.signIn(editor, new URL(page.url()).hash.slice(1))
    await theirs.getByRole('button', { name: 'Edit' }).click()
    await theirs.getByLabel('Title').fill('The city by night')
    await theirs.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { level: 1, name: 'The city by night' }).waitFor()
  })

  test('are changed many at once', async () => {
    await using visitor = await Visitor.come(server)
    const page = await visitor.signIn(admin, '/photos')
    await page.getByRole('button', { name: 'Select', exact: true }).click()
    await page.locator('.photo-grid a').first().click()
    await page
      .locator('.photo-grid a')
      .nth(1)
      .click({ modifiers: ['Shift'] })
    await page.getByRole('button', { name: 'Archive' }).click()
    await page.locator('.photo-grid').getByText('Archived').nth(1).waitFor()
    expect(await seriousFindings(page)).toEqual([])

    await page.getByRole('button', { name: 'Select', exact: true }).click()
    for (const n of [0, 1]) await page.locator('.photo-grid a').nth(n).click()
    await page.getByText('2 photos selected').waitFor()
    const [, id] = /photos\/(\d+)/.exec((await page.locator('.photo-grid a').first().getAttribute('href'))!)!
    await api(server, 'DELETE', `/v1/photos/${id}`, { token: admin.token })
    await page.getByText('1 photo selected').waitFor()
  })

  test('fit a phone, in Chinese', async () => {
    await using visitor = await Visitor.come(server, { language: 'zh', theme: 'dark', width: 390 })
    const page = await visitor.signIn(admin, '/photos')
    await pictures(page).first().waitFor()
    expect(await overflows(page)).toBe(false)
    expect(await seriousFindings(page)).toEqual([])
    for (const [tab, heading] of [
      ['分类与标签', '标签'],
      ['时间线', '照片'],
    ] as const) {
      await page.getByRole('link', { name: tab }).click()
      await page.locator('.tabs [aria-current="page"]', { hasText: tab }).waitFor()
      await page.getByRole('heading', { name: heading }).first().waitFor()
      await settled(page)
      expect(await overflows(page)).toBe(false)
      expect(await seriousFindings(page)).toEqual([])
    }
  })
})

test('a user without the right to upload photos is told so before anything is sent', async () => {
  await using visitor = await Visitor.come(server)
  const page = await visitor.signIn(await makeUser(server), '/materials')
  await untilKnown(page)
  await choose(page, 'Old_town.jpg')
  await page.getByRole('dialog').getByText('Only editors may upload photos.').waitFor()
})

test('an editor may choose photos before the profile has come', async () => {
  await using visitor = await Visitor.come(server, { user: editor })
  await visitor.context.route('**/api/users/me', () => {})
  const page = await visitor.open('/materials')
  await page.getByRole('button', { name: 'Upload' }).waitFor()
  await choose(page, 'Old_town.jpg')
  await page.getByRole('dialog', { name: 'Upload a file' }).waitFor()
})
