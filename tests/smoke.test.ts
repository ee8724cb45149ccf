import { afterAll, expect, test } from 'bun:test'
import { api } from '/work/team/webhooks/tests/support/api.ts'
import { makeTask, makeUser } from '/work/team/webhooks/tests/support/factories.ts'
import { Receiver, signatureOf } from '/work/team/webhooks/tests/support/receiver.ts'
import { startServer, query } from '/work/team/webhooks/tests/support/server.ts'
import { sql } from 'drizzle-orm'
const server = await startServer({ ALLOW_PRIVATE_EGRESS: '1', LOG_LEVEL: 'info' })
const receiver = new Receiver()
afterAll(async () => { await server.stop(); await receiver.stop() })
test('smoke', async () => {
  const user = await makeUser(server)
  const made = await api(server, 'POST', '/v1/webhooks', { token: user.token, body: { url: receiver.url, events: ['task.created'] } })
  console.log(made.status, JSON.stringify(made.body))
  await makeTask(server, user)
  const [one] = await receiver.wait()
  console.log(one!.text, one!.headers)
  expect(signatureOf(one!, made.body.data.secret)).toBe(one!.body.signature)
  await Bun.sleep(100)
  const list = await api(server, 'GET', `/v1/webhooks/${made.body.data.id}/deliveries`, { token: user.token })
  console.log(JSON.stringify(list.body, null, 1))
  const t = await api(server, 'POST', `/v1/webhooks/${made.body.data.id}/test`, { token: user.token })
  console.log(t.status, t.text)
  console.log(await query(server, sql`select * from webhooks`))
})
