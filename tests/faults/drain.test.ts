/**
 * Protects docs/operations.md, "Start, stop, health": at SIGTERM the server tells every socket when to come back, closes it
 * with 1012, and ends soon, whatever connections are open; and no second process opens a data directory that is in use.
 */
import { describe, expect, test } from 'bun:test'
import { MailServer } from '../support/mail.ts'
import { NO_POSTGRES, PostgresCluster, postgresBinaries } from '../support/postgres.ts'
import { eventually, freePort, ServerProcess } from '../support/process.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { addNode, addTask, ask, register } from './client.ts'
import { openParts } from './parts.ts'
import { Reader } from './reader.ts'
import { ScriptedNode } from './scripted-node.ts'

const STOP_MS = 5000

if (!postgresBinaries) console.log(`skipped: SIGTERM while the database hangs: ${NO_POSTGRES}`)

/** A connection that has received its answer and stays open for the next request. */
async function idleConnection(url: string): Promise<Bun.Socket<undefined>> {
  const { hostname, port } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = await Bun.connect({ hostname, port: Number(port), socket: { data: () => resolve() } })
  socket.write(`GET /health HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`)
  await promise
  return socket as Bun.Socket<undefined>
}

describe.concurrent('the end of a server', () => {
  test('every socket is told to come back, whatever state it is in', async () => {
    await using stack = new AsyncDisposableStack()
    const parts = stack.use(await openParts('embedded'))
    const server = stack.use(await ServerProcess.start(parts.env))
    const { url, wsUrl } = server
    const owner = await register(url)
    const readers = await Promise.all(
      ['one', 'two', 'three'].map((name) => stack.use(new Reader(name, () => wsUrl, owner)).ready()),
    )
    const node = await stack
      .use(new ScriptedNode(() => wsUrl, (await addNode(url, 'node')).token))
      .connected()
    const task = await addTask(url, owner, { steps: 1000, step_ms: 100 })
    await readers[0]!.event('task.started', task)
    const deaf = await stack.use(new Reader('reads nothing', () => wsUrl, owner)).ready()
    deaf.pause()
    const strangers: (number | undefined)[] = []
    const stranger = new RawWebSocket(`${wsUrl}/ws/connect`, {
      text() {},
      closed: (code) => strangers.push(code),
    })
    stack.defer(() => stranger.terminate())
    for (let i = 0; i < 5; i++) {
      const idle = await idleConnection(url)
      stack.defer(() => void idle.end())
    }

    const { code, ms } = await server.terminate()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(STOP_MS)
    await eventually(() => strangers.length > 0, 'the socket that never signed in is closed')
    await eventually(() => node.closeCodes.length > 0, "the node's socket is closed")
    expect([strangers[0], node.closeCodes[0]]).toEqual([1012, 1012])
    for (const reader of readers) {
      await eventually(() => reader.closeCodes.length > 0, `${reader.name} is closed`)
      expect(reader.closeCodes[0]).toBe(1012)
      expect(reader.others).toContainEqual({ type: 'draining', reconnect_after_ms: expect.any(Number) })
    }
    expect(node.frames('draining')).toHaveLength(1)

    // The sockets connect again.
    deaf.resume()
    await server.start()
    await eventually(() => node.connections === 2, 'the node is back')
    const next = await addTask(url, owner, { steps: 1 })
    for (const reader of [...readers, deaf]) await reader.event('task.completed', next)
    expect(readers[0]!.story(task)).toEqual(['created 0', 'started 1'])
    expect([...readers.flatMap(({ problems }) => problems), ...node.problems, ...server.complaints]).toEqual(
      [],
    )
  })

  test('a request that is under way is answered, a new one refused', async () => {
    await using parts = await openParts('embedded')
    await using server = await ServerProcess.start(parts.env)
    const { url } = server
    const owner = await register(url)
    const body = { title: 'late', task_type: 'test' }
    const { token } = owner
    const under = Array.from({ length: 5 }, () => ask(url, 'POST', '/api/tasks', { token, body }))
    await ask(url, 'GET', '/health')
    const { code } = await server.terminate()
    expect(code).toBe(0)
    const answered = (await Promise.all(under)).filter((reply) => reply?.status === 201)
    expect(await ask(url, 'GET', '/health')).toBeUndefined()
    await server.start()
    const { total } = (await ask(url, 'GET', '/api/tasks', { token }))!.body
    // Every request with an answer is stored, and every request without one was not begun.
    expect(total).toBe(answered.length)
    expect(server.complaints).toEqual([])
  })

  test('a job that takes too long is left to the next start', async () => {
    const begun = Promise.withResolvers<void>()
    let hangs = true
    await using mails = await MailServer.start({
      disabledCommands: ['STARTTLS'],
      onMailFrom(_address, _session, callback) {
        begun.resolve()
        if (!hangs) callback()
      },
    })
    await using parts = await openParts('embedded')
    await using server = await ServerProcess.start({ ...parts.env, SMTP_URL: mails.url })
    const body = { username: 'late', email: 'late@example.com', password: 'S3cret-Password' }
    const asked = await ask(server.url, 'POST', '/api/v1/auth/verifications', { body })
    expect(asked?.status).toBe(202)
    await begun.promise
    const { code, ms } = await server.terminate()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(STOP_MS)
    hangs = false
    await server.start()
    await mails.to(body.email)
    expect(server.complaints).toEqual([])
  })

  test('a second process on its data directory, or its port, says why it does not start', async () => {
    await using parts = await openParts('embedded')
    await using first = await ServerProcess.start(parts.env)
    const second = ServerProcess.start({ DATA_DIR: first.dataDir, PORT: String(freePort()) })
    await expect(second).rejects.toThrow(`Another process uses the data directory ${first.dataDir}`)
    const other = ServerProcess.start({ PORT: new URL(first.url).port })
    await expect(other).rejects.toThrow('is in use')
    // The first server still works.
    const owner = await register(first.url)
    expect((await first.terminate()).code).toBe(0)
    await using third = await ServerProcess.start({ DATA_DIR: first.dataDir })
    expect((await ask(third.url, 'GET', '/api/users/me', { token: owner.token }))?.status).toBe(200)
    expect([...third.complaints]).toEqual([])
  })

  test.skipIf(!postgresBinaries)('also while the database hangs', async () => {
    await using cluster = await PostgresCluster.start()
    await using server = await ServerProcess.start({ DATABASE_URL: await cluster.createDatabase() })
    const owner = await register(server.url)
    await using reader = await new Reader('owner', () => server.wsUrl, owner).ready()
    // Its readings are what a stopping server writes last.
    const { token } = await addNode(server.url, 'node')
    await using node = await new ScriptedNode(() => server.wsUrl, token).connected()
    cluster.freeze()
    const hangs = ask(server.url, 'GET', '/api/tasks', { token: owner.token })
    await Bun.sleep(500)
    const { ms } = await server.terminate()
    expect(ms).toBeLessThan(STOP_MS + 500)
    await hangs
    await eventually(() => reader.closeCodes.length > 0, 'the socket is closed')
    expect([reader.closeCodes[0], node.closeCodes[0]]).toEqual([1012, 1012])
  })
})
