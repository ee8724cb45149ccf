/** Materials, and the courses that editors make of them. */
import { afterAll, expect, test } from 'bun:test'
import { makeMaterial } from '../support/courses.ts'
import { makeUser } from '../support/factories.ts'
import { startServer } from '../support/server.ts'
import { seriousFindings, settled, untilKnown, untilStatus, Visitor } from './browser.ts'

const server = await startServer()
afterAll(() => server.stop())

test('an editor makes a course of materials, in an order, and changes and deletes it', async () => {
  const user = await makeUser(server, { role: 'editor' })
  for (const title of ['Light', 'Colour', 'Shadow']) await makeMaterial(server, user, { title })
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/courses')
  await page.getByText('There are no courses yet').waitFor()
  await page.getByRole('button', { name: 'New course' }).click()
  const dialog = page.getByRole('dialog')
  const chosen = dialog.getByRole('region', { name: 'Materials, in the order' }).getByRole('listitem')
  await dialog.getByLabel('Name').fill('Painting')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByText('Add at least one material.').waitFor()
  await dialog.getByRole('button', { name: 'Light' }).click()
  await dialog.getByLabel('Search materials').fill('col')
  expect(await dialog.getByRole('button', { name: 'Shadow' }).count()).toBe(0)
  await dialog.getByRole('button', { name: 'Colour' }).click()
  await dialog.getByRole('button', { name: 'Move up: Colour' }).click()
  expect(await chosen.allTextContents()).toEqual(['Colour', 'Light'])
  expect(await seriousFindings(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Save' }).click()

  await page.getByRole('button', { name: 'Edit: Painting' }).click()
  expect(await dialog.getByLabel('Name').inputValue()).toBe('Painting')
  expect(await chosen.allTextContents()).toEqual(['Colour', 'Light'])
  const question = page.getByRole('dialog', { name: 'Close without saving?' })
  await dialog.getByRole('button', { name: 'Move down: Colour' }).click()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await question.getByRole('button', { name: 'Close without saving' }).click()
  await dialog.waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Edit: Painting' }).click()
  await dialog.getByLabel('Search materials').fill('sha')
  // It sends nothing: a saved course closes its dialog.
  await dialog.getByLabel('Search materials').press('Enter')
  expect(await dialog.getByRole('button', { name: 'Save', disabled: false }).count()).toBe(1)
  await dialog.getByRole('button', { name: 'Close' }).click()
  await dialog.waitFor({ state: 'detached' })

  await page.getByRole('button', { name: 'Edit: Painting' }).click()
  await chosen.first().waitFor()
  expect(await chosen.allTextContents()).toEqual(['Colour', 'Light'])
  await dialog.getByRole('button', { name: 'Remove: Light' }).click()
  await dialog.getByLabel('Name').fill('Painting in oil')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('button', { name: 'Delete: Painting in oil' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('There are no courses yet').waitFor()
})

test('a material is liked by others, and one that its uploader hides disappears from their other tabs', async () => {
  const owner = await makeUser(server)
  const pdf = { type: 'pdf', fileFormat: 'pdf' } as const
  const id = await makeMaterial(server, owner, { title: 'A PDF', ...pdf })
  await makeMaterial(server, owner, { title: 'Another one', ...pdf })
  await using other = await Visitor.come(server, { user: await makeUser(server) })
  const theirs = await other.open(`/materials/${id}`)
  await theirs.getByRole('button', { name: 'Like' }).click()
  await theirs.getByRole('button', { name: 'Liked' }).getByTitle('1 like', { exact: true }).waitFor()
  await untilKnown(theirs)
  await settled(theirs)
  expect(await theirs.getByRole('button', { name: 'Delete' }).count()).toBe(0)

  await using visitor = await Visitor.come(server, { user: owner })
  const [page, tab] = [await visitor.open(`/materials/${id}`), await visitor.open(`/materials/${id}`)]
  for (const one of [page, tab]) await untilStatus(one, 'live')
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Hide it' }).click()
  await page.getByText('The material is deleted.').waitFor()
  await tab.getByRole('heading', { level: 1, name: 'Materials' }).waitFor()
  await tab.getByText('Another one').first().waitFor()
  expect(await tab.getByText('A PDF').count()).toBe(0)
})
