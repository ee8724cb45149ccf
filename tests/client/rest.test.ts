/** The client's REST against a real server. */
import { afterAll, expect, expectTypeOf, test } from 'bun:test'
import { inspect } from 'node:util'
import { connect, dataOf, RoostError, rest } from '../../src/client/index.ts'
import { makeUser, unique } from '../support/factories.ts'
import { form, pdf } from '../support/files.ts'
import { startServer } from '../support/server.ts'

const server = await startServer({ RATE_LIMITS: 'on' })
afterAll(() => server.stop())
const admin = await makeUser(server, { role: 'super_admin', balanceMinor: 100_000 })
const roost = rest({ url: server.url, token: admin.token })

const page = { page: 1, page_size: 5 }

test('each contract has its routes under its base URL, with the types of its answers', async () => {
  const name = unique('tag')
  const tag = await dataOf(roost.portfolio.tags.post({ name }))
  expectTypeOf(tag.data.id).toEqualTypeOf<number>()
  expect(tag.data.name).toBe(name)
  const task = await dataOf(roost.factory.tasks.post({ title: name, task_type: 'test' }))
  expectTypeOf(task.data.id).toEqualTypeOf<string>()
  const logs = await dataOf(roost.study.tasks({ id: task.id }).logs.get({ query: { limit: 10 } }))
  expect(logs).toBeArray()
  const code = await dataOf(roost.runtime['invite-codes'].post({ max_uses: 3 }))
  expectTypeOf(code.max_uses).toEqualTypeOf<number | null>()
  const materials = await dataOf(
    roost.learning.materials.get({ query: { ...page, sort_by: 'created_at', sort_order: 'asc' } }),
  )
  expect(materials.items).toEqual([])
})

test('a time stays a text, and an answer without a body is undefined', async () => {
  const start_at = '2030-01-01T09:00:00.000Z'
  const item = await dataOf(roost.runtime['schedule-items'].post({ title: 'a', start_at }))
  expect(item.start_at).toBe(start_at)
  const gone = await roost.runtime['schedule-items']({ id: item.id }).delete()
  expect(gone).toMatchObject({ error: null, status: 204 })
  expect(gone.data).toBeUndefined()
})

test('a parameter is encoded', async () => {
  const { error } = await roost.runtime['invite-codes']({ code: '../users/me?x#y' }).get()
  expect(error).toMatchObject({ status: 404 })
  expect(error?.code).toContain('NOT_FOUND')
})

test('a file is a Blob, and a form goes as it is', async () => {
  const title = unique('paper ')
  const parts = form(['title', title], ['file', pdf(), 'a.pdf'])
  expect(await dataOf(roost.learning.upload.post(parts))).toMatchObject({ title, type: 'pdf' })
  const statement = await dataOf(roost.factory.recharge.statement.get())
  expect(await statement.text()).toContain('1000.00')
})

test.each([
  ['learning', () => roost.learning.materials({ material_id: 999_999 }).get()],
  ['runtime', () => roost.runtime['schedule-items']({ id: crypto.randomUUID() }).get()],
  ['factory', () => roost.factory.gpu.servers({ server_id: crypto.randomUUID() }).delete()],
  ['study', () => roost.study.tasks({ id: 999_999 }).logs.get({ query: { limit: 1 } })],
  ['portfolio', () => roost.portfolio.photos({ id: 999_999 }).get()],
])('an error of %s has a code, a text and details', async (_, call) => {
  const { data, error } = await call()
  expect(data).toBeNull()
  expect(error).toBeInstanceOf(RoostError)
  expect(error).toMatchObject({ status: 404, code: expect.stringMatching(/NOT_FOUND/) })
  expect(error!.message.length).toBeGreaterThan(5)
  expect(error!.details).toBeObject()
})

test('below the path of a proxy, requests and the live channel go there too', async () => {
  const paths: string[] = []
  const proxy = Bun.serve({
    port: 0,
    fetch(request) {
      const { pathname, search } = new URL(request.url)
      paths.push(pathname)
      if (request.headers.has('upgrade')) return new Response('blocked', { status: 403 })
      return fetch(server.url + pathname.replace('/roost', '') + search, request)
    },
  })
  const url = `http://127.0.0.1:${proxy.port}/roost/`
  const behind = rest({ url, token: admin.token })
  expect((await behind.runtime.users.me.get()).error).toBeNull()
  expect((await behind.fetch('/api/events')).status).toBe(200)
  const live = connect({ url, token: admin.token })
  await new Promise<void>((resolve) => live.onStatus((status) => status === 'polling' && resolve()))
  live.close()
  expect(paths.length).toBeGreaterThan(3)
  expect(paths.filter((path) => !path.startsWith('/roost/'))).toEqual([])
  await proxy.stop(true)
})

test('the token goes to no other server', async () => {
  const seen: (string | null)[] = []
  const other = Bun.serve({
    port: 0,
    fetch(request) {
      seen.push(request.headers.get('authorization'))
      return new Response(null, { status: 401 })
    },
  })
  expect((await roost.fetch(`http://127.0.0.1:${other.port}/photo.jpg`)).status).toBe(401)
  expect((await roost.fetch(`${server.url}/api/users/me`)).status).toBe(200)
  expect(seen).toEqual([null])
  await other.stop(true)
})

test('a tree that is awaited or shown sends nothing', async () => {
  const tree = await Promise.resolve(roost.learning.materials)
  expect(inspect(tree)).toBeString()
  expect((await tree.get({ query: { ...page, sort_by: 'created_at', sort_order: 'asc' } })).error).toBeNull()
})

test('wrong fields are in the details; the language is the one that was asked for', async () => {
  const wrong = { title: 7 as unknown as string, task_type: 'test' }
  for (const [language, text] of [
    ['en', /[a-z]/],
    ['zh', /[一-鿿]/],
  ] as const) {
    const { error } = await rest({ url: server.url, token: admin.token, language }).factory.tasks.post(wrong)
    expect(error).toMatchObject({ status: 422, details: { field_errors: { title: expect.any(Array) } } })
    expect(error?.message).toMatch(text)
  }
})

test('a refused token is renewed, and the call sent once more', async () => {
  const calls: boolean[] = []
  const { runtime } = rest({
    url: server.url,
    token: (refused) => {
      calls.push(refused)
      return refused ? admin.token : 'an old token'
    },
  })
  expect(await dataOf(runtime.users.me.get())).toMatchObject({ username: admin.user.username })
  expect(calls).toEqual([false, false, true])
})

test('a token that another call has renewed in the meantime is not renewed again', async () => {
  const tokens = ['an old token', admin.token]
  const { runtime } = rest({ url: server.url, token: (refused) => (refused ? 'none' : tokens.shift()!) })
  expect((await runtime.users.me.get()).error).toBeNull()
})

test('a call is sent at most twice, and a token that is a text once', async () => {
  let asked = 0
  const renewing = rest({ url: server.url, token: () => `old ${asked++}` })
  expect((await renewing.runtime.users.me.get()).error).toMatchObject({ status: 401 })
  expect(asked).toBe(2)
  const { error } = await rest({ url: server.url, token: 'old' }).runtime.users.me.get()
  expect(error).toMatchObject({ status: 401 })
})

test('what gives no answer is an error with status 0', async () => {
  const nobody = rest({ url: 'http://127.0.0.1:9' })
  expect((await nobody.runtime.health.get()).error).toMatchObject({ status: 0, code: 'UNREACHABLE' })
  const ended = roost.runtime.users.me.get({ signal: AbortSignal.abort() })
  expect((await ended).error).toMatchObject({ status: 0, code: 'ABORTED' })
  const failing = rest({ url: server.url, token: () => Promise.reject(new RoostError(401, 'GONE', 'gone')) })
  expect((await failing.runtime.users.me.get()).error).toMatchObject({ status: 401, code: 'GONE' })
})

test.each([
  ['that breaks off', 'content-length: 100\r\ncontent-type: application/json\r\n\r\n{"a"'],
  ['that is no JSON', 'content-length: 4\r\ncontent-type: application/json\r\n\r\n<ok>'],
])('an answer %s is an error, and no exception', async (_, head) => {
  const broken = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket) {
        socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n${head}`)
      },
    },
  })
  const { runtime } = rest({ url: `http://127.0.0.1:${broken.port}` })
  expect((await runtime.health.get()).error).toMatchObject({ status: 0, code: 'UNREACHABLE' })
  broken.stop(true)
})

test('a server that redirects is told with where to, and nothing goes there', async () => {
  let visits = 0
  const other = Bun.serve({ port: 0, fetch: () => Response.json({ visits: ++visits }) })
  const moved = Bun.serve({ port: 0, fetch: () => Response.redirect(`${other.url}there`, 302) })
  const { runtime, fetch } = rest({ url: moved.url.href, token: admin.token })
  const error = {
    status: 302,
    code: 'REDIRECTED',
    message: expect.stringContaining(`redirects to ${other.url}there: give the URL of that server`),
  }
  expect((await runtime.users.me.get()).error).toMatchObject(error)
  expect((await runtime['schedule-items'].post({ title: 'a', start_at: '2030' })).error).toMatchObject(error)
  await expect(fetch('/api/events')).rejects.toMatchObject(error)
  expect(visits).toBe(0)
  await moved.stop(true)
  await other.stop(true)
})

test('the seconds of a rate limit are in the error', async () => {
  const wrong = { email: unique('nobody'), password: 'a wrong one' }
  const answers = []
  for (let tries = 0; tries < 11; tries++) answers.push(await roost.runtime.auth.sessions.post(wrong))
  const { error } = answers.at(-1)!
  expect(error).toMatchObject({ status: 429 })
  expect(error?.retryAfter).toBeWithin(1, 301)
})
