/** What one person does and another one sees: roles, codes, webhooks. */
import { afterAll, expect, test } from 'bun:test'
import { api } from '../support/api.ts'
import { makeNode, makeTask, makeUser } from '../support/factories.ts'
import { Receiver, signatureOf } from '../support/receiver.ts'
import { startServer } from '../support/server.ts'
import { openNode } from '../support/sockets.ts'
import { screenshot, seriousFindings, untilKnown, untilStatus, Visitor } from './browser.ts'

const server = await startServer({ ALLOW_PRIVATE_EGRESS: '1' })
const receiver = new Receiver()
afterAll(async () => {
  await server.stop()
  await receiver.stop()
})

test('an administrator changes the role of a user, whose open page follows', async () => {
  const admin = await makeUser(server, { role: 'super_admin' })
  const user = await makeUser(server)
  await using theirs = await Visitor.come(server, { user })
  const page = await theirs.open('/courses')
  await untilStatus(page, 'live')
  await page.getByRole('heading', { level: 1, name: 'Courses' }).waitFor()
  await untilKnown(page)
  expect(await page.getByRole('button', { name: 'New course' }).count()).toBe(0)

  await using office = await Visitor.come(server, { user: admin })
  const desk = await office.open('/admin/users')
  const give = async (role: string) => {
    const row = desk.getByRole('row', { name: user.user.email })
    await row.getByRole('button', { name: 'Edit' }).click()
    const dialog = desk.getByRole('dialog')
    await dialog.getByLabel('Role').selectOption({ label: role })
    expect(await seriousFindings(desk)).toEqual([])
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    await row.getByRole('cell', { name: role, exact: true }).waitFor()
  }
  await give('Editor')
  await page.getByRole('button', { name: 'New course' }).waitFor()
  await give('Administrator')
  await page.getByRole('link', { name: 'Users' }).click()
  await page.getByRole('row', { name: admin.user.email }).waitFor()
  await give('User')
  await page.getByRole('link', { name: 'Users' }).waitFor({ state: 'detached' })
})

test('a code is redeemed, and the balance moves in the other tab', async () => {
  const admin = await makeUser(server, { role: 'admin' })
  const user = await makeUser(server)
  const { body } = await api(server, 'POST', '/api/recharge/codes', {
    token: admin.token,
    body: { amount: 50, batch_size: 1, max_uses: 1 },
  })
  await using visitor = await Visitor.come(server, { user })
  const other = await visitor.open('/tasks')
  await untilStatus(other, 'live')
  await other.getByTitle('Available balance').filter({ hasText: '¥0.00' }).waitFor()
  const page = await visitor.open('/balance')
  await untilStatus(page, 'live')
  await page.getByLabel('Code').fill('OWL-AAAA-BBBB-CCCC')
  await page.getByRole('button', { name: 'Redeem a code' }).click()
  await page.getByRole('alert').waitFor()
  await page.getByLabel('Code').fill(body.data.codes[0].code)
  await page.getByRole('button', { name: 'Redeem a code' }).click()
  await page.getByText('¥50.00 added to your balance.').waitFor()
  await page.getByRole('table', { name: 'Statement' }).getByText('+¥50.00').waitFor()
  await other.getByTitle('Available balance').filter({ hasText: '¥50.00' }).waitFor()
})

test('a webhook is created, tried, and delivers; a delivery is sent again', async () => {
  const user = await makeUser(server)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/webhooks')
  await untilStatus(page, 'live')
  await page.getByRole('button', { name: 'New webhook' }).click()
  const dialog = page.getByRole('dialog', { name: 'New webhook' })
  await dialog.getByLabel('Address').fill(receiver.url)
  await dialog.getByLabel('Description').fill('My lab')
  for (const name of ['A task is complete', 'A task has failed']) await dialog.getByLabel(name).uncheck()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByText('needs at least 1 item').waitFor()
  await dialog.getByLabel('A task is complete').check()
  await dialog.getByRole('button', { name: 'Save' }).click()
  const secret = page.getByRole('dialog', { name: 'Secret' })
  const key = (await secret.locator('code').textContent())!
  await secret.getByRole('button', { name: 'Close' }).click()
  await page.getByRole('link', { name: 'Open' }).click()
  await page.getByRole('heading', { level: 1, name: receiver.url }).waitFor()
  await page.getByRole('button', { name: 'Send a test' }).click()
  await page.getByText('The receiver answered with 200.').waitFor()
  expect(signatureOf(receiver.received[0]!, key)).toBe(receiver.received[0]!.body.signature)

  const { token } = await makeNode(server)
  const node = await openNode(server, token)
  const { uuid } = await makeTask(server, user)
  const { task_id, attempt } = await node.next('assign', (frame) => frame.task_id === uuid)
  node.send({ type: 'accept', task_id, attempt })
  node.send({ type: 'completed', task_id, attempt, result: {} })
  const isOfTask = ({ body }: { body: { event: string } }) => body.event === 'task.completed'
  await receiver.wait(1, isOfTask)
  const delivered = page.getByRole('row', { name: /A task is complete.*Delivered/ })
  await delivered.waitFor()
  await screenshot(page, 'webhook-delivered')
  expect(await seriousFindings(page)).toEqual([])
  const { promise: answer, resolve: answers } = Promise.withResolvers<Response>()
  receiver.answer = () => answer
  await delivered.getByRole('button', { name: 'Send again' }).click()
  await receiver.wait(2, isOfTask)
  await page.getByRole('row', { name: /A task is complete.*Waiting/ }).waitFor()
  answers(new Response('ok'))
  await delivered.waitFor()
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByRole('dialog').getByLabel('Active', { exact: true }).uncheck()
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByText('Off', { exact: true }).waitFor()
  await page.getByLabel('Status').selectOption({ label: 'Failed' })
  await page.getByText('No delivery fits.').waitFor()
  expect(page.url()).toContain('?status=failed')
  node.close()
})
