/** How a server works, live: docs/protocol.md, chapter 1. */
import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { Watches } from '../../../src/live/user/watches.ts'
import { api } from '../../support/api.ts'
import { makeNode, makeTask, makeUser, type TestUser } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import { type Frame, openLive, openNode } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())
const topic = 'system:overview'

async function watching({ token }: TestUser) {
  const live = await openLive(server, token)
  live.send({ type: 'subscribe', topic })
  return live
}

describe('an administrator who watches', () => {
  test('sees the sockets, totals, queues and parts, and what has changed two seconds later', async () => {
    const admin = await makeUser(server, { role: 'admin' })
    const node = await openNode(server, (await makeNode(server)).token)
    const live = await watching(admin)
    const { data: first } = await live.next('system_update')
    expect(first).toMatchObject({
      sockets: { user: 1, stranger: 0, node: 1 },
      jobs: { dead: 0 },
      gpu_tasks: { waiting: 0, leased: 0 },
      nodes: { online: 1, draining: 0, offline: 0 },
      parts: ['database', 'bus', 'storage', 'mail'].map((name) => ({ name, healthy: true })),
    })
    expect(first.server).toEndWith(`:${process.pid}`)
    expect(Date.parse(first.started_at)).toBeLessThan(Date.parse(first.at))
    expect(first.memory_bytes).toBeGreaterThan(10_000_000)
    await makeTask(server, admin)
    await api(server, 'GET', '/api/tasks', { token: admin.token })
    const { data: next } = await live.next('system_update', ({ data }) => data.at > first.at)
    const grown = (name: string) => next.totals[name] - first.totals[name]
    expect([grown('events_appended'), grown('events_delivered')]).toEqual([1, 1])
    expect(grown('requests')).toBeGreaterThan(0)
    expect(grown('states_sent')).toBeGreaterThan(0)
    expect(next.started_at).toBe(first.started_at)
    expect(next.cpu_seconds).toBeGreaterThan(first.cpu_seconds)
    live.close()
    node.close()
  })

  test('shares one reading with others, whatever asks for it', async () => {
    const { gauges } = server.ctx.services
    const reading = spyOn(gauges, 'refresh')
    const sockets = await Promise.all(
      [1, 2, 3].map(async () => watching(await makeUser(server, { role: 'admin' }))),
    )
    const frames = await Promise.all(sockets.map((live) => live.next('system_update')))
    expect(new Set(frames.map(({ data }: Frame) => data.at)).size).toBeLessThanOrEqual(2)
    expect(reading.mock.calls.length).toBeLessThanOrEqual(2)
    reading.mockRestore()
    for (const live of sockets) live.close()
  })

  test('sees null and nothing in place of what cannot be read', async () => {
    const { gauges } = server.ctx.services
    const now = await gauges.overview()
    const read = spyOn(gauges, 'overview').mockResolvedValue({
      ...now,
      jobs: undefined,
      gpuTasks: undefined,
      nodes: undefined,
      parts: [],
    })
    const live = await watching(await makeUser(server, { role: 'admin' }))
    const { data } = await live.next('system_update')
    expect(data).toMatchObject({ jobs: null, gpu_tasks: null, nodes: null, parts: [] })
    read.mockRestore()
    live.close()
  })

  test('stops seeing it when the role ends, and so with the log', async () => {
    const admin = await makeUser(server, { role: 'admin' })
    const root = await makeUser(server, { role: 'super_admin' })
    const live = await watching(admin)
    live.send({ type: 'subscribe', topic: 'system:log' })
    await live.next('subscribed', (frame) => frame.topic === 'system:log')
    const body = { role: 'user' }
    const path = `/api/admin/users/${admin.user.id}`
    expect((await api(server, 'PUT', path, { token: root.token, body })).status).toBe(200)
    for (const ended of [topic, 'system:log'])
      await live.next('unsubscribed', (frame) => frame.topic === ended)
    live.close()
  })
})

test.each(['user', 'editor'] as const)('a user whose role is %s is refused', async (role) => {
  const live = await watching(await makeUser(server, { role }))
  expect(await live.next('error')).toMatchObject({ code: 'NOT_FOUND', topic })
  live.close()
})

test('nothing is read while nobody watches, and the timer ends with the server', () => {
  const read = spyOn(server.ctx.services.gauges, 'overview')
  const start = spyOn(globalThis, 'setInterval')
  const stop = spyOn(globalThis, 'clearInterval')
  const watches = new Watches(server.ctx)
  const timers = start.mock.results.map(({ value }) => value)
  for (const [tick] of start.mock.calls) (tick as () => void)()
  watches.close()
  const stopped = stop.mock.calls.map(([timer]) => timer as unknown)
  expect(timers.length).toBe(1)
  expect(stopped).toContain(timers[0])
  expect(read).not.toHaveBeenCalled()
  for (const spy of [read, start, stop]) spy.mockRestore()
})
