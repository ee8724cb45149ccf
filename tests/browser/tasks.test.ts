/** Tasks from the form to their end, on a real node and on one that the test moves. */
import { afterAll, expect, test } from 'bun:test'
import type { Page } from 'playwright-core'
import { listTaskTypes } from '../../src/core/nodes/task-types.ts'
import { makeCourse } from '../support/courses.ts'
import { makeNode, makeTask, makeUser, unique } from '../support/factories.ts'
import { eventually, NodeProcess } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { steeredNode } from '../support/steered-node.ts'
import { screenshot, untilStatus, Visitor } from './browser.ts'

const server = await startServer()
afterAll(() => server.stop())

const state = (page: Page, text: string) => page.locator('.page-head .badge', { hasText: text })
const bar = (page: Page, value: number) =>
  page.locator(`.task-progress [role="progressbar"][aria-valuenow="${value}"]`).first()
const logLines = (page: Page) => page.locator('.log-line').allTextContents()

test('a GPU task is created by the form and runs to its end on a real node', async () => {
  const user = await makeUser(server)
  const { token } = await makeNode(server)
  await using _node = new NodeProcess(server, token, 'gpu-01')
  // The form asks once what there is to choose from.
  const isOffered = async () =>
    (await listTaskTypes(server.ctx)).some(({ name, nodes }) => name === 'test' && nodes > 0)
  await eventually(isOffered, 'the node', 60_000)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/tasks')
  await page.getByRole('link', { name: 'New task' }).first().click()
  await page.getByLabel('What it runs').selectOption('test')
  await page.getByLabel('Title').fill('Made by the form')
  await page.getByLabel('Seconds that it takes').fill('3')
  await page.getByLabel('Steps').fill('6')
  await page.getByRole('button', { name: 'Create the task' }).click()
  await page.getByRole('heading', { level: 1, name: 'Made by the form' }).waitFor()
  await state(page, 'Completed').waitFor({ timeout: 60_000 })
  await bar(page, 100).waitFor()
  await page.getByRole('region', { name: 'Result' }).getByText('"steps": 6').waitFor()
  await page.getByText('running 6 steps in 3 seconds').waitFor()
  expect(await logLines(page)).toHaveLength(1)
  await screenshot(page, 'task-completed')
})

test('progress moves, and log lines appear in order, each once, also after a reload', async () => {
  const type = unique('type_')
  const user = await makeUser(server)
  using node = await steeredNode(server, { taskTypes: [type] })
  const { uuid } = await makeTask(server, user, { taskType: type })
  const { send } = await node.take(uuid)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open(`/tasks/${uuid}`)
  await state(page, 'Running').waitFor()
  const log = (n: number) => send('log', { level: 'INFO', message: `line ${n}.` })
  for (const [n, progress] of [20, 45, 70].entries()) {
    send('progress', { progress, current_item: `at ${progress}` })
    log(2 * n)
    log(2 * n + 1)
    await bar(page, progress).waitFor()
    await page.getByText(`at ${progress}`).waitFor()
    await page.getByText(`line ${2 * n + 1}.`).waitFor()
  }
  await page.reload()
  await page.getByText('line 0.').waitFor()
  log(6)
  send('completed', { result: { answer: 42 } })
  await state(page, 'Completed').waitFor()
  await page.getByText('line 6.').waitFor()
  const numbers = (await logLines(page)).map((line) => Number(/line (\d)/.exec(line)![1]))
  expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6])
  await page.getByText('"answer": 42').waitFor()
})

test('a log that could not be fetched is fetched by another try, and goes on', async () => {
  const type = unique('type_')
  const user = await makeUser(server)
  using node = await steeredNode(server, { taskTypes: [type] })
  const { uuid } = await makeTask(server, user, { taskType: type })
  const { send } = await node.take(uuid)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/tasks')
  await page.route(/\/tasks\/[^/]+\/logs/, (route) => route.abort())
  await page.goto(`/#/tasks/${uuid}`)
  await page.getByText('The server cannot be reached').waitFor()
  await page.unrouteAll()
  send('log', { level: 'INFO', message: 'line 0.' })
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('line 0.').waitFor()
  send('log', { level: 'INFO', message: 'line 1.' })
  await page.getByText('line 1.').waitFor()
  expect(await page.getByText('The server cannot be reached').count()).toBe(0)
  expect(await logLines(page)).toHaveLength(2)
})

test('a task that runs is cancelled after a question, run again, and deleted', async () => {
  const type = unique('type_')
  const user = await makeUser(server)
  using node = await steeredNode(server, { taskTypes: [type] })
  const { uuid } = await makeTask(server, user, { taskType: type })
  const first = await node.take(uuid)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open(`/tasks/${uuid}`)
  await state(page, 'Running').waitFor()

  await page.getByRole('button', { name: 'Cancel' }).click()
  const question = page.getByRole('dialog', { name: 'Cancel this task?' })
  await question.getByRole('button', { name: 'Cancel', exact: true }).click()
  await question.waitFor({ state: 'detached' })
  await state(page, 'Running').waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await question.getByRole('button', { name: 'Cancel the task' }).click()
  await state(page, 'Cancelled').waitFor()
  await node.socket.next('cancel', ({ task_id }) => task_id === uuid)

  await page.getByRole('button', { name: 'Run again' }).click()
  const second = await node.take(uuid, first.attempt + 1)
  await state(page, 'Running').waitFor()
  second.send('failed', { error: 'no space left', exit_code: 3 })
  await state(page, 'Failed').waitFor()
  await page.getByText('no space left').first().waitFor()

  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('heading', { level: 1, name: 'Tasks' }).waitFor()
  await page.getByText('You have no tasks yet').waitFor()
})

test('an administrator sees what becomes of a task of another user', async () => {
  const type = unique('type_')
  const [user, admin] = [await makeUser(server), await makeUser(server, { role: 'admin' })]
  using node = await steeredNode(server, { taskTypes: [type] })
  await using visitor = await Visitor.come(server, { user: admin })
  const { uuid } = await makeTask(server, user, { taskType: type })
  const page = await visitor.open(`/tasks/${uuid}`)
  const { send } = await node.take(uuid)
  await state(page, 'Running').waitFor()
  send('completed', { result: { answer: 42 } })
  await state(page, 'Completed').waitFor()
  await page.getByText('"answer": 42').waitFor()
})

test('study tasks: paused, resumed and cancelled; and played to the end', async () => {
  const editor = await makeUser(server, { role: 'editor' })
  const user = await makeUser(server)
  const long = await makeCourse(server, editor, [{ title: 'Long lesson', durationSeconds: 36_000 }])
  const short = await makeCourse(server, editor, [{ title: 'Short lesson', durationSeconds: 20 }])
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open()
  const create = async (title: string, course: string, speed: number) => {
    await page.goto('/#/tasks/new?kind=study')
    await page.getByLabel('Title').fill(title)
    await page.getByLabel(course).check()
    await page.getByLabel('Speed').fill(String(speed))
    await page.getByRole('button', { name: 'Create the task' }).click()
    await page.getByRole('heading', { level: 1, name: title }).waitFor()
  }
  await create('Study at night', long.name, 1)
  await state(page, 'Running').waitFor()
  await page.getByText('Long lesson').first().waitFor()
  await page.getByRole('button', { name: 'Pause' }).click()
  await state(page, 'Paused').waitFor()
  await page.getByRole('button', { name: 'Resume' }).click()
  await state(page, 'Running').waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Cancel the task' }).click()
  await state(page, 'Cancelled').waitFor()

  await create('Study at noon', short.name, 100)
  await state(page, 'Completed').waitFor()
  await bar(page, 100).waitFor()
})

test('the form keeps a configuration while the name of another type is typed', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/tasks/new')
  await page.getByLabel('What it runs').selectOption({ label: 'Another type…' })
  await page.getByLabel('Configuration as JSON').fill('{"n": 12345678901234567890}')
  await page.getByLabel('Name of the type').pressSequentially('render')
  await page.getByLabel('Title').fill('By hand')
  await page.getByRole('button', { name: 'Create the task' }).click()
  await page.getByRole('heading', { level: 1, name: 'By hand' }).waitFor()
  await page.getByText('"n": 12345678901234567890').waitFor()
  await page.getByText('offers the type “render”').waitFor()
})

test('an address behind the end of a list shows its last page', async () => {
  const user = await makeUser(server)
  for (let n = 0; n < 2; n++) await makeTask(server, user, { title: `Task ${n}` })
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/tasks?page=5')
  await page.getByRole('link', { name: 'Task 1' }).waitFor()
  expect(page.url()).toEndWith('#/tasks')
})

test('the overview begins with the newest events, and goes on with those that come', async () => {
  const user = await makeUser(server)
  for (let n = 0; n < 13; n++) await makeTask(server, user, { title: `early ${n}.` })
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/')
  const events = page.getByRole('list', { name: 'What happens' }).getByRole('listitem')
  await events.filter({ hasText: 'early 12.' }).waitFor()
  await makeTask(server, user, { title: 'late' })
  await events.filter({ hasText: 'late' }).waitFor()
  const titles = (await events.allTextContents()).map((text) => /early \d+|late/.exec(text)![0])
  expect(titles).toEqual(['late', ...Array.from({ length: 11 }, (_, n) => `early ${12 - n}`)])
})

test('without a mouse: sign in, go to the tasks, create one', async () => {
  const user = await makeUser(server)
  // The form begins with the type that a node offers.
  using _node = await steeredNode(server)
  await using visitor = await Visitor.come(server)
  const page = await visitor.open('/')
  const focused = () => page.locator(':focus')
  /** Presses Tab until the focus is on what is wanted. */
  const tabTo = async (
    name: string | RegExp,
    role: 'button' | 'link' | 'textbox' | 'combobox' = 'button',
  ) => {
    const wanted = page.getByRole(role, { name }).first()
    for (let n = 0; n < 60; n++) {
      await page.keyboard.press('Tab')
      if (await wanted.evaluate((element) => element === element.ownerDocument.activeElement)) return
    }
    throw new Error(
      `Tab does not reach ${name}; the focus is on ${await focused().evaluate((one) => one.outerHTML)}`,
    )
  }
  await page.getByLabel('Email or username').waitFor()
  await tabTo('Email or username', 'textbox')
  await page.keyboard.type(user.user.email)
  await page.keyboard.press('Tab')
  await page.keyboard.type(user.password)
  await page.keyboard.press('Enter')
  await untilStatus(page, 'live')

  await page.getByRole('heading', { level: 1 }).waitFor()
  await tabTo('Tasks', 'link')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Tasks' }).waitFor()
  await page.getByText('You have no tasks yet').waitFor()
  // The new page begins at its heading.
  await page.locator('h1:focus', { hasText: 'Tasks' }).waitFor()
  await tabTo('New task', 'link')
  await page.keyboard.press('Enter')
  await page.getByLabel('Title').waitFor()
  await page.locator('h1:focus', { hasText: 'New task' }).waitFor()
  await tabTo('Title', 'textbox')
  await page.keyboard.type('By keyboard')
  await tabTo('Create the task')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'By keyboard' }).waitFor()
})
