/**
 * Protects docs/design.md, "Silence and return": a node that returns within its lease keeps the tasks that its `hello`
 * names, on the same server and on a restarted one; a task that it does not name is lost at once; the node repeats a result
 * until the server acknowledges it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eventually, NodeProcess, ServerProcess } from '../support/process.ts'
import { type Account, addNode, addTask, register, showTask, taskReaches } from './client.ts'
import { openParts } from './parts.ts'
import { Reader } from './reader.ts'
import { ScriptedNode } from './scripted-node.ts'

async function startServer(stack: AsyncDisposableStack, env: Record<string, string> = {}) {
  const parts = stack.use(await openParts('embedded'))
  return stack.use(await ServerProcess.start({ ...parts.env, ...env }))
}

async function scene(stack: AsyncDisposableStack, server: ServerProcess) {
  const owner = await register(server.url)
  const reader = await stack.use(new Reader('owner', () => server.wsUrl, owner)).ready()
  const { token } = await addNode(server.url, `node ${owner.id}`, 4)
  return { owner, reader, token, url: server.url }
}

const progressBeyond = (url: string, owner: Account, task: string, percent: number) =>
  eventually(async () => (await showTask(url, owner, task)).progress > percent, `progress beyond ${percent}`)

describe('a node whose connection is cut', () => {
  const shared = new AsyncDisposableStack()
  let server: ServerProcess
  beforeAll(async () => {
    server = await startServer(shared)
  })
  afterAll(() => shared.disposeAsync())

  test('comes back within its lease and goes on', async () => {
    await using stack = new AsyncDisposableStack()
    const { owner, reader, token, url } = await scene(stack, server)
    const node = await stack.use(new ScriptedNode(() => server.wsUrl, token)).connected()
    const task = await addTask(url, owner, { steps: 40, step_ms: 100 })
    await reader.event('task.started', task)
    for (let i = 1; i <= 3; i++) {
      node.cut()
      await eventually(() => node.connections === i + 1, 'the node is back')
      await progressBeyond(url, owner, task, i * 15)
    }
    await reader.event('task.completed', task)
    expect(reader.story(task)).toEqual(['created 0', 'started 1', 'completed 1'])
    expect([...node.problems, ...server.complaints]).toEqual([])
  })

  test('a second connection takes over from the first, tasks and all', async () => {
    await using stack = new AsyncDisposableStack()
    const { owner, reader, token, url } = await scene(stack, server)
    const node = await stack.use(new ScriptedNode(() => server.wsUrl, token)).connected()
    const task = await addTask(url, owner, { steps: 20, step_ms: 100 })
    await reader.event('task.started', task)
    node.replace()
    await eventually(() => node.connections === 2, 'the second connection is welcomed')
    await reader.event('task.completed', task)
    expect(node.closeCodes).toEqual([4409])
    expect(reader.story(task)).toEqual(['created 0', 'started 1', 'completed 1'])
    expect([...node.problems, ...server.complaints]).toEqual([])
  })

  test('comes back without a memory of its task: it is lost at once and done anew', async () => {
    await using stack = new AsyncDisposableStack()
    const { owner, reader, token, url } = await scene(stack, server)
    const node = await stack.use(new ScriptedNode(() => server.wsUrl, token)).connected()
    const task = await addTask(url, owner, { steps: 10, step_ms: 100 })
    await reader.event('task.started', task)
    const cutAt = performance.now()
    node.forget()
    node.cut()
    await reader.event('task.requeued', task)
    // Not by its lease, which is fifteen seconds.
    expect(performance.now() - cutAt).toBeLessThan(8000)
    await reader.event('task.completed', task)
    expect(reader.story(task)).toEqual(['created 0', 'started 1', 'requeued 1', 'started 2', 'completed 2'])
    expect([...node.problems, ...server.complaints]).toEqual([])
  })

  test('comes back with an attempt that is not its own any more: it is told to stop', async () => {
    await using stack = new AsyncDisposableStack()
    const { owner, reader, token, url } = await scene(stack, server)
    const node = await stack.use(new ScriptedNode(() => server.wsUrl, token)).connected()
    const task = await addTask(url, owner, { steps: 1000, step_ms: 100 })
    await reader.event('task.started', task)
    node.leave()
    const cancelled = await fetch(`${url}/api/tasks/${task}/cancel`, {
      method: 'POST',
      headers: { authorization: `Bearer ${owner.token}` },
    })
    expect(cancelled.status).toBe(200)
    node.comeBack()
    await node.frame('cancel', task)
    await eventually(() => node.held.size === 0, 'the node is rid of it')
    expect(reader.story(task)).toEqual(['created 0', 'started 1', 'cancelled 1'])
    expect([...node.problems, ...server.complaints]).toEqual([])
  })
})

describe.concurrent('a server that is killed while nodes work', () => {
  test('finds them again: a running task goes on, a result from meanwhile arrives once', async () => {
    await using stack = new AsyncDisposableStack()
    const server = await startServer(stack)
    const { owner, reader, token, url } = await scene(stack, server)
    const node = await stack.use(new ScriptedNode(() => server.wsUrl, token)).connected()
    const long = await addTask(url, owner, { steps: 200, step_ms: 100 })
    const short = await addTask(url, owner, { steps: 5, step_ms: 100 })
    await reader.event('task.started', long)
    await reader.event('task.started', short)
    await server.kill()
    await eventually(
      () => [...node.held.values()].some(({ task_id, final }) => task_id === short && final),
      'the short task ends while the server is away',
    )
    await server.start()
    await reader.event('task.completed', short, 30_000)
    await node.frame('ack', short)
    // The server acknowledges a repeated result again, and changes nothing.
    const acks = node.frames('ack', short).length
    node.send({ type: 'completed', task_id: short, attempt: 1, result: { again: true } })
    node.send({ type: 'failed', task_id: short, attempt: 1, error: 'again' })
    await eventually(() => node.frames('ack', short).length >= acks + 2, 'two more acknowledgements')
    expect((await showTask(url, owner, short)).result).not.toHaveProperty('again')
    await taskReaches(url, owner, long, ['completed'], 60_000)
    await reader.event('task.completed', long)
    expect(reader.story(short)).toEqual(['created 0', 'started 1', 'completed 1'])
    expect(reader.story(long)).toEqual(['created 0', 'started 1', 'completed 1'])
    expect([...node.problems, ...reader.problems, ...server.complaints]).toEqual([])
  })

  test('the real node program does the same', async () => {
    await using stack = new AsyncDisposableStack()
    const server = await startServer(stack)
    const { owner, reader, token, url } = await scene(stack, server)
    const node = stack.use(new NodeProcess(server, token, 'real'))
    const task = await addTask(url, owner, { duration_seconds: 3, steps: 6, result: 'kept' })
    await reader.event('task.started', task, 30_000)
    await server.kill()
    await eventually(() => node.output.includes(`${task}) completed`), 'the task ends meanwhile', 30_000)
    await server.start()
    expect((await reader.event('task.completed', task, 60_000)).data.result.result).toBe('kept')
    expect(reader.story(task)).toEqual(['created 0', 'started 1', 'completed 1'])
    expect([...reader.problems, ...server.complaints]).toEqual([])
  })
})

describe.concurrent('a server that was away for long', () => {
  test('is found again by the node program within the time that it gives its nodes', async () => {
    await using stack = new AsyncDisposableStack()
    const server = await startServer(stack, { NODE_HEARTBEAT_SECONDS: '2' })
    const { owner, reader, token, url } = await scene(stack, server)
    const node = stack.use(new NodeProcess(server, token, 'patient'))
    const task = await addTask(url, owner, { duration_seconds: 20, steps: 40 })
    await reader.event('task.started', task, 30_000)
    await server.kill()
    const tries = () => node.output.split('next try in').length - 1
    await eventually(
      () => tries() >= 6,
      () => `the node tries again and again; it printed ${node.output}`,
      60_000,
    )
    await server.start()
    await eventually(() => node.output.split('connected to').length === 3, 'the node is back', 60_000)
    await taskReaches(url, owner, task, ['completed'], 60_000)
    await reader.event('task.completed', task)
    expect(reader.story(task)).toEqual(['created 0', 'started 1', 'completed 1'])
    expect([...reader.problems, ...server.complaints]).toEqual([])
  })
})

describe.concurrent('a server that stood still', () => {
  test('does not take its own absence for the silence of its nodes', async () => {
    await using stack = new AsyncDisposableStack()
    const server = await startServer(stack, { NODE_HEARTBEAT_SECONDS: '1' })
    const { owner, reader, token, url } = await scene(stack, server)
    const node = await stack.use(new ScriptedNode(() => server.wsUrl, token)).connected()
    const task = await addTask(url, owner, { steps: 80, step_ms: 100 })
    await reader.event('task.started', task)
    server.freeze()
    // Longer than a lease, as when a laptop's lid is closed or a virtual machine is moved.
    await Bun.sleep(5000)
    server.thaw()
    await reader.event('task.completed', task, 30_000)
    expect(reader.story(task)).toEqual(['created 0', 'started 1', 'completed 1'])
    expect([...node.problems, ...reader.problems, ...server.complaints]).toEqual([])
  })
})
