/** The agent's chat, with a language model whose words come when the test says so. */
import { afterAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { api } from '../support/api.ts'
import { makeTask, makeUser } from '../support/factories.ts'
import { lastUserText, ModelServer, type Piece } from '../support/model-server.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { overflows, screenshot, seriousFindings, untilStatus, Visitor } from './browser.ts'

/** What the model waits for, by the name that the question has. */
const gates = new Map<string, PromiseWithResolvers<void>>()
const gate = (name: string) => gates.getOrInsertComputed(name, () => Promise.withResolvers<void>())
const until = (name: string): Piece => ({ until: () => gate(name).promise })
const open = (name: string) => gate(name).resolve()

const model = new ModelServer((request): Piece[] => {
  const asked = lastUserText(request)
  if (request.messages.at(-1)!.role === 'tool') return ['It is done.']
  const cancel = /^cancel (\d+)/.exec(asked)
  if (cancel) return [{ tool: 'cancel_task', input: { task_id: Number(cancel[1]) } }]
  if (asked === 'tell') {
    return [
      'Once upon',
      until('away'),
      ' a ti',
      until('middle'),
      'me there was a **river**',
      until('end'),
      '.',
    ]
  }
  if (asked === 'table')
    return [`| Task | ${'W'.repeat(200)} |\n|---|---|\n| **one** | ![](https://example.com/a.png) |`]
  if (asked === 'count') return ['One, two', until('never')]
  return ['All right.']
})
const server = await startServer(model.env)
afterAll(async () => {
  await server.stop()
  model[Symbol.dispose]()
})

const ask = async (page: Page, text: string) => {
  const message = page.getByRole('textbox', { name: 'Message' })
  await message.fill(text)
  await message.press('Enter')
}
const answer = (page: Page, text: string | RegExp) =>
  page.locator('.answer', { hasText: text }).last().waitFor()

test('an answer comes word by word; who leaves in the middle of a word and comes back misses nothing', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/chat')
  await ask(page, 'tell')
  await answer(page, 'Once upon')
  await page.getByRole('button', { name: 'Stop' }).waitFor()
  const chat = page.url()
  await page.getByRole('link', { name: 'Tasks', exact: true }).click()
  await page.getByText('You have no tasks yet').waitFor()
  open('away')
  await page.goto(chat)
  await answer(page, 'Once upon a ti')
  // A second tab begins in the middle, too.
  const other = await visitor.open(new URL(chat).hash.slice(1))
  await answer(other, 'Once upon a ti')
  open('middle')
  await answer(page, 'Once upon a time there was a river')
  await screenshot(page, 'chat-streaming')
  open('end')
  for (const one of [page, other]) {
    await answer(one, 'Once upon a time there was a river.')
    await one.getByRole('button', { name: 'Send' }).waitFor()
    expect(await one.locator('.answer').allTextContents()).toEqual([
      expect.stringMatching(/^(Agent: )?Once upon a time there was a river\.$/),
    ])
    expect(await one.locator('.answer strong').textContent()).toBe('river')
  }
  await page.reload()
  await answer(page, 'Once upon a time there was a river.')
  expect(await page.locator('.turn').count()).toBe(1)
  expect(await seriousFindings(page)).toEqual([])
})

test('an answer is stopped, and the model with it', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/chat')
  await ask(page, 'count')
  await answer(page, 'One, two')
  await page.getByRole('button', { name: 'Stop' }).click()
  await page.getByText('You have stopped this answer.').waitFor()
  await eventually(() => model.aborted > 0, 'the end of the request to the model')
  await ask(page, 'something else')
  await answer(page, 'All right.')
})

test('the agent asks before it cancels a task: a no leaves it, a yes ends it', async () => {
  const user = await makeUser(server)
  const task = await makeTask(server, user, { title: 'Precious' })
  const status = async () =>
    (await api(server, 'GET', `/api/tasks/${task.uuid}`, { token: user.token })).body.data.status
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/chat')
  await untilStatus(page, 'live')
  await ask(page, `cancel ${task.id}`)
  await page.getByText('Precious').last().waitFor()
  await page.getByRole('button', { name: 'Yes, do it' }).waitFor()
  await screenshot(page, 'chat-question')
  expect(await seriousFindings(page)).toEqual([])
  await page.getByRole('button', { name: 'No', exact: true }).click()
  await page.locator('.turn').nth(1).locator('.answer').waitFor()
  await page.getByRole('button', { name: 'Send' }).waitFor()
  expect(await page.getByRole('button', { name: 'Yes, do it' }).count()).toBe(0)
  expect(await status()).toBe('pending')

  await ask(page, `cancel ${task.id}`)
  await page.getByRole('button', { name: 'Yes, do it' }).click()
  await page.locator('.turn').nth(3).locator('.answer', { hasText: 'It is done.' }).waitFor()
  expect(await status()).toBe('cancelled')
})

test('what was typed and not sent is there again after a look at another page', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/chat')
  await ask(page, 'hello')
  await answer(page, 'All right.')
  const chat = page.url()
  const message = page.getByRole('textbox', { name: 'Message' })
  await message.fill('half a thought')
  await page.getByRole('link', { name: 'New conversation' }).click()
  await page.getByRole('heading', { name: 'What can I do for you?' }).waitFor()
  expect(await message.inputValue()).toBe('')
  await page.getByRole('link', { name: 'Tasks', exact: true }).click()
  await page.getByText('You have no tasks yet').waitFor()
  await page.goto(chat)
  await answer(page, 'All right.')
  expect(await message.inputValue()).toBe('half a thought')
})

test('a table is shown as one, scrolls by itself, and fetches no pictures of others', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user, width: 360 })
  const page = await visitor.open('/chat')
  const fetched: string[] = []
  page.on('request', (request) => fetched.push(new URL(request.url()).hostname))
  await ask(page, 'table')
  const table = page.getByRole('table')
  await table.getByRole('columnheader', { name: 'Task' }).waitFor()
  expect(await table.locator('td strong').textContent()).toBe('one')
  expect(await overflows(page)).toBe(false)
  expect(fetched).not.toContain('example.com')
})
