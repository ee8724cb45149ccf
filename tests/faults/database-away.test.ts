/**
 * Protects docs/operations.md, "Start, stop, health" while the database is away or hangs: the server answers soon, in
 * each contract's own format; the process and the sockets stay; when the database returns, everything goes on.
 */
import { describe, expect, test } from 'bun:test'
import { NO_POSTGRES, PostgresCluster, postgresBinaries } from '../support/postgres.ts'
import { eventually, ServerProcess } from '../support/process.ts'
import { openLive, TestSocket } from '../support/sockets.ts'
import { addNode, addTask, ask, register, showTask, taskReaches } from './client.ts'
import { Reader } from './reader.ts'
import { ScriptedNode } from './scripted-node.ts'

if (!postgresBinaries) console.log(`skipped: the database goes away: ${NO_POSTGRES}`)

/** How soon a request must be answered when the database is not there. */
const SOON_MS = 6000

async function scene(stack: AsyncDisposableStack) {
  const cluster = stack.use(await PostgresCluster.start())
  const database = await cluster.createDatabase()
  const env = { DATABASE_URL: database, NODE_HEARTBEAT_SECONDS: '1' }
  const server = stack.use(await ServerProcess.start(env))
  const { url, wsUrl } = server
  const owner = await register(url)
  const readers = await Promise.all(
    ['one', 'two'].map((name) => stack.use(new Reader(name, () => wsUrl, owner)).ready()),
  )
  const { token } = await addNode(url, 'node', 4)
  const node = await stack.use(new ScriptedNode(() => wsUrl, token)).connected()
  return {
    cluster,
    database,
    server,
    url,
    wsUrl,
    owner,
    readers,
    reader: readers[0]!,
    node,
    nodeToken: token,
  }
}

describe.concurrent('the database goes away', () => {
  test.skipIf(!postgresBinaries)(
    'requests are answered 503 in their formats, and everything recovers by itself',
    async () => {
      await using stack = new AsyncDisposableStack()
      const { cluster, database, server, url, wsUrl, owner, readers, reader, node } = await scene(stack)
      const { token } = owner
      // The server remembers this user, who has not changed lately, so a socket signs in without a query.
      const other = await register(url)
      await cluster.query(database, `update users set updated_at = now() - interval '1 hour'`)
      await ask(url, 'GET', '/api/users/me', { token: other.token })
      await Bun.sleep(2500)
      await ask(url, 'GET', '/api/users/me', { token: other.token })
      const ends = await addTask(url, owner, { steps: 20, step_ms: 100 })
      const goesOn = await addTask(url, owner, { steps: 130, step_ms: 100 })
      await reader.event('task.started', ends)
      await reader.event('task.started', goesOn)
      const live = await openLive(server, token)
      stack.defer(() => live.close())

      await cluster.crash()
      const crashedAt = performance.now()
      const body = { title: 't', task_type: 'test' }
      const timed = async (...request: Parameters<typeof ask>) => {
        const start = performance.now()
        const reply = await ask(...request)
        return { status: reply?.status, body: reply?.body, late: performance.now() - start > SOON_MS }
      }
      const factory = { status: 503, late: false, body: { success: false, error_code: 'SERVER_UNAVAILABLE' } }
      const learning = { status: 503, late: false, body: { error: { code: 'DATABASE_ERROR' }, status: 503 } }
      const credentials = { email: owner.email, password: 'secret123' }
      const [me, tasks, create, signIn, learningMe, learningSignIn, health, databaseHealth] =
        await Promise.all([
          timed(url, 'GET', '/api/users/me', { token }),
          timed(url, 'GET', '/api/tasks', { token }),
          timed(url, 'POST', '/api/tasks', { token, body }),
          timed(url, 'POST', '/api/auth/login', { body: credentials }),
          timed(url, 'GET', '/api/v1/auth/me', { token }),
          timed(url, 'POST', '/api/v1/auth/login', { body: credentials }),
          timed(url, 'GET', '/health'),
          timed(url, 'GET', '/api/v1/health/db'),
        ])
      for (const reply of [me, tasks, create, signIn]) expect(reply).toMatchObject(factory)
      for (const reply of [learningMe, learningSignIn, databaseHealth]) expect(reply).toMatchObject(learning)
      expect(health).toMatchObject({ status: 503, late: false, body: { status: 'unhealthy' } })
      expect(await ask(url, 'GET', '/ready')).toMatchObject({
        status: 503,
        body: { status: 'not_ready', reason: 'database' },
      })
      // The live channel also answers every frame of a client with this error.
      const frames = [
        { type: 'subscribe_task', task_id: goesOn },
        { type: 'subscribe', topic: `task:${goesOn}` },
        { type: 'subscribe', topic: 'agent:0197f4c5-0000-7000-8000-000000000000' },
        { type: 'subscribe', topic: 'gpu:cluster' },
      ]
      for (const [id, frame] of frames.entries()) {
        live.send({ ...frame, id })
        const answer = await live.next('error', (error) => error.id === id)
        expect(answer).toMatchObject({ code: 'DATABASE_UNAVAILABLE', retryable: true })
      }
      // Many requests at once wait no longer than one.
      const crowd = await Promise.all(
        Array.from({ length: 100 }, () => timed(url, 'GET', '/api/users/me', { token })),
      )
      for (const reply of crowd) expect(reply).toMatchObject(factory)

      // A client that connects now waits, or the server closes its socket so that it comes back. It must not hang for ever.
      const latecomer = stack.use(new Reader('latecomer', () => wsUrl, other))
      const unbegun = await TestSocket.open(`${wsUrl}/ws/connect?token=${other.token}`)
      expect((await unbegun.closing(30_000)).code).toBe(1012)
      await eventually(
        () => [...node.held.values()].some(({ task_id, final }) => task_id === ends && final),
        'the node finishes a task that it can not report',
      )
      // Longer than a lease, so that a server that takes "not stored" for "not heard" would take the task back.
      await Bun.sleep(Math.max(0, 7000 - (performance.now() - crashedAt)))
      expect(server.running).toBe(true)
      expect(node.frames('ack', ends)).toEqual([])
      await cluster.start()

      await node.frame('ack', ends)
      await reader.event('task.completed', ends)
      const after = await addTask(url, owner, { steps: 1 })
      for (const reader of readers) await reader.event('task.completed', after)
      live.send({ ...frames[0]!, id: 'again' })
      await live.next('task_update', ({ task_id }) => task_id === goesOn)
      await latecomer.ready()
      await latecomer.event('task.completed', await addTask(url, other, { steps: 1 }))
      await reader.event('task.completed', goesOn, 60_000)
      for (const task of [ends, goesOn]) {
        expect(reader.story(task)).toEqual(['created 0', 'started 1', 'completed 1'])
      }
      expect(readers.map(({ connections }) => connections)).toEqual([1, 1])
      expect(node.connections).toBe(1)
      expect([
        ...readers.flatMap(({ problems }) => problems),
        ...node.problems,
        ...server.complaints,
      ]).toEqual([])
    },
  )

  test.skipIf(!postgresBinaries)(
    'an acceptance that could not be stored costs neither the task nor its work',
    async () => {
      await using stack = new AsyncDisposableStack()
      const { cluster, server, url, owner, reader, node } = await scene(stack)
      node.mute = true
      // Accepted at once, because a lease that no node accepts lasts ten seconds.
      const [talks, ends] = await Promise.all([addTask(url, owner), addTask(url, owner)])
      const leases = []
      for (const task of [talks, ends]) {
        await node.frame('assign', task)
        leases.push({ task_id: task, attempt: 1 })
      }
      await cluster.crash()
      for (const lease of leases) node.send({ type: 'accept', ...lease })
      await eventually(
        () => node.frames('error').filter(({ code }) => code === 'TRY_AGAIN').length === 2,
        'the server says that it could not store the acceptances',
      )
      expect(node.frames('error')).toMatchObject(leases)
      await cluster.start()
      await eventually(async () => (await ask(url, 'GET', '/health'))?.status === 200, 'the server is well')
      // The node reports on the task that it runs. It does not know that its `accept` was lost.
      node.send({ type: 'progress', ...leases[0]!, progress: 50 })
      await taskReaches(url, owner, talks, ['running'])
      node.send({ type: 'completed', ...leases[0]!, result: {} })
      node.send({ type: 'completed', ...leases[1]!, result: {} })
      for (const task of [talks, ends]) {
        await node.frame('ack', task)
        await reader.event('task.completed', task)
        expect(reader.story(task)).toEqual(['created 0', 'started 1', 'completed 1'])
      }
      expect(node.frames('error').filter(({ code }) => code === 'STALE_ATTEMPT')).toEqual([])
      expect([...reader.problems, ...node.problems, ...server.complaints]).toEqual([])
    },
  )

  test.skipIf(!postgresBinaries)('SIGTERM still ends the server in time, with code 0', async () => {
    await using stack = new AsyncDisposableStack()
    const { cluster, server, node, reader } = await scene(stack)
    await cluster.crash()
    const { code, ms } = await server.terminate()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(5000)
    await eventually(
      () => reader.closeCodes.length > 0 && node.closeCodes.length > 0,
      'the sockets are closed',
    )
    expect([reader.closeCodes[0], node.closeCodes[0]]).toEqual([1012, 1012])
    expect(server.complaints).toEqual([])
  })
})

describe.concurrent('the database hangs', () => {
  test.skipIf(!postgresBinaries)('for ten seconds: nothing is lost, and no node for silent', async () => {
    await using stack = new AsyncDisposableStack()
    const { cluster, server, url, owner, readers, reader, node } = await scene(stack)
    const { token } = owner
    const ends = await addTask(url, owner, { steps: 10, step_ms: 100 })
    const goesOn = await addTask(url, owner, { steps: 160, step_ms: 100 })
    await reader.event('task.started', ends)
    await reader.event('task.started', goesOn)

    const live = await openLive(server, token)
    stack.defer(() => live.close())
    cluster.freeze()
    const frozenAt = performance.now()
    const title = 'made while it hung'
    const answers = [
      ask(url, 'POST', '/api/tasks', { token, body: { title, task_type: 'test' }, ms: 40_000 }),
      ...Array.from({ length: 30 }, () => ask(url, 'GET', '/api/tasks', { token, ms: 40_000 })),
    ]
    expect(await ask(url, 'GET', '/health', { ms: SOON_MS })).toMatchObject({ status: 503 })
    live.send({ type: 'ping', id: 'still there' })
    await live.next('pong')
    await Bun.sleep(Math.max(0, 10_000 - (performance.now() - frozenAt)))
    cluster.thaw()

    for (const reply of await Promise.all(answers)) expect([200, 201, 503]).toContain(reply?.status ?? 0)
    await node.frame('ack', ends, 30_000)
    await reader.event('task.completed', goesOn, 60_000)
    for (const task of [ends, goesOn]) {
      expect(reader.story(task)).toEqual(['created 0', 'started 1', 'completed 1'])
    }
    const after = await addTask(url, owner, { steps: 1 })
    for (const other of readers) await other.event('task.completed', after)
    expect((await showTask(url, owner, after)).status).toBe('completed')
    expect(readers.map(({ connections }) => connections)).toEqual([1, 1])
    expect([...readers.flatMap(({ problems }) => problems), ...node.problems, ...server.complaints]).toEqual(
      [],
    )
  })
})
