/** Many photos and tasks: everything can be reached, and the page stays as large as what it shows. Times: `bun run bench dashboard`. */
import { afterAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { makeUser } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { untilStatus, Visitor } from './browser.ts'
import { manyPhotos, manyTasks, showPictures } from './crowd.ts'

const server = await startServer()
afterAll(() => server.stop())

/** From now on the page counts how many photos it adds from one frame to the next. */
const countAdded = (page: Page) =>
  page.evaluate(`(() => {
    let added = 0
    globalThis.mostAdded = 0
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) added += node.querySelectorAll?.('img').length ?? 0
      }
    }).observe(document.querySelector('.photo-grid'), { childList: true, subtree: true })
    const frame = () => {
      mostAdded = Math.max(mostAdded, added)
      added = 0
      requestAnimationFrame(frame)
    }
    frame()
  })()`)

const elements = (page: Page) => page.evaluate('document.querySelectorAll("*").length') as Promise<number>

test('10,000 photos: all can be reached by scrolling and by keyboard, and few of them are in the page', async () => {
  const COUNT = 10_000
  await manyPhotos(server, COUNT)
  await using visitor = await Visitor.come(server, { user: await makeUser(server) })
  await showPictures(visitor.context)
  const page = await visitor.open('/photos')
  const cells = page.locator('.photo-grid a[data-index]')
  await cells.first().waitFor()
  expect(await page.locator('.photo-grid li').first().getAttribute('aria-setsize')).toBe(String(COUNT))
  await countAdded(page)
  const seen: number[] = []
  for (let part = 0; part <= 10; part++) {
    await page.evaluate(`scrollTo({ top: document.documentElement.scrollHeight * ${part / 10} })`)
    await eventually(async () => {
      const at = await page.evaluate(`(() => {
        const cell = [...document.querySelectorAll('a[data-index]')].find((one) => {
          const { top, bottom } = one.getBoundingClientRect()
          return bottom > 0 && top < innerHeight && one.querySelector('img')?.naturalWidth > 0
        })
        return Number(cell?.dataset.index ?? -1)
      })()`)
      if ((at as number) < 0) return false
      seen.push(at as number)
      return true
    }, `a picture after ${part} tenths`)
    expect(await elements(page)).toBeLessThan(2500)
  }
  expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  expect(new Set(seen).size).toBe(11)
  // All that are in the page are some 50. A frame adds 12, and 12 more when they have just arrived.
  const most = await page.evaluate('mostAdded')
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(24)
  await page.locator(`a[data-index="${COUNT - 1}"]`).waitFor()
  await page.locator(`a[data-index="${COUNT - 1}"]`).press('Home')
  await page.locator('a[data-index="0"]:focus').waitFor()
  await page.keyboard.press('End')
  await page.locator(`a[data-index="${COUNT - 1}"]:focus`).waitFor()
  // The way back from a photo leads to where the list was left.
  await page.keyboard.press('Enter')
  await page.locator('.viewer').waitFor()
  await page.goBack()
  await page.locator(`a[data-index="${COUNT - 1}"]`).waitFor()
})

test('1,000 tasks, of which 20 run: the page follows them, and does not grow', async () => {
  const user = await makeUser(server)
  using tasks = await manyTasks(server, user, { ended: 980, running: 20 })
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/tasks')
  await untilStatus(page, 'live')
  await page.getByText('1,000 tasks').waitFor()
  const bars = (value: number) => page.locator(`[role="progressbar"][aria-valuenow="${value}"]`)
  const before = await elements(page)
  for (let step = 1; step <= 20; step++) {
    for (let n = 0; n < 20; n++) tasks.advance()
    if (step % 5 === 0) await eventually(async () => (await bars(step).count()) === 20, `20 bars at ${step}`)
  }
  await page.getByText('step 20').first().waitFor()
  // The name of the step stands in each of the rows that run.
  expect(await elements(page)).toBeLessThan(before + 100)
  const running = page.locator('.task-progress[data-status="running"]')
  expect(await running.count()).toBe(20)
  tasks.complete()
  await eventually(async () => (await running.count()) === 0, 'the end')
  await page.getByText('1,000 tasks').waitFor()
})
