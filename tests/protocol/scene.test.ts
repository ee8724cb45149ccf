/**
 * An afternoon of a user and a GPU node, by every frame that they send each other: what the documentation of the sockets shows
 * as examples (`bun run docs:examples`).
 */
import { afterAll, expect, test } from 'bun:test'
import { SERVER } from '../../src/core/audit/audit.ts'
import { createNode } from '../../src/core/nodes/nodes.ts'
import { makeTask, makeUser } from '../support/factories.ts'
import { startServer } from '../support/server.ts'
import { type Frame, openLive, TestSocket } from '../support/sockets.ts'

const server = await startServer({ NODE_HEARTBEAT_SECONDS: '5' })
afterAll(() => server.stop())

const NAME = 'gpu-07'
const TASK_TYPE = 'transcribe'
const figures = { gpu_id: 0, usage: 87, memory_used: 18.4, memory_total: 24, temperature: 71, power: 312 }
const leaseOf = ({ task_id, attempt }: Frame) => ({ task_id, attempt })

test('a task runs on a node, and its owner watches it', async () => {
  const owner = await makeUser(server, { role: 'admin', balanceMinor: 10_000 })
  const created = await createNode(server.ctx, SERVER, {
    name: NAME,
    host: '10.0.0.7',
    maxConcurrentTasks: 1,
  })
  const live = await openLive(server, owner.token)
  live.send({ type: 'subscribe', topic: 'gpu:cluster', id: 1 })
  live.send({ type: 'subscribe', topic: `gpu:server:${created.node.uuid}`, id: 2 })
  live.send({ type: 'subscribe', topic: 'task:404', id: 3 })
  live.send({ type: 'ping', id: 'are you there' })

  const authorization = `Bearer ${created.token}`
  const node = await TestSocket.open(`${server.wsUrl}/ws/node`, { authorization })
  const gpus = [{ gpu_id: 0, name: 'NVIDIA RTX 4090', memory_total: 24 }]
  node.send({
    type: 'hello',
    name: NAME,
    max_concurrent_tasks: 1,
    task_types: [TASK_TYPE, 'video_analysis'],
    gpus,
    running: [],
  })
  await node.next('welcome')
  node.send({
    type: 'heartbeat',
    cpu_usage: 34.5,
    memory_usage: 61.2,
    max_concurrent_tasks: 1,
    gpus: [figures],
  })

  const start = async (title: string) => {
    const { uuid } = await makeTask(server, owner, {
      kind: 'gpu',
      title,
      taskType: TASK_TYPE,
      config: { language: 'en', model: 'large' },
      estimatedMinutes: 12,
    })
    live.send({ type: 'subscribe', topic: `task:${uuid}`, log_position: 0, id: title })
    await live.next('subscribed', ({ id }) => id === title)
    const assigned = await node.next('assign', ({ task_id }) => task_id === uuid)
    return { type: 'accept', ...leaseOf(assigned) }
  }

  const accept = await start('Lecture 12: sorting')
  const lease = leaseOf(accept)
  node.send(accept)
  node.send({ type: 'progress', ...lease, progress: 42.5, current_item: 'lecture-12.mp4' })
  node.send({ type: 'log', ...lease, level: 'INFO', message: 'transcribed 21 of 50 minutes' })
  await live.next('task_log')
  live.send({ type: 'subscribe_task', task_id: lease.task_id, id: 4 })
  await live.next('task_update', ({ data }) => data.progress === 42.5)
  live.send({ type: 'unsubscribe_task', task_id: lease.task_id, id: 5 })
  live.send({ type: 'unsubscribe', topic: 'gpu:cluster', id: 6 })
  node.send({ type: 'completed', ...lease, result: { words: 8123, file: 'lecture-12.vtt' } })
  await node.next('ack')

  const failing = leaseOf(await start('Lecture 13: graphs'))
  node.send({ type: 'accept', ...failing })
  node.send({
    type: 'failed',
    ...failing,
    error: 'the program ran for longer than 3600 seconds',
    code: 'timed_out',
    signal: 'SIGKILL',
    seconds: 3600,
  })
  await live.next('task.failed')

  const rejected = leaseOf(await start('Lecture 14: hashing'))
  node.send({
    type: 'reject',
    ...rejected,
    reason: 'cannot_start',
    detail: 'transcribe.py: no such file',
  })
  node.send({ type: 'accept', ...rejected, attempt: rejected.attempt + 7 })
  expect(await node.next('error')).toMatchObject({ code: 'STALE_ATTEMPT' })
  await live.next('unsubscribed', ({ id }) => id === 6)
  expect(live.frames.map(({ type }) => type)).toContainValues(['gpu_cluster', 'gpu_update', 'pong', 'error'])
})
