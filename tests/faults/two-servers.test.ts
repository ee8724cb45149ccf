/**
 * Protects docs/design.md, "Live channel" and "Nodes" with two servers on one PostgreSQL: the stored log decides, and the
 * bus only wakes its readers. So a change on one server reaches users and nodes on the other: at once with Redis, within
 * seconds without.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { NO_POSTGRES, PostgresCluster, postgresBinaries } from '../support/postgres.ts'
import { eventually, ServerProcess, temporaryDirectory } from '../support/process.ts'
import { Random } from '../support/random.ts'
import { hasRedis, NO_REDIS, RedisProcess } from '../support/redis.ts'
import { heartbeat, openLive, openNode } from '../support/sockets.ts'
import { type Account, addNode, addTask, ask, must, register, showTask, signInAsAdmin } from './client.ts'
import { gapProblems, lifeProblems, readerProblems, readHistory } from './history.ts'
import { headOf, Reader } from './reader.ts'
import { ScriptedNode } from './scripted-node.ts'

if (!postgresBinaries) console.log(`skipped: two servers: ${NO_POSTGRES}`)
if (!hasRedis) console.log(`skipped: two servers with Redis: ${NO_REDIS}`)

const JWT_SECRET = 'a secret that both servers of the fault suite know'

let shared: PostgresCluster
beforeAll(async () => {
  if (postgresBinaries) shared = await PostgresCluster.start()
})
afterAll(() => shared?.[Symbol.asyncDispose]())

async function pair(
  stack: AsyncDisposableStack,
  redis?: RedisProcess,
  cluster = shared,
  more: Record<string, string> = {},
) {
  const databaseUrl = await cluster.createDatabase()
  const env = {
    DATABASE_URL: databaseUrl,
    JWT_SECRET,
    NODE_HEARTBEAT_SECONDS: '1',
    ...(redis && { REDIS_URL: redis.url }),
    ...more,
  }
  // At once, on an empty database.
  const [a, b] = await Promise.all([ServerProcess.start(env), ServerProcess.start(env)])
  stack.use(a)
  stack.use(b)
  return { databaseUrl, a, b }
}

/** A node whose frames the test sends, except heartbeats. */
async function beatingNode(stack: AsyncDisposableStack, server: { wsUrl: string }, token: string) {
  const node = await openNode(server, token)
  stack.defer(() => node.close())
  const timer = setInterval(() => node.closed || node.send(heartbeat()), 500)
  stack.defer(() => clearInterval(timer))
  return node
}

describe('two servers start at once', () => {
  test.skipIf(!postgresBinaries)(
    'on an empty database and one data directory: both come up, with one administrator and one secret',
    async () => {
      await using stack = new AsyncDisposableStack()
      const DATABASE_URL = await shared.createDatabase()
      const DATA_DIR = temporaryDirectory('fault')
      stack.defer(() => rmSync(DATA_DIR, { recursive: true, force: true }))
      const servers = await Promise.all([1, 2, 3].map(() => ServerProcess.start({ DATABASE_URL, DATA_DIR })))
      for (const server of servers) stack.use(server)
      const admins = await shared.query(DATABASE_URL, `select email, role from users`)
      expect([...admins]).toEqual([{ email: 'admin@example.com', role: 'super_admin' }])
      const token = await signInAsAdmin(servers[0]!.url)
      for (const { url } of servers)
        expect((await ask(url, 'GET', '/api/users/me', { token }))?.status).toBe(200)
      expect(servers.flatMap(({ complaints }) => complaints)).toEqual([])
    },
  )
})

describe.concurrent.each([
  // Without Redis, each server finds the changes of the other by polling every two seconds.
  { bus: 'without Redis', skip: !postgresBinaries, withRedis: false, soonMs: 5000 },
  { bus: 'with Redis', skip: !postgresBinaries || !hasRedis, withRedis: true, soonMs: 1500 },
])('two servers, $bus', ({ skip, withRedis, soonMs }) => {
  const open = async (stack: AsyncDisposableStack) =>
    pair(stack, withRedis ? stack.use(await RedisProcess.start()) : undefined)

  test.skipIf(skip)('what happens on one reaches users and nodes on the other', async () => {
    await using stack = new AsyncDisposableStack()
    const { a, b } = await open(stack)
    const owner = await register(a.url)
    const reader = await stack.use(new Reader('on A', () => a.wsUrl, owner)).ready()
    const forced = await stack.use(new Reader('forced', () => a.wsUrl, await register(a.url))).ready()
    const leaver = await stack.use(new Reader('leaver', () => a.wsUrl, await register(a.url))).ready()
    const { token, id: nodeId } = await addNode(b.url, 'node', 4)
    const node = await stack.use(new ScriptedNode(() => a.wsUrl, token)).connected()
    const soon = async (what: string, look: () => unknown) => {
      await eventually(async () => Boolean(await look()), what, soonMs)
    }

    // Events, and the queue.
    const task = await addTask(b.url, owner, { steps: 10, step_ms: 100 })
    await soon('the node on A gets the task made on B', () => node.frames('assign', task).length)
    await soon('the user on A sees it start', () => reader.story(task).includes('started 1'))
    if (withRedis) {
      await soon(
        'B shows the progress that the node tells A',
        async () => (await showTask(b.url, owner, task)).progress > 0,
      )
    }
    await reader.event('task.completed', task)

    // Commands.
    const endless = await addTask(b.url, owner, { steps: 10_000, step_ms: 100 })
    await reader.event('task.started', endless)
    await must(b.url, 'POST', `/api/tasks/${endless}/cancel`, { token: owner.token })
    await soon('the node on A is told of the cancel on B', () => node.frames('cancel', endless).length)
    await soon('the user on A is told', () => reader.story(endless).includes('cancelled 1'))
    await soon('the node is rid of it', () => node.held.size === 0)
    const admin = await signInAsAdmin(b.url)
    await must(b.url, 'PUT', `/api/gpu/servers/${nodeId}`, {
      token: admin,
      body: { max_concurrent_tasks: 1 },
    })
    const [first, second] = [await addTask(b.url, owner, { step_ms: 2000 }), await addTask(b.url, owner)]
    await soon('one task runs', () => reader.story(first).includes('started 1'))
    await reader.event('task.completed', second, 30_000)
    const types = reader.events
      .map(({ text }) => JSON.parse(text))
      .map(({ type, data }) => `${type} ${data.task_id}`)
    expect(types).toContain(`task.completed ${first}`)
    expect(types.indexOf(`task.started ${second}`)).toBeGreaterThan(types.indexOf(`task.completed ${first}`))

    // Settings, without a moment between: each GET makes A remember what it has read.
    for (const [limit, by, from] of [
      [7, b, a],
      [8, b, a],
      [9, a, b],
    ] as const) {
      await must(by.url, 'PUT', '/v1/settings', { token: admin, body: { display_photos_per_page: limit } })
      expect((await must(from.url, 'GET', '/v1/photos')).body.pagination.limit).toBe(limit)
    }

    // The system configuration: one server acts by it as soon as the other has answered the change.
    const configure = (body: object) => must(b.url, 'PUT', '/api/admin/config', { token: admin, body })
    const { token: writer } = await register(a.url)
    const create = async () => {
      const body = { title: 'one more', task_type: 'unknown' }
      return (await ask(a.url, 'POST', '/api/tasks', { token: writer, body }))?.status
    }
    for (const [change, status] of [
      [{ maintenance_mode: true }, 503],
      [{ maintenance_mode: false }, 201],
      [{ max_concurrent_tasks_per_user: 1 }, 429],
      [{ max_concurrent_tasks_per_user: 2 }, 201],
    ] as const) {
      await configure(change)
      expect([change, await create()]).toEqual([change, status])
    }
    await configure({ max_concurrent_tasks_per_user: 100 })
    const long = await addTask(a.url, owner, { steps: 10_000, step_ms: 100 })
    await reader.event('task.started', long)
    await configure({ default_task_timeout: 1 })
    await reader.event('task.failed', long, 15_000)
    expect((await showTask(a.url, owner, long)).failure_code).toBe('time_limit')
    await configure({ default_task_timeout: 3600 })

    // Revocation: of a person, of a session, of a node's token.
    await must(b.url, 'PUT', `/api/admin/users/${leaver.account.id}`, {
      token: admin,
      body: { is_active: false },
    })
    await soon("a deactivated user's socket on A is closed", () => leaver.closeCodes.includes(4403))
    const { token: ended } = forced.account
    const ofForced = `/v1/users/${forced.account.id}/sessions`
    const [session] = (await must(b.url, 'GET', ofForced, { token: admin })).body.data
    await must(b.url, 'DELETE', `${ofForced}/${session.id}`, { token: admin })
    await soon(
      'A takes the token of a session no more that was ended on B',
      async () => (await ask(a.url, 'GET', '/api/users/me', { token: ended }))?.status === 401,
    )
    await soon("the ended session's socket on A is closed", () => forced.closeCodes.includes(4403))
    await must(b.url, 'POST', '/api/v1/auth/logout', { token: owner.token })
    await soon('the socket on A is closed', () => reader.closeCodes.includes(4403))
    await soon(
      'A takes the token no more',
      async () => (await ask(a.url, 'GET', '/api/users/me', { token: owner.token }))?.status === 401,
    )
    await must(b.url, 'POST', `/api/gpu/servers/${nodeId}/rotate-token`, { token: admin })
    await soon("the socket of the node's old token is closed", () => node.closeCodes.includes(4403))
    expect([...reader.problems, ...node.problems, ...a.complaints, ...b.complaints]).toEqual([])
  })

  test.skipIf(skip || !withRedis)(
    'of 1,000 requests at once to both, exactly those within the limit pass',
    async () => {
      await using stack = new AsyncDisposableStack()
      const redis = stack.use(await RedisProcess.start())
      const { a, b } = await pair(stack, redis, shared, { RATE_LIMITS: 'on' })
      const { token } = await register(a.url)
      const headers = { authorization: `Bearer ${token}` }
      const search = async (n: number) =>
        (await fetch(`${n % 2 ? a.url : b.url}/v1/photos/search?q=none`, { headers })).status
      const statuses = await Promise.all(Array.from({ length: 1000 }, (_, n) => search(n)))
      const count = (status: number) => statuses.filter((one) => one === status).length
      expect([count(200), count(429)]).toEqual([60, 940])
      expect([...a.complaints, ...b.complaints]).toEqual([])
    },
  )

  test.skipIf(skip)('what a node on one says is shown on the other', async () => {
    await using stack = new AsyncDisposableStack()
    const { a, b } = await open(stack)
    const owner = await register(a.url)
    const { token, id: nodeId } = await addNode(a.url, 'node')
    const node = await beatingNode(stack, a, token)
    const task = await addTask(b.url, owner)
    const attempt = { task_id: task, attempt: (await node.next('assign')).attempt }
    node.send({ type: 'accept', ...attempt })

    const live = await openLive(b, owner.token, { topics: `task:${task},gpu:cluster,gpu:server:${nodeId}` })
    stack.defer(() => live.close())
    node.send({ type: 'progress', ...attempt, progress: 40, current_item: 'frame 40' })
    await live.next('task_update', ({ data }) => data.progress === 40 && data.current_item === 'frame 40')
    await live.next('gpu_update', ({ data }) => data.gpu_usage[0]?.usage === 50)
    await live.next(
      'gpu_cluster',
      ({ data }) => data.average_gpu_usage === 50 && data.total_running_tasks === 1,
    )
    node.send({ type: 'completed', ...attempt, result: {} })
    await live.next('task_update', ({ data }) => data.progress === 100)
    const admin = await signInAsAdmin(a.url)
    await must(a.url, 'DELETE', `/api/gpu/servers/${nodeId}`, { token: admin })
    await live.next('gpu_update', ({ data }) => data.status === 'offline')
    expect([...a.complaints, ...b.complaints]).toEqual([])
  })

  test.skipIf(skip)('readers that move between them miss nothing', async () => {
    const random = Random.announced(`two servers, ${withRedis ? 'with' : 'without'} Redis`)
    await using stack = new AsyncDisposableStack()
    const redis = withRedis ? stack.use(await RedisProcess.start()) : undefined
    const { databaseUrl, a, b } = await pair(stack, redis)
    const owner = await register(a.url)
    const node = stack.use(
      new ScriptedNode(() => random.pick([a, b]).wsUrl, (await addNode(a.url, 'node')).token),
    )
    await node.connected()
    const stays = await Promise.all(
      [a, b].map(({ wsUrl }, i) => stack.use(new Reader(`on ${'AB'[i]}`, () => wsUrl, owner)).ready()),
    )
    const chance = random.fork()
    const moves = await Promise.all(
      ['mover 1', 'mover 2'].map((name) =>
        stack.use(new Reader(name, () => chance.pick([a, b]).wsUrl, owner)).ready(),
      ),
    )
    const readers = [...stays, ...moves]
    const starts = readers.map(({ seq }) => seq)
    const made: string[] = []
    for (let i = 0; i < 60; i++) {
      const up = [a, b].filter(({ running }) => running)
      made.push(await addTask(random.pick(up).url, owner, { steps: 1, step_ms: 20 }))
      if (random.chance(0.5)) random.pick(moves).terminate()
      if (random.chance(0.1)) node.cut()
      if (i === 15) await redis?.kill()
      if (i === 30) await redis?.start()
      if (i === 40) await b.kill()
      if (i === 50) await b.start()
    }
    // A connection that is cut in the middle of an assignment costs an attempt; a third one ends the task.
    const ended = async (task: string) => {
      const { status, error_message } = await showTask(a.url, owner, task)
      return status === 'completed' || error_message?.includes('第 3 次尝试，共 3 次')
    }
    for (const task of made) await eventually(() => ended(task), `task ${task} ends`, 60_000)
    const head = await headOf(a.url, owner)
    for (const reader of readers) {
      await reader.reaches(head)
    }
    if (redis) {
      // With Redis, hints arrive again, so that events are no longer late.
      await eventually(async () => {
        const task = await addTask(b.url, owner)
        const before = performance.now()
        await stays[0]!.event('task.created', task)
        return performance.now() - before < 300
      }, 'hints come again')
      for (const reader of stays)
        await eventually(async () => reader.seq >= (await headOf(a.url, owner)), 'the end')
    }
    await eventually(() => node.held.size === 0, 'the node is rid of all')
    const last = await headOf(b.url, owner)
    for (const reader of readers) {
      await reader.reaches(last)
    }
    expect((await Promise.all([a.terminate(), b.terminate()])).map(({ code }) => code)).toEqual([0, 0])
    const history = await readHistory({ dataDir: a.dataDir, databaseUrl })
    expect([
      ...readers.flatMap((reader, i) => readerProblems(reader, history, starts[i])),
      ...gapProblems(history),
      ...lifeProblems(history),
      ...node.problems,
      ...a.complaints,
      ...b.complaints,
    ]).toEqual([])
  })
})

describe.concurrent('Redis goes away between two servers', () => {
  test.skipIf(!postgresBinaries || !hasRedis)(
    'how a task stands when it ends meanwhile is shown on both',
    async () => {
      await using stack = new AsyncDisposableStack()
      const redis = stack.use(await RedisProcess.start())
      const { a, b } = await pair(stack, redis)
      const owner = await register(a.url)
      const node = await beatingNode(stack, a, (await addNode(a.url, 'node')).token)
      const task = await addTask(a.url, owner)
      const attempt = { task_id: task, attempt: (await node.next('assign')).attempt }
      node.send({ type: 'accept', ...attempt })
      const live = await openLive(b, owner.token, { topics: `task:${task}` })
      stack.defer(() => live.close())
      node.send({ type: 'progress', ...attempt, progress: 50 })
      await live.next('task_update', ({ data }) => data.progress === 50)
      await redis.kill()
      node.send({ type: 'completed', ...attempt, result: {} })
      await node.next('ack')
      await redis.start()
      await live.next('task_update', ({ data }) => data.progress === 100)
      expect([...a.complaints, ...b.complaints]).toEqual([])
    },
  )
})

describe.concurrent('a node and two servers', () => {
  test.skipIf(!postgresBinaries)(
    'a node that moves to B keeps its task, though A still has a dead socket of it',
    async () => {
      await using stack = new AsyncDisposableStack()
      const { a, b } = await pair(stack)
      const owner: Account = await register(a.url)
      const reader = await stack.use(new Reader('on B', () => b.wsUrl, owner)).ready()
      let home = a
      const node = stack.use(new ScriptedNode(() => home.wsUrl, (await addNode(a.url, 'node')).token))
      await node.connected()
      const task = await addTask(a.url, owner, { steps: 100, step_ms: 100 })
      await reader.event('task.started', task)
      home = b
      node.replace()
      await eventually(() => node.connections === 2, 'B welcomes the node')
      await reader.event('task.completed', task, 30_000)
      expect(reader.story(task)).toEqual(['created 0', 'started 1', 'completed 1'])
      expect([...reader.problems, ...node.problems, ...a.complaints, ...b.complaints]).toEqual([])
    },
  )

  test.skipIf(!postgresBinaries)(
    "the database is away for longer than a lease: B does not take A's node for silent",
    async () => {
      await using stack = new AsyncDisposableStack()
      const cluster = stack.use(await PostgresCluster.start())
      const { a, b } = await pair(stack, undefined, cluster)
      const owner = await register(a.url)
      const reader = await stack.use(new Reader('on B', () => b.wsUrl, owner)).ready()
      const node = stack.use(new ScriptedNode(() => a.wsUrl, (await addNode(a.url, 'node')).token))
      await node.connected()
      const task = await addTask(a.url, owner, { steps: 160, step_ms: 100 })
      await reader.event('task.started', task)
      await Bun.sleep(4000)
      await cluster.crash()
      await Bun.sleep(7000)
      await cluster.start()
      await reader.event('task.completed', task, 30_000)
      expect(reader.story(task)).toEqual(['created 0', 'started 1', 'completed 1'])
      expect([...reader.problems, ...node.problems, ...a.complaints, ...b.complaints]).toEqual([])
    },
  )

  test.skipIf(!postgresBinaries)(
    'its server is killed and does not come back: the node goes on at the other',
    async () => {
      await using stack = new AsyncDisposableStack()
      const { a, b } = await pair(stack)
      const owner = await register(a.url)
      const reader = await stack.use(new Reader('on B', () => b.wsUrl, owner)).ready()
      let home = a
      const node = stack.use(new ScriptedNode(() => home.wsUrl, (await addNode(a.url, 'node')).token))
      await node.connected()
      const goesOn = await addTask(a.url, owner, { steps: 30, step_ms: 100 })
      await reader.event('task.started', goesOn)
      await a.kill()
      home = b
      await reader.event('task.completed', goesOn)
      expect(reader.story(goesOn)).toEqual(['created 0', 'started 1', 'completed 1'])

      // When the node vanishes together with its server, the other server notices.
      await a.start()
      home = a
      node.cut()
      await eventually(() => node.connections === 3, 'the node is on A')
      const orphan = await addTask(b.url, owner, { steps: 10_000, step_ms: 100 })
      await reader.event('task.started', orphan)
      // The server first: it must not see the node leave.
      const killed = a.kill()
      node.leave()
      node.forget()
      await killed
      expect((await reader.event('task.requeued', orphan)).data.reason).toContain('offline')
      expect([...reader.problems, ...node.problems, ...a.complaints, ...b.complaints]).toEqual([])
    },
  )
})
