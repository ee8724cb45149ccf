/** Protects the limits on sockets that have not signed in. */
import { afterAll, expect, test } from 'bun:test'
import { MAX_STRANGERS, MAX_STRANGERS_PER_ADDRESS, Strangers } from '../../../src/live/user/strangers.ts'
import { makeUser } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'
import { openLive, TestSocket } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())

const open = () => TestSocket.open(`${server.wsUrl}/ws/connect`)

test('are ended by new ones of the same address, the oldest first; a socket that signs in stays', async () => {
  const owner = await makeUser(server)
  const live = await openLive(server, owner.token)
  const strangers: TestSocket[] = []
  for (let i = 0; i < MAX_STRANGERS_PER_ADDRESS; i++) strangers.push(await open())
  const fresh = await open()
  expect((await strangers[0]!.closing()).code).toBe(4408)
  fresh.send({ type: 'auth', token: owner.token })
  await fresh.next('welcome')
  const last = await open()
  await eventually(
    () => [...server.ctx.live.hub.all()].length === MAX_STRANGERS_PER_ADDRESS + 2,
    'all are open',
  )
  expect(strangers.slice(1).filter(({ closed }) => closed)).toEqual([])
  for (const socket of [live, fresh]) {
    socket.send({ type: 'ping' })
    await socket.next('pong')
  }
  for (const socket of [live, fresh, last, ...strangers]) socket.close()
})

test('may send small frames only', async () => {
  const { token } = await makeUser(server)
  const padded = { type: 'auth', token, id: 'x'.repeat(8000) }
  const stranger = await open()
  stranger.send(padded)
  expect((await stranger.closing()).code).toBe(4413)
  const live = await openLive(server, token)
  live.send(padded)
  await live.send({ type: 'ping', id: 1 })
  await live.next('pong')
  live.close()
})

test('of many addresses are limited together, at the cost of the address that has the most', () => {
  const strangers = new Strangers()
  const ended: string[] = []
  const add = (address: string, name: string) => {
    const socket = { endAsStranger: () => void ended.push(name) }
    strangers.add(socket, address)
    return socket
  }
  const others = Array.from({ length: MAX_STRANGERS - 3 }, (_, i) =>
    add(`10.0.0.${i % 250}.${i}`, `other ${i}`),
  )
  for (let i = 0; i < 3; i++) add('10.9.9.9', `many ${i}`)
  add('10.8.8.8', 'new')
  expect(ended).toEqual(['many 0'])
  strangers.delete(others[0]!)
  add('10.7.7.7', 'newer')
  expect(ended).toEqual(['many 0'])
  add('10.6.6.6', 'newest')
  expect(ended).toEqual(['many 0', 'many 1'])
})
