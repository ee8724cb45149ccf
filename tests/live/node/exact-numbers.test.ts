import { afterAll, expect, test } from 'bun:test'
import { makeNode, makeUser, unique } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'
import { hello } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())

/** A socket that keeps frames as text, because JSON.parse would round their numbers. */
async function listen(path: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(server.wsUrl + path, { headers } as unknown as string[])
  const texts: string[] = []
  socket.onmessage = ({ data }) => texts.push(String(data))
  await new Promise((resolve) => {
    socket.onopen = resolve
  })
  const frame = (type: string) =>
    eventually(() => texts.find((text) => text.startsWith(`{"type":"${type}"`)), `a frame ${type}`)
  return { socket, frame }
}

async function ask(token: string, method: string, path: string, body?: string) {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body }),
  })
  return { status: response.status, text: await response.text() }
}

test('a whole number reaches the node as it was sent, and its result comes back so, everywhere', async () => {
  const { token } = await makeUser(server)
  const type = unique('type_')
  const config =
    '{"seed":1970670598291982290,"list":[-9007199254740993,{"id":18446744073709551615}],"lr":1e+30,"n":1000000000000000000000}'
  const created = await ask(
    token,
    'POST',
    '/api/tasks',
    `{"title":"exact","task_type":"${type}","config":${config}}`,
  )
  expect(created.status).toBe(201)
  expect(created.text).toContain(`"config":${config}`)
  const { id, data } = JSON.parse(created.text)

  const live = await listen(`/ws/connect?token=${token}`)
  await live.frame('welcome')
  const node = await listen('/ws/node', { authorization: `Bearer ${(await makeNode(server)).token}` })
  node.socket.send(JSON.stringify(hello({ taskTypes: [type] })))
  expect(await node.frame('assign')).toContain(`"config":${config}`)

  const result = '{"checkpoint":12345678901234567891234567890,"sum":[-1970670598291982291],"loss":0.1}'
  const lease = `"task_id":"${data.id}","attempt":1`
  node.socket.send(`{"type":"accept",${lease}}`)
  node.socket.send(`{"type":"completed",${lease},"result":${result}}`)
  await node.frame('ack')
  expect(await live.frame('task.completed')).toContain(`"result":${result}`)
  for (const path of [`/api/tasks/${id}`, '/api/tasks']) {
    const shown = await ask(token, 'GET', path)
    expect(shown.text).toContain(`"config":${config}`)
    expect(shown.text).toContain(`"result":${result}`)
  }
  live.socket.close()
  node.socket.close()
})

test('a number that cannot be kept is refused, and so is a whole one where a small one belongs', async () => {
  const { token } = await makeUser(server)
  const post = (members: string) =>
    ask(token, 'POST', '/api/tasks', `{"title":"x","task_type":"test",${members}}`)
  for (const number of ['1e400', '-1e999', '7'.repeat(5000)]) {
    const answer = await post(`"config":{"deep":[${number}]}`)
    expect(answer.status).toBe(422)
    expect(JSON.parse(answer.text).error_code).toBe('VALIDATION_ERROR')
  }
  const answer = await post('"priority":1970670598291982290')
  expect(answer.status).toBe(422)
  expect(JSON.parse(answer.text).details).toHaveProperty('field_errors.priority')
})

test('a result with a number that cannot be kept is not lost for it', async () => {
  const { token } = await makeUser(server)
  const type = unique('type_')
  const created = await ask(token, 'POST', '/api/tasks', `{"title":"x","task_type":"${type}"}`)
  const node = await listen('/ws/node', { authorization: `Bearer ${(await makeNode(server)).token}` })
  node.socket.send(JSON.stringify(hello({ taskTypes: [type] })))
  await node.frame('assign')
  const { id, data } = JSON.parse(created.text)
  const lease = `"task_id":"${data.id}","attempt":1`
  node.socket.send(
    `{"type":"completed",${lease},"result":{"loss":1e400,"huge":${'8'.repeat(140_000)},"ok":1}}`,
  )
  await node.frame('ack')
  expect((await ask(token, 'GET', `/api/tasks/${id}`)).text).toContain(
    '"result":{"loss":null,"huge":null,"ok":1}',
  )
  node.socket.close()
})

test('an id of a client is repeated as it was written', async () => {
  const { token } = await makeUser(server)
  const { socket, frame } = await listen('/ws/connect', { authorization: `Bearer ${token}` })
  await frame('welcome')
  const id = '1970670598291982290'
  socket.send(`{"type":"ping","id":${id}}`)
  expect(await frame('pong')).toBe(`{"type":"pong","cursor":"${server.ctx.epoch}.0","id":${id}}`)
  socket.send(`{"type":"subscribe_task","task_id":${id},"id":-${id}}`)
  expect(await frame('error')).toEndWith(`"task_id":${id},"id":-${id}}`)
  socket.close()
})
