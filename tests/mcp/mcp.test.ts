/** docs/mcp.md, with MCP's own client. */
import { afterAll, describe, expect, test } from 'bun:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema, type ElicitResult } from '@modelcontextprotocol/sdk/types.js'
import { userOfToken } from '../../src/core/accounts/access-tokens.ts'
import type { Actor } from '../../src/core/accounts/principals.ts'
import { TOOLS } from '../../src/core/agent/tools/index.ts'
import { McpSessions } from '../../src/mcp/sessions.ts'
import { api } from '../support/api.ts'
import { makeTask, makeUser, PASSWORD, signInAgain, type TestUser, unique } from '../support/factories.ts'
import { makePhoto } from '../support/photos.ts'
import { startServer } from '../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const url = new URL(`${server.url}/mcp`)
const page = await Bun.file(`${import.meta.dir}/../../docs/mcp.md`).text()

/** A client that answers questions so; without an answer, one that cannot ask. */
async function connect(
  { token }: Pick<TestUser, 'token'>,
  answer?: (question: string) => ElicitResult['action'] | Promise<ElicitResult['action']>,
) {
  const client = new Client(
    { name: 'test', version: '1' },
    { capabilities: answer ? { elicitation: { form: {} } } : {} },
  )
  if (answer) {
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      const action = await answer(params.message)
      return action === 'accept' ? { action, content: {} } : { action }
    })
  }
  const transport = new StreamableHTTPClientTransport(url, {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  })
  await client.connect(transport)
  return { client, transport }
}

type Connected = Awaited<ReturnType<typeof connect>>

async function call({ client }: Connected, name: string, args: Record<string, unknown> = {}) {
  const { content, structuredContent, isError = false } = await client.callTool({ name, arguments: args })
  const [{ text }] = content as [{ text: string }]
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
  return { text, isError, result: structuredContent as any }
}

const MCP_JSON = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
/** A message as it goes over the wire. */
const send = (headers: Record<string, string>, message: unknown, method = 'POST') =>
  fetch(url, {
    method,
    headers: { ...MCP_JSON, ...headers },
    ...(method === 'POST' && { body: JSON.stringify(message) }),
  })
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  },
}
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' }
const bearer = ({ token }: Pick<TestUser, 'token'>) => ({ authorization: `Bearer ${token}` })

describe('the tools', () => {
  test('are those of the agent, with what a client may expect of them', async () => {
    const { client } = await connect(await makeUser(server))
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(TOOLS.map(({ name }) => name))
    const hints = Object.fromEntries(tools.map(({ name, annotations }) => [name, annotations]))
    expect(hints.list_tasks).toMatchObject({ readOnlyHint: true })
    expect(hints.create_task).toMatchObject({ readOnlyHint: false, destructiveHint: false })
    expect(hints.cancel_task).toMatchObject({ readOnlyHint: false, destructiveHint: true })
    const search = tools.find(({ name }) => name === 'search_photos')!
    expect(search.inputSchema).toMatchObject({ type: 'object', required: ['query'] })
    expect(client.getServerVersion()).toMatchObject({ name: 'roost' })
    await client.close()
  })

  test('act as the signed-in user: tasks, schedule, photos', async () => {
    const owner = await makeUser(server)
    const [mine, other] = [await connect(owner), await connect(await makeUser(server))]
    const { result } = await call(mine, 'create_task', { title: 'nightly', task_type: 'test' })
    expect(result).toMatchObject({ title: 'nightly', status: 'pending' })
    const { body } = await api(server, 'GET', `/api/tasks/${result.id}`, { token: owner.token })
    expect(body.data.title).toBe('nightly')
    expect((await call(mine, 'list_tasks')).result).toMatchObject({ total: 1 })
    expect((await call(other, 'list_tasks')).result).toMatchObject({ total: 0 })
    expect(await call(other, 'show_task', { task_id: result.id })).toMatchObject({ isError: true })
    await call(mine, 'add_schedule_item', { title: 'Stand-up', start_at: '2027-03-22T09:00:00Z' })
    const { result: week } = await call(mine, 'list_schedule', { from: '2027-03-22', to: '2027-03-28' })
    expect(week.items).toMatchObject([{ title: 'Stand-up' }])
    expect(await call(mine, 'search_photos', { query: 'sunset' })).toMatchObject({
      isError: false,
      text: '{"total":0,"photos":[]}',
      result: { total: 0, photos: [] },
    })
    for (const { client } of [mine, other]) await client.close()
  })

  test('photos: only those that the user may see', async () => {
    const owner = await makeUser(server)
    const [mine, other] = [await connect(owner), await connect(await makeUser(server))]
    const title = unique('Lighthouse ')
    const shown = { title, tags: [unique('tag-')], exif: { camera: 'X-T5' } }
    const published = await makePhoto(server, owner, shown)
    const hidden = await makePhoto(server, owner, { ...shown, visibility: 'private' })
    const query = title.toLowerCase()
    const found = async (one: Connected) => {
      const { result } = await call(one, 'search_photos', { query, tags: shown.tags, limit: 5 })
      return result.photos.map(({ id, is_own }: { id: number; is_own: boolean }) => [id, is_own])
    }
    expect((await found(mine)).toSorted()).toEqual([
      [published, true],
      [hidden, true],
    ])
    expect(await found(other)).toEqual([[published, false]])
    expect((await call(other, 'show_photo', { photo_id: published })).result).toMatchObject({
      title,
      tags: shown.tags,
      camera: 'X-T5',
    })
    expect(await call(other, 'show_photo', { photo_id: hidden })).toMatchObject({ isError: true })
    const wrong = await call(mine, 'search_photos', { query, taken_from: '2027-02-30' })
    expect(wrong).toMatchObject({ isError: true, text: expect.stringContaining('taken_from') })
    for (const { client } of [mine, other]) await client.close()
  })

  test('the page has all of them', async () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'))
    const named = rows.flatMap((row) => row.split('|')[1]!.match(/\w+/g) ?? [])
    expect(named.sort()).toEqual(TOOLS.map(({ name }) => name).sort())
  })

  test('wrong input, a wrong object and an unknown tool', async () => {
    const connected = await connect(await makeUser(server))
    expect(await call(connected, 'show_task', { task_id: 'x' })).toMatchObject({
      isError: true,
      text: expect.stringContaining('/task_id'),
    })
    expect(await call(connected, 'show_task', { task_id: 1_000_000 })).toMatchObject({
      isError: true,
      text: 'The requested resource does not exist',
    })
    expect(await call(connected, 'search_photos', { query: 'a\0\ud800' })).toMatchObject({ isError: false })
    const deep = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`)
    expect(
      await call(connected, 'create_task', { title: 't', task_type: 'test', config: { deep } }),
    ).toMatchObject({ isError: true })
    await expect(call(connected, 'no_such_tool')).rejects.toThrow('There is no tool no_such_tool')
    await connected.client.close()
  })
})

test('the page gets a token by a request that signs in', async () => {
  const [, path = '', body = ''] =
    /http:\/\/localhost:8000(\/\S+\/login)[^']*'[^']*' \\\n {2}-d '([^']*)'/.exec(page)!
  const { email } = (await makeUser(server)).user
  const raw = body.replace('ada@example.com', email).replace('correct horse', PASSWORD)
  const { body: answer } = await api(server, 'POST', path, { raw })
  await (await connect({ token: answer.data.access_token })).client.close()
})

describe('before a destructive tool', () => {
  async function withTask(answer?: Parameters<typeof connect>[1]) {
    const owner = await makeUser(server)
    const task = await makeTask(server, owner)
    const status = async () =>
      (await api(server, 'GET', `/api/tasks/${task.id}`, { token: owner.token })).body.status
    const connected = await connect(owner, answer)
    return {
      owner,
      task,
      status,
      connected,
      cancel: () => call(connected, 'cancel_task', { task_id: task.id }),
    }
  }

  test('the client asks the user; a yes carries it out', async () => {
    const questions: string[] = []
    const { task, status, cancel, connected } = await withTask((question) => {
      questions.push(question)
      return 'accept'
    })
    expect(await cancel()).toMatchObject({ isError: false, result: { status: 'cancelled' } })
    expect(questions).toEqual([expect.stringContaining(`Cancel task ${task.id}`)])
    expect(await status()).toBe('cancelled')
    await connected.client.close()
  })

  test.each(['decline', 'cancel'] as const)('%s: nothing is done', async (action) => {
    const { status, cancel, connected } = await withTask(() => action)
    expect(await cancel()).toMatchObject({ isError: true, text: expect.stringContaining('Nothing was done') })
    expect(await status()).toBe('pending')
    await connected.client.close()
  })

  test('a client that cannot ask is refused, and told why', async () => {
    const { status, cancel, connected } = await withTask()
    expect(await cancel()).toMatchObject({ isError: true, text: expect.stringContaining('elicitation') })
    expect(await status()).toBe('pending')
    await connected.client.close()
  })

  test('one question at a time', async () => {
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<'accept'>()
    const { status, cancel, connected } = await withTask(() => {
      asked.resolve()
      return answer.promise
    })
    const first = cancel()
    await asked.promise
    expect(await cancel()).toMatchObject({ isError: true, text: expect.stringContaining('Another question') })
    answer.resolve('accept')
    expect(await first).toMatchObject({ isError: false })
    expect(await status()).toBe('cancelled')
    await connected.client.close()
  })

  test('one question at a time, also of two calls that come together', async () => {
    const answer = Promise.withResolvers<'accept'>()
    let questions = 0
    const { status, cancel, connected } = await withTask(() => {
      if (++questions === 2) answer.resolve('accept')
      return answer.promise
    })
    const calls = [cancel(), cancel()]
    expect(await Promise.race(calls)).toMatchObject({
      isError: true,
      text: expect.stringContaining('Another question'),
    })
    answer.resolve('accept')
    await Promise.all(calls)
    expect([questions, await status()]).toEqual([1, 'cancelled'])
    await connected.client.close()
  })

  test('a client that leaves has not confirmed, and may come back', async () => {
    const asked = Promise.withResolvers<void>()
    const { owner, task, status, cancel, connected } = await withTask(() => {
      asked.resolve()
      return new Promise(() => {})
    })
    const left = cancel().catch(() => 'left')
    await asked.promise
    await connected.client.close()
    expect(await left).toBe('left')
    expect(await status()).toBe('pending')
    const again = await connect(owner, () => 'accept')
    expect(await call(again, 'cancel_task', { task_id: task.id })).toMatchObject({ isError: false })
    await again.client.close()
  })

  test('an answer that is malformed is no yes, and no fault of the server', async () => {
    const { owner, task, status, connected } = await withTask(() => 'accept')
    const session = { ...bearer(owner), 'mcp-session-id': connected.transport.sessionId! }
    const params = { name: 'cancel_task', arguments: { task_id: task.id } }
    const asking = await send(session, { jsonrpc: '2.0', id: 9, method: 'tools/call', params })
    const events = asking.body!.pipeThrough(new TextDecoderStream()).getReader()
    const { id } = JSON.parse((await events.read()).value!.split('data: ')[1]!)
    await send(session, { jsonrpc: '2.0', id, result: { action: 'perhaps' } })
    expect((await events.read()).value).toContain('The user did not answer')
    expect(await status()).toBe('pending')
    await connected.client.close()
  })

  test('a user who has signed out meanwhile has not confirmed', async () => {
    const signOut = Promise.withResolvers<TestUser>()
    const { owner, task, cancel, connected } = await withTask(async (): Promise<ElicitResult['action']> => {
      const { token } = await signOut.promise
      await api(server, 'POST', '/api/v1/auth/logout', { token })
      return 'accept'
    })
    signOut.resolve(owner)
    expect(await cancel()).toMatchObject({ isError: true })
    const { token } = await signInAgain(server, owner)
    expect((await api(server, 'GET', `/api/tasks/${task.id}`, { token })).body.status).toBe('pending')
    await connected.client.close()
  })
})

describe('sessions', () => {
  async function begin(user: TestUser) {
    const response = await send(bearer(user), INITIALIZE)
    await response.text()
    return { ...bearer(user), 'mcp-session-id': response.headers.get('mcp-session-id')! }
  }

  test('an ended session is 404, also for the SDK; a session of another user too', async () => {
    const owner = await makeUser(server)
    const { client, transport } = await connect(owner)
    const id = transport.sessionId!
    expect((await send({ ...bearer(await makeUser(server)), 'mcp-session-id': id }, LIST)).status).toBe(404)
    await transport.terminateSession()
    expect((await send({ ...bearer(owner), 'mcp-session-id': id }, LIST)).status).toBe(404)
    await client.close()
  })

  test('a user has 20; the one that was used longest ago ends', async () => {
    const owner = await makeUser(server)
    const all = []
    for (let i = 0; i < 20; i++) all.push(await begin(owner))
    expect((await send(all[0]!, LIST)).status).toBe(200)
    all.push(await begin(owner))
    const statuses = await Promise.all(all.map(async (session) => (await send(session, LIST)).status))
    expect(statuses).toEqual(all.map((_, i) => (i === 1 ? 404 : 200)))
  })

  test('a session ends by itself when it is idle, and its streams with it', async () => {
    const owner = await makeUser(server)
    const task = await makeTask(server, owner)
    const signedIn = await userOfToken(server.ctx, owner.token)
    if (typeof signedIn === 'string') throw new Error(signedIn)
    const who = { ...signedIn.principal, client: {} as Actor['client'] }
    const sessions = new McpSessions(server.ctx, 200)
    const handle = (message: object, session: Record<string, string> = {}) => {
      const body = JSON.stringify(message)
      const request = new Request(url.href, { method: 'POST', headers: { ...MCP_JSON, ...session }, body })
      return sessions.handle({ who, language: 'en', request })
    }
    const capabilities = { elicitation: { form: {} } }
    const params = { name: 'cancel_task', arguments: { task_id: task.id } }
    const ask = async () => {
      const begun = await handle({ ...INITIALIZE, params: { ...INITIALIZE.params, capabilities } })
      const session = { 'mcp-session-id': begun.headers.get('mcp-session-id')! }
      return {
        session,
        stream: await handle({ jsonrpc: '2.0', id: 2, method: 'tools/call', params }, session),
      }
    }
    let asked = await ask()
    // A machine that is slow enough has ended the session already.
    while (asked.stream.status === 404) asked = await ask()
    expect(await asked.stream.text()).not.toContain('"result"')
    expect((await handle(LIST, asked.session)).status).toBe(404)
  })

  test('a message without a session, or that is none: 400; too large: 413; GET is 405', async () => {
    const owner = bearer(await makeUser(server))
    expect((await send(owner, LIST)).status).toBe(400)
    expect((await send(owner, 'hello')).status).toBe(400)
    expect((await send(owner, { ...LIST, params: { _meta: { a: 'x'.repeat(1_100_000) } } })).status).toBe(413)
    const stream = await send(owner, undefined, 'GET')
    expect(stream.status).toBe(405)
    expect(stream.headers.get('allow')).toBe('POST, DELETE, OPTIONS')
  })
})

describe('who may call', () => {
  test('signed out, or with a wrong token: 401, and how to sign in', async () => {
    const out = await send({}, INITIALIZE)
    expect(out.status).toBe(401)
    expect(out.headers.get('www-authenticate')).toBe('Bearer')
    const wrong = await send({ authorization: 'Bearer nonsense' }, INITIALIZE)
    expect(wrong.status).toBe(401)
    expect(wrong.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
    await expect(connect({ token: 'nonsense' })).rejects.toThrow()
  })

  test('a page of another origin: 403; of the server itself: 200', async () => {
    const owner = bearer(await makeUser(server))
    expect((await send({ ...owner, origin: 'https://evil.example' }, INITIALIZE)).status).toBe(403)
    expect((await send({ ...owner, origin: server.url }, INITIALIZE)).status).toBe(200)
  })
})

test('with RATE_LIMITS=on, the messages of a batch count each', async () => {
  const limited = await startServer({ RATE_LIMITS: 'on' })
  try {
    const owner = bearer(await makeUser(limited))
    const post = (headers: Record<string, string>, message: unknown) =>
      fetch(`${limited.url}/mcp`, {
        method: 'POST',
        headers: { ...MCP_JSON, ...owner, ...headers },
        body: JSON.stringify(message),
      })
    const begun = await post({}, INITIALIZE)
    await begun.text()
    const call = { ...LIST, method: 'tools/call', params: { name: 'list_tasks', arguments: {} } }
    const batch = Array.from({ length: 100 }, (_, id) => ({ ...(id % 2 ? LIST : call), id }))
    const refused: number[] = []
    for (let i = 0; i < 4; i++) {
      const answer = await post({ 'mcp-session-id': begun.headers.get('mcp-session-id')! }, batch)
      refused.push((await answer.text()).split('Too many requests').length - 1)
    }
    expect(refused).toEqual([0, 0, 0, 100])
  } finally {
    await limited.stop()
  }
})
