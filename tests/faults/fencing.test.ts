/**
 * Protects docs/design.md, "Attempts": a node that was frozen or killed loses its tasks, another one does them, and
 * what the first node sends later changes nothing. Runs the real node program.
 */
import { describe, expect, test } from 'bun:test'
import { eventually, NodeProcess, ServerProcess } from '../support/process.ts'
import { addNode, addTask, must, register, showTask, signInAsAdmin } from './client.ts'
import { gapProblems, lifeProblems, moneyProblems, readerProblems, readHistory } from './history.ts'
import { openParts } from './parts.ts'
import { Reader } from './reader.ts'

/** Silence of three seconds ends a lease. */
const QUICK = { NODE_HEARTBEAT_SECONDS: '1' }
const PRICES = { task_prices: { test: 6000 } }

describe.concurrent('the node program, lost', () => {
  test('frozen beyond its lease, a node comes back to a task that another one does', async () => {
    await using parts = await openParts('embedded', PRICES)
    await using server = await ServerProcess.start({ ...parts.env, ...QUICK })
    const { url, wsUrl } = server
    const owner = await register(url)
    const body = { balance: 1_000_000 }
    await must(url, 'PUT', `/api/admin/users/${owner.id}`, { token: await signInAsAdmin(url), body })
    await using reader = await new Reader('owner', () => wsUrl, owner).ready()
    const start = reader.seq
    const first = await addNode(url, 'first')
    await using frozen = new NodeProcess(server, first.token, 'first')
    // The process of the task is not frozen with its node: it ends, and its result waits to be sent.
    const task = await addTask(url, owner, { duration_seconds: 2, steps: 4, result: 'once' })
    expect((await reader.event('task.started', task, 30_000)).data.gpu_server_id).toBe(first.id)
    frozen.freeze()

    const second = await addNode(url, 'second')
    await using other = new NodeProcess(server, second.token, 'second')
    void other
    await reader.event('task.requeued', task)
    await eventually(
      () => reader.story(task).includes('started 2'),
      () => `the second node starts it; ${reader.story(task)}`,
    )
    frozen.thaw()
    await eventually(
      () => /does not belong to this node|failed: cancelled|completed/.test(frozen.output),
      () => `the thawed node ends its attempt; it printed ${frozen.output}`,
    )
    const completed = await reader.event('task.completed', task)
    expect(completed.data).toMatchObject({ attempt: 2, result: { result: 'once' } })

    // The node takes tasks again, and the server lists no running task for it.
    const shown = async () =>
      (await must(url, 'GET', `/api/gpu/servers/${first.id}`, { token: owner.token })).body.data
    await eventually(
      async () => (await shown()).status === 'online' && (await shown()).current_tasks === 0,
      'the first node is online and idle',
    )
    expect(reader.story(task)).toEqual(['created 0', 'started 1', 'requeued 1', 'started 2', 'completed 2'])
    expect((await server.terminate()).code).toBe(0)
    const history = await readHistory(parts)
    expect([
      ...readerProblems(reader, history, start),
      ...gapProblems(history),
      ...lifeProblems(history),
      ...moneyProblems(history),
      ...server.complaints,
    ]).toEqual([])
  })

  test('killed in the middle of a task: it goes to another node; killed three times: it fails, at no cost', async () => {
    await using parts = await openParts('embedded', PRICES)
    await using server = await ServerProcess.start({ ...parts.env, ...QUICK })
    const { url, wsUrl } = server
    const owner = await register(url)
    const body = { balance: 1_000_000 }
    await must(url, 'PUT', `/api/admin/users/${owner.id}`, { token: await signInAsAdmin(url), body })
    await using reader = await new Reader('owner', () => wsUrl, owner).ready()
    const start = reader.seq
    const one = await addNode(url, 'one')
    const two = await addNode(url, 'two')
    await using killed = new NodeProcess(server, one.token, 'one')
    const task = await addTask(url, owner, { duration_seconds: 2, steps: 4 })
    await reader.event('task.started', task, 30_000)
    await killed.kill()
    {
      await using rescuer = new NodeProcess(server, two.token, 'two')
      void rescuer
      expect((await reader.event('task.requeued', task)).data.reason).toContain('offline')
      await reader.event('task.completed', task, 30_000)
    }
    expect(reader.story(task)).toEqual(['created 0', 'started 1', 'requeued 1', 'started 2', 'completed 2'])

    await eventually(
      async () =>
        (await must(url, 'GET', `/api/gpu/servers/${two.id}`, { token: owner.token })).body.data.status ===
        'offline',
      'the second node is offline',
    )
    const doomed = await addTask(url, owner, { duration_seconds: 60, steps: 60 })
    for (const attempt of [1, 2, 3]) {
      killed.start()
      await eventually(
        () => reader.story(doomed).includes(`started ${attempt}`),
        () => `attempt ${attempt} starts; ${reader.story(doomed)}; the node printed ${killed.output}`,
        30_000,
      )
      await killed.kill()
    }
    // The third time the node does not return, so silence ends its lease.
    const failed = await reader.event('task.failed', doomed)
    expect(failed.data).toMatchObject({ cost: 0, attempt: 3 })
    expect(failed.data.error_message).toContain('3 of 3')
    expect(reader.story(doomed)).toEqual([
      ...['created 0', 'started 1', 'requeued 1', 'started 2', 'requeued 2', 'started 3', 'failed 3'],
    ])
    expect(await showTask(url, owner, doomed)).toMatchObject({ status: 'failed', cost: 0 })
    expect((await server.terminate()).code).toBe(0)
    const history = await readHistory(parts)
    const captured = history.ledger.filter(
      ({ kind, reference }) => kind === 'capture' && reference === doomed,
    )
    expect(captured).toEqual([])
    expect([
      ...readerProblems(reader, history, start),
      ...gapProblems(history),
      ...lifeProblems(history),
      ...moneyProblems(history),
      ...server.complaints,
    ]).toEqual([])
  })
})
