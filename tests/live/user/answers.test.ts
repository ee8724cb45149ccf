/** Protects the answers to a client's frames. */
import { afterAll, expect, test } from 'bun:test'
import { makeTask, makeUser } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import { openLive, TestSocket } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())

const MISSING = '0197f4c5-0000-7000-8000-000000000000'

test.each([
  [{ type: 'subscribe', topic: 'nothing:1', id: 'a' }, 'UNKNOWN_TOPIC', { topic: 'nothing:1', id: 'a' }],
  [{ type: 'subscribe', topic: `task:${MISSING}` }, 'NOT_FOUND', { topic: `task:${MISSING}` }],
  [{ type: 'subscribe', topic: 'upload:1', id: 0 }, 'NOT_FOUND', { topic: 'upload:1', id: 0 }],
  [{ type: 'subscribe', topic: 'agent:x' }, 'NOT_FOUND', { topic: 'agent:x' }],
  [{ type: 'subscribe', topic: 'gpu:server:x' }, 'NOT_FOUND', { topic: 'gpu:server:x' }],
  [{ type: 'subscribe_task', task_id: 99_999_999, id: 7 }, 'NOT_FOUND', { task_id: 99_999_999, id: 7 }],
  [{ type: 'subscribe_task', task_id: '00042' }, 'NOT_FOUND', { task_id: '00042' }],
  [{ type: 'subscribe_task', task_id: -5, id: 'b' }, 'BAD_FRAME', { task_id: -5, id: 'b' }],
  [{ type: 'subscribe', topic: 5, id: 'c' }, 'BAD_FRAME', { topic: 5, id: 'c' }],
  [{ type: 'subscribe', topic: '', id: 'd' }, 'BAD_FRAME', { topic: '', id: 'd' }],
  [{ type: 'dance', id: 'e', topic: 'task:1' }, 'BAD_FRAME', { topic: 'task:1', id: 'e' }],
  [{ type: 'subscribe_task', task_id: { evil: true }, id: ['x'] }, 'BAD_FRAME', {}],
  [{ type: 'subscribe', topic: null, id: null }, 'BAD_FRAME', {}],
])('an error says which frame it answers: %j', async (frame, code, about) => {
  const live = await openLive(server, (await makeUser(server)).token)
  live.send(frame)
  const error = await live.next('error')
  expect(error).toEqual({ type: 'error', code, message: expect.any(String), ...about })
  live.close()
})

test('errors of topics in the URL name their topics', async () => {
  const { token } = await makeUser(server)
  const live = await openLive(server, token, { topics: `task:${MISSING},nothing:1` })
  const both = await live.until((frames) => {
    const errors = frames.filter(({ type }) => type === 'error')
    return errors.length === 2 ? errors : undefined
  })
  expect(both.map(({ topic }) => topic)).toEqual([`task:${MISSING}`, 'nothing:1'])
  live.close()
})

test('an error before the sign-in names its task', async () => {
  const stranger = await TestSocket.open(`${server.wsUrl}/ws/connect`)
  stranger.send({ type: 'subscribe_task', task_id: 12, id: 1 })
  expect(await stranger.next('error')).toMatchObject({
    code: 'AUTHENTICATION_REQUIRED',
    task_id: 12,
    id: 1,
  })
  stranger.close()
})

test('answers repeat the id of the frame that asked', async () => {
  const owner = await makeUser(server)
  const { id } = await makeTask(server, owner)
  const live = await openLive(server, owner.token)
  live.send({ type: 'subscribe', topic: `task:${id}`, id: 'one' })
  expect(await live.next('subscribed')).toEqual({ type: 'subscribed', topic: `task:${id}`, id: 'one' })
  live.send({ type: 'unsubscribe_task', task_id: id, id: 2 })
  expect(await live.next('unsubscribed')).toEqual({ type: 'unsubscribed', topic: `task:${id}`, id: 2 })
  live.send({ type: 'unsubscribe', topic: `task:${id}` })
  const bare = await live.next('unsubscribed', ({ id }) => id === undefined)
  expect(bare).toEqual({ type: 'unsubscribed', topic: `task:${id}` })
  live.close()
})
