import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { appendEvents } from '../../../src/core/channel/log.ts'
import { taskTopic } from '../../../src/core/tasks/progress.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { api } from '../../support/api.ts'
import { makeTask, makeUser, type TestUser } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import { openLive, TestSocket } from '../../support/sockets.ts'
import { StalledSocket } from '../../support/stalled-socket.ts'

const server = await startServer()
afterAll(() => server.stop())
// This socket opens first and is checked last: it has ten seconds.
const silent = await TestSocket.open(`${server.wsUrl}/ws/connect`)

const { ctx } = server

async function emitMany(owner: TestUser, count: number, bytes: number): Promise<void> {
  for (let i = 0; i < count; i += 50) {
    await transaction(ctx, async (tx) => {
      for (let n = i; n < Math.min(i + 50, count); n++) {
        tx.emit(owner.user.id, 'user.updated', { fields: [String(n), 'x'.repeat(bytes)] })
      }
    })
  }
}

describe('frames that do not fit', () => {
  test.each([
    ['text that is not JSON', 'not json', 4400],
    ['JSON without a type', '[1,2]', 4400],
    ['a frame of more than 16 KB', JSON.stringify({ type: 'ping', id: 'x'.repeat(17_000) }), 4413],
    ['a frame of nearly 1 MB', 'x'.repeat(1_000_000), 4413],
    ['a frame of more than 1 MB', 'x'.repeat(1_100_000), 1009],
  ])('%s closes the socket with its code', async (_, text, code) => {
    const live = await openLive(server, (await makeUser(server)).token)
    live.send(text)
    expect((await live.closing()).code).toBe(code)
  })

  test('an unknown type and a wrong field are answered, and the socket goes on', async () => {
    const live = await openLive(server, (await makeUser(server)).token)
    live.send({ type: 'dance' })
    live.send({ type: 'subscribe_task', task_id: { evil: true } })
    await live.until((frames) =>
      frames.filter((f) => f.code === 'BAD_FRAME').length === 2 ? true : undefined,
    )
    live.send({ type: 'ping' })
    await live.next('pong')
    live.close()
  })

  test('a flood closes with 4429', async () => {
    const live = await openLive(server, (await makeUser(server)).token)
    for (let i = 0; i < 400; i++) live.send({ type: 'ping' })
    expect((await live.closing()).code).toBe(4429)
  })
})

describe('who may watch what', () => {
  test('somebody else’s task does not exist; an administrator may watch it', async () => {
    const owner = await makeUser(server)
    const task = await makeTask(server, owner)
    const stranger = await openLive(server, (await makeUser(server)).token)
    stranger.send({ type: 'subscribe', topic: `task:${task.uuid}` })
    stranger.send({ type: 'subscribe_task', task_id: task.id })
    stranger.send({ type: 'subscribe', topic: 'nothing:1' })
    await stranger.until((frames) =>
      frames.filter((f) => f.type === 'error').length === 3 ? true : undefined,
    )
    expect(stranger.frames.filter((f) => f.type === 'error').map((f) => f.code)).toEqual([
      'NOT_FOUND',
      'NOT_FOUND',
      'UNKNOWN_TOPIC',
    ])
    expect(stranger.frames.some((f) => f.type === 'task_update')).toBe(false)
    const admin = await openLive(server, (await makeUser(server, { role: 'admin' })).token)
    admin.send({ type: 'subscribe_task', task_id: task.uuid })
    // The id comes back as the client wrote it. A task without progress has zeros, never null.
    expect(await admin.next('task_update')).toEqual({
      type: 'task_update',
      task_id: task.uuid,
      data: { progress: 0, current_item: '', item_progress: 0, item_current_time: 0, item_total_time: 0 },
    })
    stranger.close()
    admin.close()
  })
})

describe('a role that is taken away', () => {
  test('ends what only it allowed to watch; the socket and its own topics stay', async () => {
    const owner = await makeUser(server)
    const admin = await makeUser(server, { role: 'admin' })
    const above = await makeUser(server, { role: 'super_admin' })
    const [theirs, own] = [await makeTask(server, owner), await makeTask(server, admin)]
    const live = await openLive(server, admin.token, { topics: 'gpu:cluster' })
    for (const task of [theirs, own]) {
      live.send({ type: 'subscribe_task', task_id: task.id })
      await live.next('task_update', (f) => f.task_id === task.id)
    }
    const change = { token: above.token, body: { role: 'user' } }
    expect((await api(server, 'PUT', `/api/admin/users/${admin.user.id}`, change)).status).toBe(200)
    await live.next('unsubscribed', (f) => f.topic === `task:${theirs.id}`)
    const before = live.frames.length
    for (const task of [theirs, own]) ctx.bus.setState(taskTopic(task.uuid), { progress: 7, currentItem: '' })
    await live.next('task_update', (f) => f.data.progress === 7)
    live.send({ type: 'subscribe_task', task_id: theirs.id })
    expect((await live.next('error')).code).toBe('NOT_FOUND')
    const updates = live.frames.slice(before).filter((f) => f.type === 'task_update')
    expect(updates.map((f) => f.task_id)).toEqual([own.id])
    expect(live.frames.filter((f) => f.type === 'unsubscribed')).toHaveLength(1)
    live.close()
  })
})

describe('connections of one user', () => {
  test('the 21st is closed with 4409, the others stay', async () => {
    const { token } = await makeUser(server)
    const sockets = await Promise.all(Array.from({ length: 20 }, () => openLive(server, token)))
    const extra = await openLive(server, token)
    expect((await extra.closing()).code).toBe(4409)
    sockets[0]!.send({ type: 'ping' })
    await sockets[0]!.next('pong')
    for (const socket of sockets) socket.close()
  })

  test('a token that ends closes the socket with 4401', async () => {
    const owner = await makeUser(server)
    const { sessionId } = (await ctx.tokens.verify(owner.token))!
    const token = await ctx.tokens.sign({
      userId: owner.user.id,
      sessionId,
      expiresAt: Math.floor(Date.now() / 1000) + 2,
    })
    const live = await openLive(server, token)
    await live.next('auth_expiring')
    expect((await live.closing()).code).toBe(4401)
  })
})

describe('the log behind the sockets', () => {
  test('a reader that stops reading costs no memory and gets everything when it reads on', async () => {
    const owner = await makeUser(server)
    const stalled = new StalledSocket(`${server.wsUrl}/ws/connect?token=${owner.token}`)
    await stalled.until(1)
    stalled.pause()
    const events = 1500
    await emitMany(owner, events, 8000)
    // A queue would have taken all 12 MB by now. The socket holds one frame beyond the kernel's buffer.
    const connection = [...server.ctx.live.hub.all()].find(
      (c) => c.signedIn?.principal.userId === owner.user.id,
    )!
    expect(connection.blockedSince).toBeNumber()
    expect(connection.ws.getBufferedAmount()).toBeLessThan(64 * 1024)
    expect(connection.outbox!.sent).toBeLessThan(events)
    stalled.resume()
    await stalled.until(events + 1)
    expect(stalled.frames.slice(1).map((f) => Number(f.cursor.split('.')[1]))).toEqual(
      Array.from({ length: events }, (_, i) => i + 1),
    )
    stalled.close()
  })

  test('a cursor older than the log keeps is answered with resync', async () => {
    const owner = await makeUser(server)
    await emitMany(owner, 5, 10)
    await ctx.db.execute(sql`delete from events where user_id = ${owner.user.id} and seq <= 3`)
    const live = await openLive(server, owner.token, { cursor: `${ctx.epoch}.1` })
    expect(await live.next('resync')).toMatchObject({ reason: 'expired', cursor: `${ctx.epoch}.5` })
    const next = await openLive(server, owner.token, { cursor: `${ctx.epoch}.3` })
    await next.until((f) => (f.filter((x) => x.cursor && x.at).length === 2 ? true : undefined))
    live.close()
    next.close()
  })

  test('an event whose hint was lost arrives', async () => {
    const owner = await makeUser(server)
    const live = await openLive(server, owner.token)
    await ctx.db.transaction((db) =>
      appendEvents(db, [{ userId: owner.user.id, type: 'user.updated', data: { fields: ['silent'] } }]),
    )
    await live.next('user.updated')
    await emitMany(owner, 1, 1)
    await live.until((f) => (f.filter((x) => x.type === 'user.updated').length === 2 ? true : undefined))
    expect(live.events.map((e) => e.data.fields[0])).toEqual(['silent', '0'])
    live.close()
  })

  test('a rolled-back change leaves no event and no gap', async () => {
    const owner = await makeUser(server)
    const live = await openLive(server, owner.token)
    await transaction(ctx, async (tx) => {
      tx.emit(owner.user.id, 'user.updated', { fields: ['never'] })
      throw new Error('undo')
    }).catch(() => {})
    await emitMany(owner, 1, 1)
    const event = await live.next('user.updated')
    expect(event.data.fields[0]).toBe('0')
    expect(event.cursor).toBe(`${ctx.epoch}.1`)
    live.close()
  })

  test('events of many writers at once are numbered without gaps and arrive in order', async () => {
    const owner = await makeUser(server)
    const live = await openLive(server, owner.token)
    await Promise.all(Array.from({ length: 30 }, () => emitMany(owner, 3, 5)))
    await live.until((f) => (f.filter((x) => x.type === 'user.updated').length === 90 ? true : undefined))
    expect(live.events.map((e) => Number(e.cursor.split('.')[1]))).toEqual(
      Array.from({ length: 90 }, (_, i) => i + 1),
    )
    live.close()
  })
})

test('a socket that does not sign in is closed with 4408', async () => {
  expect((await silent.closing(12_000)).code).toBe(4408)
})
