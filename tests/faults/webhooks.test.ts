/** Protects docs/contracts/portfolio.md, "Webhooks": what was committed is delivered at least once, also after a `kill -9`. */
import { expect, test } from 'bun:test'
import { ServerProcess } from '../support/process.ts'
import { Receiver, signatureOf } from '../support/receiver.ts'
import { must, register } from './client.ts'
import { openParts } from './parts.ts'

test('a server that is killed between changes and their deliveries', async () => {
  await using stack = new AsyncDisposableStack()
  const parts = stack.use(await openParts('embedded'))
  const env = { ...parts.env, ALLOW_PRIVATE_EGRESS: '1', WEBHOOK_TIMEOUT_SECONDS: '5' }
  const server = stack.use(await ServerProcess.start(env))
  const receiver = new Receiver()
  stack.defer(() => receiver.stop())
  receiver.answer = () => new Promise<Response>(() => {})
  const owner = await register(server.url)
  const body = { url: receiver.url, events: ['task.created'] }
  const made = await must(server.url, 'POST', '/v1/webhooks', { token: owner.token, body })
  const { secret } = made.body.data
  const create = (n: number) =>
    must(server.url, 'POST', '/api/tasks', {
      token: owner.token,
      body: { title: `task ${n}`, task_type: 'test' },
    })
  const tasks = await Promise.all(Array.from({ length: 12 }, (_, n) => create(n)))
  // Some attempts have begun, the others have not.
  const [begun] = await receiver.wait()
  await server.kill()
  receiver.answer = () => new Response('ok')
  receiver.received.length = 0
  await server.restart()
  const ids = new Set<string>(tasks.map((task) => task.body.data.id))
  const arrived = (one: { body: { data: { task_id: string } } }) => ids.has(one.body.data.task_id)
  const seen = new Map<string, string>()
  for (let count = 1; seen.size < ids.size; count++) {
    for (const one of await receiver.wait(count, arrived)) {
      expect(one.body.signature).toBe(signatureOf(one, secret))
      seen.set(one.body.data.task_id, one.headers['webhook-id']!)
    }
  }
  expect(new Set(seen.values()).size).toBe(ids.size)
  expect(seen.get(begun!.body.data.task_id)).toBe(begun!.headers['webhook-id']!)
})
