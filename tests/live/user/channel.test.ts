import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { principalsHint } from '../../../src/core/accounts/hints.ts'
import { api } from '../../support/api.ts'
import { makeNode, makeTask, makeUser, signInAgain } from '../../support/factories.ts'
import { query, startServer } from '../../support/server.ts'
import { openLive, openNode, TestSocket } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())

describe('a GPU task, live', () => {
  test('the owner sees every step in order, and REST the result', async () => {
    const owner = await makeUser(server)
    const { token } = await makeNode(server)
    const node = await openNode(server, token)
    const live = await openLive(server, owner.token)
    const welcome = await live.next('welcome')
    expect(welcome).toMatchObject({ protocol: 1, user_id: owner.user.id })

    const created = await api(server, 'POST', '/api/tasks', {
      token: owner.token,
      body: { title: '测试', task_type: 'test', config: { a: 1 } },
    })
    expect(created.status).toBe(201)
    live.send({ type: 'subscribe_task', task_id: created.body.id })
    const assign = await node.next('assign')
    expect(assign).toMatchObject({
      task_id: created.body.data.id,
      attempt: 1,
      task_type: 'test',
      config: { a: 1 },
    })
    const lease = { task_id: assign.task_id, attempt: 1 }
    node.send({ type: 'accept', ...lease })
    node.send({ type: 'progress', ...lease, progress: 40, current_item: 'step 2/5' })
    const update = await live.next('task_update', (f) => f.data.progress === 40)
    expect(update).toEqual({
      type: 'task_update',
      task_id: created.body.id,
      data: {
        progress: 40,
        current_item: 'step 2/5',
        item_progress: 0,
        item_current_time: 0,
        item_total_time: 0,
      },
    })
    node.send({ type: 'log', ...lease, level: 'INFO', message: 'hello' })
    node.send({ type: 'completed', ...lease, result: { answer: 42 } })
    await node.next('ack')
    await live.next('task.completed')
    expect(live.events.map((event) => event.type)).toEqual(['task.created', 'task.started', 'task.completed'])
    await live.next('task_update', (f) => f.data.progress === 100)

    const shown = await api(server, 'GET', `/api/tasks/${created.body.data.id}`, { token: owner.token })
    expect(shown.body.data).toMatchObject({ status: 'completed', progress: 100, result: { answer: 42 } })
    expect(shown.body.logs).toMatchObject([{ level: 'INFO', message: 'hello' }])
    node.close()
    live.close()
  })
})

test('a task is named as its watcher wrote it last', async () => {
  const owner = await makeUser(server)
  const { id } = await makeTask(server, owner)
  const live = await openLive(server, owner.token)
  for (const task_id of [String(id), id]) {
    live.send({ type: 'subscribe_task', task_id })
    await live.next('task_update', (f) => f.task_id === task_id)
  }
  live.close()
})

test('a changed user learns which fields changed, by the names that the contracts show', async () => {
  const admin = await makeUser(server, { role: 'super_admin' })
  const owner = await makeUser(server)
  await api(server, 'PATCH', '/api/v1/users/me', { token: owner.token, body: { avatar_url: null, bio: 'b' } })
  await api(server, 'PUT', '/api/users/me', { token: owner.token, body: { full_name: 'A name' } })
  const path = `/api/admin/users/${owner.user.id}`
  for (const is_active of [false, true]) {
    await api(server, 'PUT', path, { token: admin.token, body: { is_active } })
  }
  const live = await openLive(server, (await signInAgain(server, owner)).token, {
    cursor: `${server.ctx.epoch}.0`,
  })
  await live.until((frames) => frames.filter((f) => f.type === 'user.updated').length === 4 || undefined)
  const fields = live.events.filter((f) => f.type === 'user.updated').map((f) => f.data.fields)
  expect(fields).toEqual([['avatar_url', 'bio'], ['full_name'], ['is_active'], ['is_active']])
  live.close()
})

describe('resume', () => {
  test('a reader that returns with its cursor gets the missed events once and goes on live', async () => {
    const owner = await makeUser(server)
    const first = await openLive(server, owner.token)
    await makeTask(server, owner)
    const seen = await first.next('task.created')
    first.close()
    for (let i = 0; i < 70; i++) await makeTask(server, owner)
    const again = await openLive(server, owner.token, { cursor: seen.cursor })
    await again.until((f) => (f.filter((x) => x.type === 'task.created').length >= 70 ? true : undefined))
    await makeTask(server, owner)
    await again.until((f) => (f.filter((x) => x.type === 'task.created').length >= 71 ? true : undefined))
    const seqs = again.events.map((event) => Number(event.cursor.split('.')[1]))
    expect(seqs).toEqual(Array.from({ length: 71 }, (_, i) => i + 2))
    again.close()
  })

  test('welcome names the newest event, and pong the last one that the socket has sent', async () => {
    const owner = await makeUser(server)
    for (let i = 0; i < 3; i++) await makeTask(server, owner)
    const at = (seq: number) => `${server.ctx.epoch}.${seq}`
    const live = await openLive(server, owner.token, { cursor: at(1) })
    expect(live.frames[0]).toMatchObject({ type: 'welcome', cursor: at(1), head: at(3) })
    await live.next('task.created', ({ cursor }) => cursor === at(3))
    live.send({ type: 'ping' })
    expect(await live.next('pong')).toEqual({ type: 'pong', cursor: at(3) })
    live.close()
    const stranger = await TestSocket.open(`${server.wsUrl}/ws/connect`)
    stranger.send({ type: 'ping' })
    expect(await stranger.next('pong')).toEqual({ type: 'pong' })
    stranger.close()
  })

  test.each([
    ['of another epoch', 'abc123.4', 'epoch'],
    ['from the future', undefined, 'unknown'],
    ['that is nonsense', 'nonsense', 'unknown'],
  ])('a cursor %s is answered with resync, never silently', async (_, cursor, reason) => {
    const owner = await makeUser(server)
    await makeTask(server, owner)
    const live = await openLive(server, owner.token, { cursor: cursor ?? `${server.ctx.epoch}.999` })
    const resync = await live.next('resync')
    expect(resync).toMatchObject({ reason, cursor: `${server.ctx.epoch}.1` })
    live.close()
  })
})

describe('getting in and staying in', () => {
  test('a false token gets a socket that closes with 4401', async () => {
    const socket = await openLive(server, 'nonsense')
    expect((await socket.closing()).code).toBe(4401)
  })

  test('a ticket opens one socket, once', async () => {
    const owner = await makeUser(server)
    const answer = await api(server, 'POST', '/api/ws/ticket', { token: owner.token })
    const url = `${server.wsUrl}/api/ws/connect?ticket=${answer.body.data.ticket}`
    const live = await TestSocket.open(url)
    expect((await live.next('welcome')).user_id).toBe(owner.user.id)
    const second = await TestSocket.open(url)
    expect((await second.closing()).code).toBe(4401)
    live.close()
  })

  test('the first frame may sign in, and a later one renew', async () => {
    const owner = await makeUser(server, { minutes: 1 })
    const live = await TestSocket.open(`${server.wsUrl}/ws/connect`)
    live.send({ type: 'subscribe', topic: 'gpu:cluster' })
    expect((await live.next('error')).code).toBe('AUTHENTICATION_REQUIRED')
    live.send({ type: 'auth', token: owner.token })
    await live.next('welcome')
    // One minute is within the warning time.
    await live.next('auth_expiring')
    live.send({ type: 'auth', token: (await signInAgain(server, owner)).token })
    live.send({ type: 'ping', id: 7 })
    expect(await live.next('pong')).toEqual({ type: 'pong', cursor: `${server.ctx.epoch}.0`, id: 7 })
    expect(live.closed).toBeUndefined()
    live.close()
  })

  test('a renewal while the user is checked again is not undone', async () => {
    const owner = await makeUser(server)
    const other = await signInAgain(server, owner)
    const live = await openLive(server, owner.token)
    const { ctx } = server
    const { hub } = ctx.live
    const asked = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    const { principals } = ctx.services
    const load = spyOn(principals, 'load').mockImplementationOnce(async (sessionId) => {
      asked.resolve()
      await answered.promise
      return principals.load(sessionId)
    })
    ctx.bus.publish(principalsHint, { userId: owner.user.id })
    await asked.promise
    live.send({ type: 'auth', token: other.token })
    live.send({ type: 'ping' })
    await live.next('pong')
    answered.resolve()
    await Bun.sleep(50)
    load.mockRestore()
    const connection = [...hub.all()].find((one) => one.signedIn?.principal.userId === owner.user.id)!
    const { sessionId } = (await ctx.tokens.verify(other.token))!
    expect(connection.signedIn!.principal.sessionId).toBe(sessionId)
    live.close()
  })

  describe('a session that another server has ended closes its socket at the next poll', () => {
    test.each([
      ['which is not in memory', async () => {}],
      [
        'which a request has read as ended',
        async (token: string) => {
          expect((await api(server, 'GET', '/api/users/me', { token })).status).toBe(401)
        },
      ],
    ])('%s', async (_, meanwhile) => {
      const { principals } = server.ctx.services
      const [owner, other] = [await makeUser(server), await makeUser(server)]
      // It finds the new users once.
      await principals.poll()
      const live = await openLive(server, owner.token)
      const { sessionId } = (await server.ctx.tokens.verify(owner.token))!
      // What a change of the owner makes the server read is not kept, because another change comes meanwhile.
      server.ctx.bus.publish(principalsHint, { userId: owner.user.id })
      server.ctx.bus.publish(principalsHint, { userId: other.user.id })
      await Bun.sleep(20)
      expect(principals.peek(sessionId)).toBeUndefined()
      await query(server, sql`update sessions set revoked_at = now() where id = ${sessionId}`)
      await meanwhile(owner.token)
      await principals.poll()
      expect((await live.closing()).code).toBe(4403)
    })
  })

  test('a change is looked at again when the database fails at first', async () => {
    const owner = await makeUser(server)
    const live = await openLive(server, owner.token)
    const { sessionId } = (await server.ctx.tokens.verify(owner.token))!
    await query(server, sql`update sessions set revoked_at = now() where id = ${sessionId}`)
    const load = spyOn(server.ctx.services.principals, 'load').mockRejectedValueOnce(new Error('away'))
    server.ctx.bus.publish(principalsHint, { userId: owner.user.id, sessionId })
    expect((await live.closing()).code).toBe(4403)
    expect(load.mock.calls.length).toBeGreaterThanOrEqual(2)
    load.mockRestore()
  })

  test('a revoked session says so and closes with 4403; the other session stays', async () => {
    const owner = await makeUser(server)
    const other = await signInAgain(server, owner)
    const live = await openLive(server, owner.token)
    const stays = await openLive(server, other.token)
    expect((await api(server, 'POST', '/api/v1/auth/logout', { token: owner.token })).status).toBe(200)
    expect((await live.closing()).code).toBe(4403)
    expect(live.events.at(-1).type).toBe('session.revoked')
    await stays.next('session.revoked')
    stays.send({ type: 'ping' })
    await stays.next('pong')
    expect((await api(server, 'GET', '/api/users/me', { token: owner.token })).status).toBe(401)
    stays.close()
  })

  test('a foreign origin is refused before the upgrade', async () => {
    const owner = await makeUser(server)
    const url = `${server.wsUrl}/ws/connect?token=${owner.token}`
    await expect(TestSocket.open(url, { origin: 'https://evil.example' })).rejects.toThrow()
    const own = await TestSocket.open(url, { origin: server.url })
    await own.next('welcome')
    own.close()
  })
})
