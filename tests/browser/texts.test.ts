/** Texts of users stay where they belong, whatever users have written. */
import { afterAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { api } from '../support/api.ts'
import { makeNode, makeTask, makeUser } from '../support/factories.ts'
import { form, sendForm } from '../support/files.ts'
import { startServer } from '../support/server.ts'
import { openNode } from '../support/sockets.ts'
import { go, overflows, settled, Visitor } from './browser.ts'
import { landscape } from './pictures.ts'

const server = await startServer()
afterAll(() => server.stop())

const LONG = 'W'.repeat(100)
const MARKUP = '<img src=x onerror="window.isRun=1">'

/** What sticks out of its frame sideways. Tables scroll. */
const sticking = (page: Page): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll('.card, .notice, .chip, .task-row')]
    .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
    .map(({ outerHTML }) => outerHTML.slice(0, 200))`)

test.each([1280, 320])('words of a hundred letters widen no page, %d pixels wide', async (width) => {
  const admin = await makeUser(server, { role: 'super_admin' })
  const post = async (path: string, body: unknown) =>
    (await api(server, 'POST', path, { token: admin.token, body })).body.data
  const { token } = await makeNode(server)
  const node = await openNode(server, token)
  const task = await makeTask(server, admin, { title: LONG, description: LONG })
  const { task_id, attempt } = await node.next('assign', (frame) => frame.task_id === task.uuid)
  node.send({ type: 'accept', task_id, attempt })
  node.send({ type: 'log', task_id, attempt, level: 'INFO', message: LONG })
  node.send({ type: 'failed', task_id, attempt, error: `${LONG}${MARKUP}`, exit_code: 3 })
  await node.next('ack', (frame) => frame.task_id === task_id)
  node.close()
  const category = await post('/v1/categories', { name: `${width}${LONG}`.slice(0, 100) })
  const bytes = new Uint8Array(await landscape(width))
  const file = await sendForm(server, '/v1/upload/single', admin.token, form(['file', bytes, `${LONG}.jpg`]))
  const photo = await post('/v1/photos', {
    title: LONG,
    description: LONG,
    file_id: file.body.data.file_id,
    status: 'published',
    tags: [LONG.slice(0, 50), MARKUP],
    categories: [category.id],
  })
  const hook = { url: `https://example.com/${LONG}`, description: LONG, events: ['task.failed'] }
  const webhook = await post('/v1/webhooks', hook)
  await post('/api/recharge/codes', { amount: 5, description: LONG, batch_size: 1, max_uses: 1 })

  await using visitor = await Visitor.come(server, { user: admin, width })
  const page = await visitor.open()
  const paths = ['/', '/tasks', `/tasks/${task.uuid}`, '/photos/map', `/photos/${photo.id}`]
  for (const path of [...paths, '/webhooks', `/webhooks/${webhook.id}`, '/admin/codes']) {
    await go(page, path)
    await page.locator('#content').getByText('WWW').first().waitFor()
    await settled(page)
    expect({ path, wide: await overflows(page), sticking: await sticking(page) }).toEqual({
      path,
      wide: false,
      sticking: [],
    })
  }
  expect(await page.evaluate('window.isRun')).toBeUndefined()
})
