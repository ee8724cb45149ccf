import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { endSession } from '../../src/core/accounts/sessions.ts'
import { SERVER } from '../../src/core/audit/audit.ts'
import { taskTopic } from '../../src/core/tasks/progress.ts'
import { makeNode, makeTask, makeUser } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { startServer } from '../support/server.ts'
import { hello, openLive, TestSocket } from '../support/sockets.ts'
import { StalledSocket } from '../support/stalled-socket.ts'

/** Like the server's timing, but quicker. */
const keepAlive = { pingMs: 250, silenceMs: 1500, checkMs: 50, probeMs: 500 }
const server = await startServer({}, { keepAlive })
/** So slow that the server never finds a silent socket within a test. */
const patient = await startServer({}, { keepAlive: { ...keepAlive, pingMs: 600_000, silenceMs: 1_200_000 } })
afterAll(() => Promise.all([server.stop(), patient.stop()]))

const socketsOf = ({ ctx }: typeof server, userId: number) =>
  [...ctx.live.hub.all()].filter(({ signedIn }) => signedIn?.principal.userId === userId)

/** A socket that is signed in and silent: it does not answer pings. */
async function openFrozen(on: typeof server, token: string): Promise<StalledSocket> {
  const socket = new StalledSocket(`${on.wsUrl}/ws/connect?token=${token}`)
  await socket.until(1)
  return socket
}

test('a socket that answers nothing is closed and counts no more; one that answers pings stays', async () => {
  const owner = await makeUser(server)
  const live = await openLive(server, owner.token)
  const frozen = await openFrozen(server, owner.token)
  expect(socketsOf(server, owner.user.id)).toHaveLength(2)
  await eventually(() => socketsOf(server, owner.user.id).length === 1, 'the end of the frozen socket')
  const [left] = socketsOf(server, owner.user.id)
  const openFor = () => performance.now() - left!.openedAt
  await eventually(() => openFor() > 2 * keepAlive.silenceMs, 'some time')
  live.send({ type: 'ping' })
  await live.next('pong')
  expect(live.closed).toBeUndefined()
  frozen.close()
  live.close()
})

test('a node that answers nothing loses its socket', async () => {
  const { token } = await makeNode(server)
  const gone = Promise.withResolvers<void>()
  const frozen = new RawWebSocket(`${server.wsUrl}/ws/node?token=${token}`, {
    opened: () => frozen.send(hello()),
    text: () => frozen.pause(),
    closed: () => gone.resolve(),
  })
  const { open } = server.ctx.live.nodeSockets
  await eventually(() => open.size === 1, 'the socket')
  await eventually(() => open.size === 0, 'its end', 8000)
  frozen.resume()
  await gone.promise
})

describe('a user who is at the limit of sockets', () => {
  test('gets a new one in place of one that does not answer, however short its silence', async () => {
    const owner = await makeUser(patient)
    const frozen = [await openFrozen(patient, owner.token), await openFrozen(patient, owner.token)]
    const others = await Promise.all(Array.from({ length: 18 }, () => openLive(patient, owner.token)))
    const fresh = await Promise.all([openLive(patient, owner.token), openLive(patient, owner.token)])
    for (const socket of fresh) expect(socket.frames[0]?.type).toBe('welcome')
    expect(socketsOf(patient, owner.user.id)).toHaveLength(20)
    for (const socket of [...others, ...fresh]) {
      socket.send({ type: 'ping' })
      await socket.next('pong')
    }
    const extra = await openLive(patient, owner.token)
    expect((await extra.closing()).code).toBe(4409)
    for (const socket of [...frozen, ...others, ...fresh]) socket.close()
  })

  test('is not let in with a session that ends while the others are asked', async () => {
    const owner = await makeUser(patient)
    const frozen = await Promise.all(Array.from({ length: 20 }, () => openFrozen(patient, owner.token)))
    const late = await TestSocket.open(`${patient.wsUrl}/ws/connect?token=${owner.token}`)
    await eventually(() => socketsOf(patient, owner.user.id).length === 21, 'the socket that waits')
    const { ctx } = patient
    const { hub } = ctx.live
    const { sessionId } = socketsOf(patient, owner.user.id)[0]!.signedIn!.principal
    await endSession(ctx, SERVER, owner.user.id, sessionId, 'signed_out')
    expect((await late.closing()).code).toBe(4403)
    await eventually(() => socketsOf(patient, owner.user.id).length === 0, 'the end of all')
    expect([...hub.all()].filter(({ closed }) => closed)).toEqual([])
    for (const socket of frozen) socket.close()
  })
})

describe('a socket that closes while the server works for it', () => {
  test('does not count when it was its token that was checked', async () => {
    const owner = await makeUser(patient)
    const { ctx } = patient
    const { hub } = ctx.live
    const gate = Promise.withResolvers<void>()
    const load = ctx.services.principals.load.bind(ctx.services.principals)
    const spy = spyOn(ctx.services.principals, 'load').mockImplementation(async (id) => {
      await gate.promise
      return load(id)
    })
    try {
      const before = [...hub.all()].length
      const sockets = await Promise.all(
        Array.from({ length: 20 }, () => TestSocket.open(`${patient.wsUrl}/ws/connect`)),
      )
      for (const socket of sockets) socket.send({ type: 'auth', token: owner.token })
      await eventually(() => spy.mock.calls.length === 20, 'the checks')
      for (const socket of sockets) socket.close()
      await eventually(() => [...hub.all()].length === before, 'their ends')
    } finally {
      gate.resolve()
      spy.mockRestore()
    }
    const fresh = await Promise.all(Array.from({ length: 20 }, () => openLive(patient, owner.token)))
    for (const socket of fresh) expect(socket.frames[0]?.type).toBe('welcome')
    for (const socket of fresh) socket.close()
  })

  test('watches nothing when it was a topic that was opened', async () => {
    const owner = await makeUser(patient)
    const task = await makeTask(patient, owner)
    const { hub } = patient.ctx.live
    const live = await openLive(patient, owner.token)
    const connection = socketsOf(patient, owner.user.id)[0]!
    const watch = spyOn(hub.watches, 'add')
    connection.message(undefined, JSON.stringify({ type: 'subscribe', topic: `task:${task.id}` }))
    connection.message(undefined, JSON.stringify({ type: 'subscribe_task', task_id: task.id }))
    // The server handles the frame after some turns; its query takes longer.
    for (let i = 0; i < 10; i++) await Promise.resolve()
    connection.close()
    // biome-ignore lint/complexity/useLiteralKeys: private
    await connection['handling']
    expect(watch.mock.calls.filter(([one]) => one.topic.key === taskTopic(task.uuid))).toEqual([])
    watch.mockRestore()
    live.close()
  })
})
