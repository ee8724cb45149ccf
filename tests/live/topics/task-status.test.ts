/** What becomes of a task, also for an administrator: docs/protocol.md, chapter 1. */
import { afterAll, expect, test } from 'bun:test'
import { api } from '../../support/api.ts'
import { makeNode, makeTask, makeUser, unique } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import { openLive, openNode } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())

test('an administrator follows the status of the task of another user, by its number and by its UUID', async () => {
  const [owner, admin] = [await makeUser(server), await makeUser(server, { role: 'admin' })]
  const task = await makeTask(server, owner)
  const live = await openLive(server, admin.token)
  const topics = [`task_status:${task.id}`, `task_status:${task.uuid}`]
  for (const topic of topics) {
    live.send({ type: 'subscribe', topic })
    const { key, data } = await live.next('task_status', ({ key }) => key === topic)
    expect({ key, data }).toEqual({ key: topic, data: { status: 'pending' } })
  }
  const told = (status: string, of: string[]) =>
    Promise.all(
      of.map((topic) => live.next('task_status', ({ key, data }) => key === topic && data.status === status)),
    )
  const cancelled = told('cancelled', topics)
  await api(server, 'POST', `/api/tasks/${task.uuid}/cancel`, { token: owner.token })
  await cancelled
  live.send({ type: 'unsubscribe', topic: topics[0] })
  await live.next('unsubscribed')
  const waiting = told('pending', [topics[1]!])
  await api(server, 'POST', `/api/tasks/${task.uuid}/retry`, { token: owner.token })
  await waiting
  expect(live.frames.filter(({ key }) => key === topics[0])).toHaveLength(2)
  expect(live.frames.filter(({ type }) => type.startsWith('task.'))).toEqual([])
  live.close()
})

test('its owner may watch it, others may not', async () => {
  const [owner, stranger] = [await makeUser(server), await makeUser(server)]
  const { uuid } = await makeTask(server, owner)
  const topic = `task_status:${uuid}`
  const own = await openLive(server, owner.token)
  own.send({ type: 'subscribe', topic })
  expect((await own.next('task_status')).data).toEqual({ status: 'pending' })
  const other = await openLive(server, stranger.token)
  other.send({ type: 'subscribe', topic })
  expect((await other.next('error')).code).toBe('NOT_FOUND')
  own.close()
  other.close()
})

test('a result that names another task does not hide the end of its own', async () => {
  const owner = await makeUser(server)
  const taskType = unique('type_')
  const node = await openNode(server, (await makeNode(server)).token, { taskTypes: [taskType] })
  const { uuid } = await makeTask(server, owner, { taskType })
  const live = await openLive(server, owner.token)
  live.send({ type: 'subscribe', topic: `task_status:${uuid}` })
  const { task_id, attempt } = await node.next('assign')
  node.send({ type: 'accept', task_id, attempt })
  node.send({ type: 'completed', task_id, attempt, result: { task_id: crypto.randomUUID() } })
  await live.next('task_status', ({ data }) => data.status === 'completed')
  node.close()
  live.close()
})
