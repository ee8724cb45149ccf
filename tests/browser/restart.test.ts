/** A server that is killed while a task runs and an answer comes: the page goes on with both. */
import { afterAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { api } from '../support/api.ts'
import { lastUserText, ModelServer, type Piece } from '../support/model-server.ts'
import { NodeProcess, ServerProcess } from '../support/process.ts'
import { untilStatus, Visitor } from './browser.ts'

const model = new ModelServer((request): Piece[] =>
  lastUserText(request) === 'tell' && model.requests.length === 1
    ? ['Once upon a time', { until: () => new Promise(() => {}) }]
    : ['A river came.'],
)
afterAll(() => model[Symbol.dispose]())

const answers = (page: Page) => page.locator('.answer').allTextContents()

test('nothing is lost, and nothing comes twice', async () => {
  await using server = await ServerProcess.start({ ...model.env, NODE_HEARTBEAT_SECONDS: '1' })
  const login = { email: 'admin@example.com', password: 'admin123' }
  const { body } = await api(server, 'POST', '/api/v1/auth/sessions', { body: login })
  const post = async (path: string, input: object) =>
    (await api(server, 'POST', path, { token: body.access_token, body: input })).body.data
  const { node_token } = await post('/api/gpu/servers', {
    name: 'gpu-01',
    host: '127.0.0.1',
    max_concurrent_tasks: 1,
  })
  await using _node = new NodeProcess(server, node_token, 'gpu-01')
  await using visitor = await Visitor.come(server)
  const page = await visitor.signIn({ user: login, password: login.password })
  await untilStatus(page, 'live')

  const config = { duration_seconds: 15, steps: 150 }
  const task = await post('/api/tasks', { title: 'Long', task_type: 'test', config })
  await page.goto(`/#/tasks/${task.id}`)
  await page.getByText('running 150 steps').waitFor()
  const chat = await visitor.open('/chat')
  await chat.getByRole('textbox', { name: 'Message' }).fill('tell')
  await chat.keyboard.press('Enter')
  await chat.locator('.answer', { hasText: 'Once upon a time' }).waitFor()

  await server.kill()
  await page.locator('.light:not([data-status="live"])').waitFor()
  await server.start()
  await untilStatus(page, 'live', 60_000)
  await page.locator('.page-head .badge', { hasText: 'Completed' }).waitFor({ timeout: 60_000 })
  expect(await page.locator('.log-line').allTextContents()).toEqual([
    expect.stringContaining('running 150 steps'),
  ])
  expect(await page.getByText('Attempt').count()).toBe(1)

  await chat.getByText('The server restarted during the answer.').waitFor({ timeout: 60_000 })
  expect(await answers(chat)).toEqual([expect.stringMatching(/Once upon a time$/)])
  await chat.getByRole('button', { name: 'Ask again' }).click()
  await chat.locator('.answer', { hasText: 'A river came.' }).waitFor()
  expect(await answers(chat)).toHaveLength(2)
  await chat.reload()
  await chat.locator('.answer', { hasText: 'A river came.' }).waitFor()
  expect(await answers(chat)).toEqual([
    expect.stringMatching(/Once upon a time$/),
    expect.stringMatching(/A river came\.$/),
  ])
})
