/**
 * The requests that the page of the documentation offers, sent unchanged: every example of a body, and every route that
 * changes something without a body. The test fills in only ids, tokens and mailed codes. Each of them is in the audit log, or
 * has a reason not to be, and none changes what the cache keeps answers of without raising its generation. Requests that take an
 * Idempotency-Key have one, and get the same answer again.
 */
import { afterAll, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import sharp from 'sharp'
import { readTagName } from '../../../src/core/tags/names.ts'
import { messageId } from '../../../src/core/webhooks/rows.ts'
import {
  auditLog,
  categories,
  photoFiles,
  sessions,
  tags,
  timelineEvents,
  webhookDeliveries,
} from '../../../src/db/schema/index.ts'
import type { Operation } from '../../../src/http/openapi/operations.ts'
import type { JsonSchema } from '../../../src/http/openapi/schemas.ts'
import { type Answer, api, readAnswer } from '../../support/api.ts'
import { makeCourse, makeMaterial } from '../../support/courses.ts'
import { mountedRoutes } from '../../support/described.ts'
import { makeNode, makeTask, makeUser, PASSWORD } from '../../support/factories.ts'
import { form, pdf } from '../../support/files.ts'
import { codeIn, mailTo, resetTokenIn } from '../../support/mail.ts'
import { documentedRoutes } from '../../support/openapi.ts'
import { fileRow, makePhotos } from '../../support/photos.ts'
import { startServer } from '../../support/server.ts'
import { watchGenerations } from '../../support/unraised.ts'
import { UNRECORDED } from '../../support/unrecorded.ts'

const server = await startServer()
afterAll(() => server.stop())
const generations = await watchGenerations(server)
/** The user of the requests, unless they name another one. A super administrator may call every route. */
const admin = await makeUser(server, { role: 'super_admin' })

interface Filled {
  /** The value of the path's parameter, and of a second one. */
  id?: string
  second?: string
  token?: string
  body?: object
  /** A body of plain bytes. */
  bytes?: Uint8Array<ArrayBuffer>
  headers?: Record<string, string>
}

/** Whose things an administrator changes. */
const owner = await makeUser(server)
const idOfTask = async () => ({ id: (await makeTask(server, owner)).uuid })
const idOfStudyTask = async () => {
  const { courseId } = await makeCourse(server, admin)
  return { id: (await makeTask(server, owner, { kind: 'study', courseIds: [courseId] })).uuid }
}
const taskAfter = async ({ id }: { id: string }, verb: string) => {
  await api(server, 'POST', `/api/tasks/${id}/${verb}`, { token: admin.token })
  return { id }
}
const idOfMaterial = async () => {
  const body = form(['title', 'a'], ['file', pdf(), 'a.pdf'])
  const headers = { authorization: `Bearer ${owner.token}` }
  return {
    id: (await readAnswer(await fetch(`${server.url}/api/v1/upload`, { method: 'POST', headers, body }))).body
      .id,
  }
}
const twoMaterials = async () => [await makeMaterial(server, owner), await makeMaterial(server, owner)]
const idOfWebhook = async () => ({ id: `${(await answerTo('portfolioCreateWebhook')).body.data.id}` })
/** A delivery that has failed in the time that the example names. */
const idsOfDelivery = async () => {
  const { id: webhook } = await idOfWebhook()
  const [id, at] = [Bun.randomUUIDv7(), new Date('2024-01-15T10:30:00Z')]
  const row = { id, webhookId: Number(webhook), type: 'photo.created', event: { photo_id: 1 }, at }
  await server.ctx.db.insert(webhookDeliveries).values({ ...row, status: 'failed', nextAttemptAt: at })
  return { id: webhook, second: messageId(id) }
}
const idOfServer = async () => ({ id: (await answerTo('factoryCreateGpuServer')).body.data.id })
/** The example works as it is once the other request has been sent. */
const after = (operationId: string) => async () => {
  await answerTo(operationId)
  return {}
}
const ADA = 'ada@example.com'

/** The id of the rows that the routes with DELETE delete. */
const DELETED = 90
/** Rows with the ids that the portfolio's examples name, and one of each kind with the id 1. */
let rows: Promise<unknown> | undefined
const portfolioRows = () => {
  rows ??= insertRows()
  return rows
}
async function insertRows() {
  const { db } = server.ctx
  const userId = admin.user.id
  const named = (id: number) => ({ id, name: `${id}`, slug: `${id}` })
  await db.insert(categories).values([1, 2, 3, DELETED].map((id) => ({ ...named(id), path: `${id}` })))
  await db.insert(tags).values([1, DELETED].map((id) => ({ ...named(id), ...readTagName(`${id}`, 'name') })))
  const event = { userId, title: 'one', date: '2024-01-15', type: 'milestone' }
  await db.insert(timelineEvents).values([1, DELETED].map((id) => ({ ...event, id })))
  await db.insert(photoFiles).values([fileRow(userId, 123456789), fileRow(userId, DELETED)])
  await makePhotos(
    server,
    admin,
    [1, 2, 3, 4, 5, 15, 23, 31, DELETED].map((id) => ({ id })),
  )
  for (const table of ['categories', 'tags', 'timeline_events', 'photos']) {
    await db.execute(sql.raw(`select setval('${table}_id_seq', 100)`))
  }
  await generations.forget()
}

/** What a client of MCP accepts. */
const MCP = { accept: 'application/json, text/event-stream' }

/** The values that an example takes from the answers to other requests. */
const FILL: Record<string, () => Promise<Filled>> = {
  serverMcp: async () => ({ headers: MCP }),
  serverDeleteMcp: async () => ({
    headers: { 'mcp-session-id': (await answerTo('serverMcp')).headers.get('mcp-session-id')! },
  }),
  portfolioLogin: async () => {
    const credentials = { email: 'admin@example.com', password: 'admin123' }
    const { access_token } = (await api(server, 'POST', '/api/auth/login', { body: credentials })).body
    const body = { current_password: 'admin123', new_password: 'password123' }
    await api(server, 'POST', '/api/users/change-password', { token: access_token, body })
    return {}
  },
  portfolioRefresh: async () => {
    const { refresh_token } = (await answerTo('portfolioLogin')).body.data
    return { body: { refresh_token } }
  },
  portfolioLogout: async () => ({ token: (await makeUser(server)).token }),
  portfolioReprocessUpload: async () => ({ id: 'upload_123456789' }),
  portfolioPutChunk: async () => {
    const { upload_id, chunk_size } = (await answerTo('portfolioInitChunkedUpload')).body.data
    return { id: upload_id, bytes: new Uint8Array(chunk_size) }
  },
  portfolioCompleteChunkedUpload: async () => {
    const bytes = await picture()
    const begin = { filename: 'a.jpg', file_size: bytes.byteLength }
    const { body } = await api(server, 'POST', '/v1/upload/chunked/init', { token: admin.token, body: begin })
    await sendBytes('PUT', `/v1/upload/chunked/${body.data.upload_id}/chunks/0`, { bytes })
    return { id: body.data.upload_id }
  },
  portfolioBeginResumableUpload: async () => ({
    bytes: new Uint8Array(),
    headers: { 'upload-complete': '?0' },
  }),
  portfolioAppendToResumableUpload: async () => {
    const { headers } = await answerTo('portfolioBeginResumableUpload')
    return {
      id: headers.get('location')!.split('/').pop()!,
      bytes: await picture(),
      headers: { 'upload-complete': '?1', 'upload-offset': '0' },
    }
  },
  learningLogin: after('learningRegister'),
  learningRefresh: async () => {
    const { refresh_token } = (await answerTo('learningLogin')).body
    return { body: { refresh_token } }
  },
  learningLogout: async () => ({ token: (await makeUser(server)).token }),
  learningLikeMaterial: async () => ({ id: (await answerTo('learningUploadMaterial')).body.id }),
  learningPauseAdminSchedulerJob: async () => ({ id: 'cleanup_job' }),
  learningResumeAdminSchedulerJob: async () => ({ id: 'cleanup_job' }),
  runtimeResendVerifications: async () => {
    await answerTo('runtimeCreateVerification')
    return {}
  },
  runtimeVerify: async () => {
    await answerTo('runtimeResendVerifications')
    return { body: { token: codeIn(await mailTo(server, ADA, 2)) } }
  },
  runtimeCreateSession: after('runtimeVerify'),
  runtimeRefreshSession: async () => {
    const { refresh_token } = (await answerTo('runtimeCreateSession')).body
    return { body: { refresh_token } }
  },
  runtimeDeleteSession: async () => {
    const { refresh_token } = (await answerTo('runtimeRefreshSession')).body
    return { body: { refresh_token } }
  },
  runtimeRequestPasswordReset: after('runtimeCreateSession'),
  runtimeConfirmPasswordReset: async () => {
    await answerTo('runtimeRequestPasswordReset')
    return { body: { token: codeIn(await mailTo(server, ADA, 3)) } }
  },
  runtimeUpdateInviteCode: async () => ({ id: (await answerTo('runtimeCreateInviteCode')).body.code }),
  runtimeUpdateScheduleItem: async () => ({ id: (await answerTo('runtimeCreateScheduleItem')).body.id }),
  runtimeCancelAgentChat: async () => ({ id: (await answerTo('runtimeCreateAgentChat')).body.session_id }),
  factoryLogin: after('factoryRegister'),
  factoryChangePassword: async () => {
    await answerTo('factoryLogin')
    return { token: (await answerTo('factoryRegister')).body.data.access_token }
  },
  studyLogout: async () => ({ token: (await makeUser(server)).token }),
  studyChangePassword: async () => ({
    token: (await makeUser(server)).token,
    body: { current_password: PASSWORD },
  }),
  studyResetPassword: async () => {
    const { user } = await makeUser(server)
    await api(server, 'POST', '/api/auth/forgot-password', { body: { email: user.email } })
    return { body: { token: resetTokenIn(await mailTo(server, user.email)) } }
  },
  studyCreateCourse: async () => ({ body: { material_ids: await twoMaterials() } }),
  studyUpdateCourse: async () => ({
    id: (await makeCourse(server, admin)).courseId,
    body: { material_ids: await twoMaterials() },
  }),
  studyDeleteCourse: async () => ({ id: (await makeCourse(server, admin)).courseId }),
  studyStartTask: idOfStudyTask,
  studyPauseTask: async () => taskAfter(await idOfStudyTask(), 'start'),
  studyResumeTask: async () => taskAfter(await taskAfter(await idOfStudyTask(), 'start'), 'pause'),
  factoryCancelTask: idOfTask,
  factoryRetryTask: async () => taskAfter(await idOfTask(), 'cancel'),
  factoryUpdateRechargeCode: async () => ({
    id: (await answerTo('factoryCreateRechargeCode')).body.data.codes[0].id,
  }),
  factoryRedeemRechargeCode: async () => {
    // The example makes codes that have expired.
    const { id, code } = (await answerTo('factoryCreateRechargeCode')).body.data.codes[1]
    const body = { expires_at: null }
    await api(server, 'PUT', `/api/recharge/codes/${id}`, { token: admin.token, body })
    return { body: { code } }
  },
  studyForceStopAdminTask: idOfTask,
  factoryDeleteAdminUser: async () => ({ id: (await makeUser(server)).user.uuid }),
  factoryUpdateAdminUser: async () => ({ id: (await makeUser(server)).user.uuid }),
  factoryUpdateGpuServer: idOfServer,
  factoryDrainGpuServer: idOfServer,
  factoryRotateGpuServerToken: idOfServer,
  factoryReportGpuServer: idOfServer,
  learningDeleteMaterial: idOfMaterial,
  learningDeleteUpload: idOfMaterial,
  runtimeDeleteScheduleItem: async () => ({ id: (await send('runtimeCreateScheduleItem')).body.id }),
  runtimeDeleteInviteCode: async () => ({ id: (await send('runtimeCreateInviteCode')).body.code }),
  factoryDeleteTask: idOfTask,
  factoryDeleteGpuServer: async () => ({ id: (await makeNode(server)).node.uuid }),
  portfolioDeletePhoto: async () => ({ id: `${DELETED}` }),
  portfolioDeleteCategorie: async () => ({ id: `${DELETED}` }),
  portfolioDeleteTag: async () => ({ id: `${DELETED}` }),
  portfolioDeleteTimelineEvent: async () => ({ id: `${DELETED}` }),
  portfolioDeleteUpload: async () => ({ id: `upload_${DELETED}` }),
  portfolioAbortChunkedUpload: async () => ({
    id: (await send('portfolioInitChunkedUpload')).body.data.upload_id,
  }),
  portfolioAbortResumableUpload: async () => ({
    id: (await send('portfolioBeginResumableUpload')).headers.get('location')!.split('/').pop()!,
  }),
  portfolioUpdateUser: async () => ({ id: `${(await makeUser(server)).user.id}` }),
  portfolioDeleteUserSessions: async () => ({ id: `${(await makeUser(server)).user.id}` }),
  portfolioDeleteUserSession: async () => {
    const { user } = await makeUser(server)
    const [session] = await server.ctx.db.select().from(sessions).where(eq(sessions.userId, user.id))
    return { id: `${user.id}`, second: session!.id }
  },
  portfolioUpdateWebhook: idOfWebhook,
  portfolioDeleteWebhook: async () => ({ id: `${(await send('portfolioCreateWebhook')).body.data.id}` }),
  portfolioRotateSecretWebhook: idOfWebhook,
  portfolioTestWebhook: idOfWebhook,
  portfolioRedeliverWebhook: idsOfDelivery,
  portfolioRedeliverWebhookDeliverie: idsOfDelivery,
}

const routes = documentedRoutes().filter(({ method }) => method !== 'GET' && method !== 'HEAD')
const byId = new Map(routes.map((route) => [route.operation.operationId, route]))

const answers = new Map<string, Promise<Answer>>()
/** Passwords, tokens and other secrets of all requests and answers. */
const secrets = new Set<string>()
function collect(value: unknown, name = ''): void {
  if (typeof value === 'string' && value.length >= MIN_SECRET && SECRET.test(name)) secrets.add(value)
  if (typeof value === 'object' && value) for (const key in value) collect(value[key as never], key)
}
const SECRET = /password|token$|secret|ticket|^code$/
/** Shorter texts may be part of an id. */
const MIN_SECRET = 8

/** Sends each request once, for the first test that needs its answer. */
function answerTo(operationId: string): Promise<Answer> {
  const answer = answers.get(operationId) ?? send(operationId)
  answers.set(operationId, answer)
  return answer
}

async function send(operationId: string): Promise<Answer> {
  const answer = await sendExample(operationId)
  collect(answer.body)
  return answer
}

async function sendExample(operationId: string): Promise<Answer> {
  const { method, path, operation } = byId.get(operationId)!
  if (path.startsWith('/v1/')) await portfolioRows()
  const filled = (await FILL[operationId]?.()) ?? (path.startsWith('/v1/') ? { id: '1' } : {})
  const token = filled.token ?? admin.token
  const multipart = operation.requestBody?.content['multipart/form-data']
  if (multipart) {
    const response = await fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${token}` },
      body: path.startsWith('/v1/')
        ? form([fileField(multipart.schema), await picture(), 'a.jpg'])
        : form(['title', '课件标题'], ['file', pdf(), 'a.pdf']),
    })
    return readAnswer(response)
  }
  if (path.includes('{') && filled.id === undefined) throw new Error(`FILL names no id for ${operationId}`)
  if (filled.bytes) {
    const [type] = Object.keys(operation.requestBody!.content)
    const headers = { 'content-type': type!, ...filled.headers }
    return sendBytes(method, placeOf(path, { second: '0', ...filled }), { bytes: filled.bytes, headers })
  }
  const example = operation.requestBody?.content['application/json']?.example as object | undefined
  const body = example && { ...example, ...filled.body }
  collect(body)
  const place = placeOf(path, filled)
  const ask = {
    token: operation.security.length > 0 ? token : undefined,
    ...(body && { body }),
    headers: { ...filled.headers, ...(takesKey(operation) && { 'idempotency-key': crypto.randomUUID() }) },
  }
  const answer = await api(server, method, place, ask)
  repeat.set(answer, () => api(server, method, place, ask))
  return answer
}

const takesKey = ({ parameters = [] }: Operation) => parameters.some(({ name }) => name === 'Idempotency-Key')
/** By answer, sends the request once more. */
const repeat = new WeakMap<Answer, () => Promise<Answer>>()

const placeOf = (path: string, { id = '', second = '' }: Filled): string =>
  path.replace(/\{\w+\}/, id).replace(/\{\w+\}/, second)

const sendBytes = async (method: string, path: string, { bytes, headers }: Filled): Promise<Answer> =>
  readAnswer(
    await fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${admin.token}`, ...headers },
      body: bytes!,
    }),
  )

/** The field of a multipart body that takes a file, or files. */
const fileField = ({ properties }: JsonSchema): string =>
  Object.entries(properties as object).find(([, field]) => JSON.stringify(field).includes('"binary"'))![0]

const picture = async () => {
  const create = { width: 8, height: 8, channels: 3 as const, background: '#27ae60' }
  return new Uint8Array(await sharp({ create }).jpeg().toBuffer())
}

const READS = ['GET', 'HEAD', 'OPTIONS']

test('every name in this file is that of an operation', () => {
  expect(Object.keys({ ...FILL, ...UNRECORDED }).filter((id) => !byId.has(id))).toEqual([])
})

test('every route that changes something is documented', () => {
  const documented = new Set(
    routes.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  )
  const writes = mountedRoutes().filter(({ method }) => !READS.includes(method))
  expect(
    writes.map(({ method, path }) => `${method} ${path}`).filter((route) => !documented.has(route)),
  ).toEqual([])
})

test.each(routes.map(({ method, path, operation }) => [`${method} ${path}`, operation] as const))(
  '%s is accepted as the page offers it',
  async (_, operation) => {
    const answer = await answerTo(operation.operationId)
    expect(answer.status, answer.text.slice(0, 500)).toBeWithin(200, 300)
    expect(Object.keys(operation.responses)).toContain(String(answer.status))
  },
)

const keyed = routes.filter(({ operation }) => takesKey(operation))
test.each(keyed.map(({ method, path, operation }) => [`${method} ${path}`, operation] as const))(
  '%s is carried out once for one Idempotency-Key, in one transaction',
  async (_, { operationId }) => {
    const first = await answerTo(operationId)
    expect(first.headers.get('idempotency-replayed')).toBeNull()
    const again = await repeat.get(first)!()
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    const shown = ({ status, text, headers }: Answer) => ({
      status,
      text,
      fields: ['content-type', 'location', 'etag'].map((name) => headers.get(name)),
    })
    expect(shown(again)).toEqual(shown(first))
  },
)

const entriesOf = (answer: Answer) =>
  server.ctx.db
    .select()
    .from(auditLog)
    .where(eq(auditLog.requestId, answer.headers.get('x-request-id')!))

test.each(routes.map(({ method, path, operation }) => [`${method} ${path}`, operation] as const))(
  '%s is recorded, or has a reason not to be',
  async (_, { operationId }) => {
    const entries = await entriesOf(await answerTo(operationId))
    expect(entries.length > 0, UNRECORDED[operationId] ?? 'add `audit` to the change').toBe(
      !(operationId in UNRECORDED),
    )
  },
)

test('the audit log holds no secret of a request or an answer', async () => {
  await Promise.all(routes.map(({ operation }) => answerTo(operation.operationId)))
  const log = JSON.stringify(await server.ctx.db.select().from(auditLog))
  expect(secrets.size).toBeGreaterThan(20)
  expect([...secrets].filter((secret) => log.includes(secret))).toEqual([])
})

test('no request changed what the cache keeps answers of without raising its generation', async () => {
  await Promise.all(routes.map(({ operation }) => answerTo(operation.operationId)))
  const noticed = await generations.noticed()
  for (const table of [
    'photos',
    'photo_files',
    'photo_index',
    'photo_tags',
    'categories',
    'tags',
    'settings',
  ])
    expect(noticed).toContainEqual(expect.stringContaining(` of ${table}`))
  expect(await generations.unraised()).toEqual([])
})
