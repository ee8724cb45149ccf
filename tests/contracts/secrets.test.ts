/**
 * Every secret that the product knows, sent to every route in its path, query, header fields and body, and over both sockets: no
 * log shows one. The logs are the standard output with all levels, the table `system_logs` and the audit log.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { descriptionOf } from '../../src/http/openapi/route.ts'
import { createLogger } from '../../src/util/logger.ts'
import { api } from '../support/api.ts'
import { type MountedRoute, mountedRoutes } from '../support/described.ts'
import {
  makeNode,
  makeTask,
  makeUser,
  PASSWORD,
  signInAgain,
  type TestUser,
  unique,
} from '../support/factories.ts'
import { codeIn, mailTo, resetTokenIn } from '../support/mail.ts'
import { ModelServer } from '../support/model-server.ts'
import { query, startServer } from '../support/server.ts'
import { heartbeat, openLive, openNode, TestSocket } from '../support/sockets.ts'

/** Repeats the key in its error, as some do. */
const model: ModelServer = new ModelServer(() =>
  Response.json({ error: { message: `wrong key: ${model.env.LLM_API_KEY}` } }, { status: 401 }),
)
const ENV = {
  ...model.env,
  JWT_SECRET: 'jwt-s3cret-of-the-server-0123456789abcdef',
  METRICS_TOKEN: 'metrics-t0ken-0123456789',
  LOG_LEVEL: 'trace',
}
const printed: string[] = []
const server = await startServer(ENV, {
  log: createLogger('trace', { write: (line) => void printed.push(line) }),
})
afterAll(async () => {
  await server.stop()
  model[Symbol.dispose]()
})

/** By what they are. */
const secrets: Record<string, string> = { jwtSecret: ENV.JWT_SECRET, metricsToken: ENV.METRICS_TOKEN }
/** Nobody can tell these from other texts: they are secrets where a password belongs. */
const passwords: Record<string, string> = {
  password: PASSWORD,
  newPassword: 'N3w! battery staple',
  studyPassword: 'cx-p4ssword & more',
  lettersOnly: 'correcthorsebattery',
  llmKey: model.env.LLM_API_KEY!,
}
let admin: TestUser
/** Reads the logs. No request of the test ends its session. */
let reader: TestUser

const post = async (path: string, body: object, token?: string, headers = {}) => {
  const answer = await api(server, 'POST', path, { body, token, headers })
  expect([path, answer.status < 300]).toEqual([path, true])
  return answer.body
}

/** Makes every secret as its owner does, and uses it. */
beforeAll(async () => {
  admin = await makeUser(server, { role: 'super_admin' })
  reader = await makeUser(server, { role: 'admin' })
  const { user, token } = await makeUser(server)
  Object.assign(secrets, { accessToken: token })
  const signedIn = (await post('/api/auth/login', { username: user.username, password: PASSWORD })).data
  const { refresh_token: used } = signedIn
  const tokens = await post('/api/v1/auth/refresh', { refresh_token: used })
  const { ticket } = (await post('/api/ws/ticket', {}, token)).data
  const { token: nodeToken } = await makeNode(server)
  const webhook = { url: 'https://hooks.example/path-s3cret/0123456789', events: ['photo.created'] }
  const { secret } = (await post('/v1/webhooks', webhook, admin.token)).data
  const feed = await post('/api/v1/schedule-items/feed', {}, token)
  const batch = { amount: 1, batch_size: 1, max_uses: 5 }
  const key = 'idempotency-k3y-0123456789'
  const { codes } = (await post('/api/recharge/codes', batch, admin.token, { 'idempotency-key': key })).data
  await post('/api/recharge/redeem', { code: codes[0].code }, token, { 'idempotency-key': `${key}-2` })
  await api(server, 'PUT', '/api/user/config', {
    token,
    body: { cx_username: '13800138000', cx_password: passwords.studyPassword },
  })
  await post('/api/auth/forgot-password', { email: user.email })
  const resetToken = resetTokenIn(await mailTo(server, user.email))
  const invite = await post('/api/v1/invite-codes', { max_uses: 5 }, admin.token)
  const email = `new-${user.email}`
  await post('/api/v1/auth/verifications', {
    username: unique('new'),
    email,
    password: passwords.newPassword,
    invite_code: invite.code,
  })
  Object.assign(passwords, { inviteCode: invite.code, mailCode: codeIn(await mailTo(server, email)) })
  Object.assign(secrets, {
    refreshToken: tokens.refresh_token,
    usedRefreshToken: used,
    secondAccessToken: tokens.access_token,
    ticket,
    nodeToken,
    webhookSecret: secret,
    webhookPath: 'path-s3cret/0123456789',
    feedToken: feed.token,
    rechargeCode: codes[0].code,
    resetToken,
  })
  for (const [name, value] of Object.entries(secrets))
    expect([name, typeof value, value.length > 8]).toEqual([name, 'string', true])
})

const all = () => ({ ...secrets, ...passwords })
/** In a path, a number is an id, and no path has a mailed code. */
const inPaths = () => Object.values(all()).filter((value) => value !== passwords.mailCode)
const joined = () => Object.values(all()).join(' ~ ')
const SECRET_FIELD = /password|secret|token|code|key/i

/** Valid as far as the example is, with a secret in each field that is for one; the unknown fields have all of them. */
function bodyOf(route: MountedRoute, turn: number): Record<string, unknown> {
  const tokens = Object.values(secrets)
  const example = descriptionOf(route.hooks)?.example ?? {}
  const own = Object.entries(example).map(([name, value]) => [
    name,
    SECRET_FIELD.test(name) && typeof value === 'string'
      ? Object.values(all())[turn % Object.keys(all()).length]
      : value,
  ])
  const properties = (route.hooks.body as { properties?: object } | undefined)?.properties ?? {}
  const declared = Object.keys(properties).map((name, n) => [name, tokens[(turn + n) % tokens.length]])
  // In turns: what an example makes of the fields, and a secret in each of them.
  return { ...Object.fromEntries(turn % 2 === 0 ? own : declared), unknown: all(), api_key: joined() }
}

const queryOf = () =>
  new URLSearchParams({ ...all(), search: secrets.accessToken!, q: secrets.refreshToken! }).toString()
const headersOf = () => ({
  'user-agent': `agent ${secrets.accessToken} ${secrets.rechargeCode}`,
  referer: `https://page.example/?token=${secrets.accessToken}`,
  origin: `https://u:${secrets.nodeToken}@page.example/${secrets.feedToken}`,
  cookie: Object.entries(secrets)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('; '),
  'x-api-key': joined(),
  'x-request-id': secrets.refreshToken!,
  'x-forwarded-for': secrets.ticket!,
  'accept-language': secrets.accessToken!,
  'idempotency-key': secrets.nodeToken!,
  'if-none-match': secrets.feedToken!,
})

async function ask(route: MountedRoute, turn: number, how: 'body' | 'broken' | 'path') {
  const values = inPaths()
  const segment = how === 'path' ? joined() : values[turn % values.length]!
  const path = route.path.replace(/:\w+|\*/g, () => encodeURIComponent(segment))
  const body = bodyOf(route, turn)
  const text = how === 'broken' ? `${JSON.stringify(body).slice(0, -1)},` : JSON.stringify(body)
  const hasBody = route.method !== 'GET' && route.method !== 'HEAD'
  // Some routes end sessions.
  if (turn % 60 === 0) admin = await signInAgain(server, admin)
  const token = [admin.token, undefined, secrets.nodeToken][turn % 3]
  const answer = await fetch(`${server.url}${path}?${queryOf()}`, {
    method: route.method,
    headers: {
      ...headersOf(),
      ...(token && { authorization: `Bearer ${token}` }),
      ...(hasBody && { 'content-type': 'application/json' }),
    },
    redirect: 'manual',
    ...(hasBody && { body: text }),
  })
  await answer.body?.cancel()
  return answer.status
}

/** Whether the text has the value. A short one has to be a whole word, because parts of ids look like it. */
const has = (text: string, value: string): boolean =>
  value.length > 8 ? text.includes(value) : new RegExp(`\\b${value}\\b`).test(text)

/** The names of the secrets that a text shows, in any form in which it may stand there. */
function shownIn(text: string): string[] {
  const forms = (value: string) => [
    value,
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    Buffer.from(value).toString('base64'),
  ]
  return Object.entries(all()).flatMap(([name, value]) =>
    forms(value).some((form) => has(text, form)) ? [name] : [],
  )
}

async function logged(): Promise<Record<string, string[]>> {
  await server.ctx.services.systemLog.flush()
  const day = new Date().toISOString().slice(0, 10)
  const file = async (type: string) =>
    (
      await fetch(`${server.url}/api/logs/download?log_type=${type}&date=${day}`, {
        headers: { authorization: `Bearer ${reader.token}` },
      })
    ).text()
  const audited = await query(server, sql`select to_jsonb(a)::text as entry from audit_log a`)
  return {
    'standard output': printed,
    system_logs: (await file('system')).split('\n'),
    audit_log: audited.map(({ entry }) => entry as string),
  }
}

async function expectNoSecrets(): Promise<void> {
  for (const [where, lines] of Object.entries(await logged())) {
    expect(lines.length).toBeGreaterThan(20)
    const found = lines.flatMap((line) => shownIn(line).map((name) => ({ where, name, line })))
    expect(found).toEqual([])
  }
}

test('what shows a secret is found', () => {
  expect(shownIn(`{"path":"/x/${encodeURIComponent(passwords.studyPassword!)}"}`)).toEqual(['studyPassword'])
  expect(shownIn(`{"a":"${Buffer.from(secrets.ticket!).toString('base64')}"}`)).toEqual(['ticket'])
  expect(shownIn(`{"code":"${passwords.mailCode}"}`)).toEqual(['mailCode'])
})

test('no log shows a secret of any request', async () => {
  const routes = mountedRoutes()
  expect(routes.length).toBeGreaterThan(200)
  const statuses = new Map<number, number>()
  let turn = 0
  const requests = routes.flatMap((route) =>
    (['body', 'broken', 'path'] as const).map((how) => () => ask(route, turn++, how)),
  )
  const AT_ONCE = 8
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = requests.pop(); next; next = requests.pop()) {
        const status = await next()
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }),
  )
  // Paths that no route takes.
  for (const value of inPaths()) {
    for (const base of ['', '/api', '/api/v1', '/v1', '/ws'])
      await fetch(`${server.url}${base}/none/${encodeURIComponent(value)}?token=${encodeURIComponent(value)}`)
  }
  await post('/api/v1/agent-chats', { message: `my password is ${passwords.newPassword}` }, reader.token)
  expect(model.keys).toContain(`Bearer ${passwords.llmKey}`)
  // Requests were admitted, refused for their input, and refused for their sign-in.
  for (const status of [200, 401, 404, 422])
    expect([status, statuses.get(status) ?? 0]).not.toEqual([status, 0])
  await expectNoSecrets()
}, 120_000)

test('no log shows a secret of any frame', async () => {
  const live = await openLive(server, reader.token)
  for (const value of [...Object.values(all()), joined()]) {
    live.send({ type: 'subscribe', topic: `task:${value}`.slice(0, 128), token: value, id: value })
    live.send({ type: 'subscribe_task', task_id: value.slice(0, 64) })
    live.send({ type: value })
  }
  live.send({ type: 'auth', token: secrets.accessToken })
  await live.closing()
  const node = await openNode(server, secrets.nodeToken!)
  node.send({ ...heartbeat(), token: joined() })
  node.send({ type: 'reject', task_id: secrets.accessToken, attempt: 1, reason: secrets.refreshToken })
  node.send({ type: 'log', task_id: secrets.accessToken, attempt: 1, level: 'INFO', message: joined() })
  node.send(`{"type":"log","token":"${secrets.nodeToken}"`)
  const task = await makeTask(server, reader)
  const attempt = { task_id: task.uuid, attempt: (await node.next('assign')).attempt }
  const text = joined()
  node.send({ type: 'accept', ...attempt })
  node.send({ type: 'progress', ...attempt, progress: 1, current_item: text.slice(0, 500) })
  node.send({ type: 'log', ...attempt, level: 'ERROR', message: text })
  node.send({ type: 'failed', ...attempt, error: text, token: text })
  await node.next('ack')
  node.close()
  for (const credential of ['token', 'ticket'])
    for (const value of Object.values(secrets))
      for (const path of ['/ws/connect', '/api/ws/connect', '/ws/node']) {
        const url = `${server.wsUrl}${path}?${credential}=${encodeURIComponent(value)}&topics=${encodeURIComponent(value)}`
        const socket = await TestSocket.open(url).catch(() => undefined)
        socket?.close()
      }
  await expectNoSecrets()
}, 60_000)
