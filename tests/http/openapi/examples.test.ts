/**
 * The requests that the page of the documentation offers, sent unchanged: every example of a body, and every route that
 * changes something without a body. The test fills in only ids, tokens and mailed codes.
 */
import { afterAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import sharp from 'sharp'
import { readTagName } from '../../../src/core/tags/names.ts'
import { categories, photoFiles, tags, timelineEvents } from '../../../src/db/schema/index.ts'
import type { JsonSchema } from '../../../src/http/openapi/schemas.ts'
import { type Answer, api, readAnswer } from '../../support/api.ts'
import { makeTask, makeUser } from '../../support/factories.ts'
import { form, pdf } from '../../support/files.ts'
import { codeIn, mailTo } from '../../support/mail.ts'
import { documentedRoutes } from '../../support/openapi.ts'
import { fileRow, makePhotos } from '../../support/photos.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
/** The user of the requests, unless they name another one. A super administrator may call every route. */
const admin = await makeUser(server, { role: 'super_admin' })

interface Filled {
  /** The value of the path's parameter. */
  id?: string
  token?: string
  body?: object
  /** A body of plain bytes. */
  bytes?: Uint8Array<ArrayBuffer>
  headers?: Record<string, string>
}

const idOfTask = async () => ({ id: (await makeTask(server, admin)).uuid })
const idOfServer = async () => ({ id: (await answerTo('factoryCreateGpuServer')).body.data.id })
/** The example works as it is once the other request has been sent. */
const after = (operationId: string) => async () => {
  await answerTo(operationId)
  return {}
}
const ADA = 'ada@example.com'

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
  await db.insert(categories).values([1, 2, 3].map((id) => ({ ...named(id), path: `${id}` })))
  await db.insert(tags).values({ ...named(1), ...readTagName('1', 'name') })
  await db
    .insert(timelineEvents)
    .values({ id: 1, userId, title: 'one', date: '2024-01-15', type: 'milestone' })
  await db.insert(photoFiles).values(fileRow(userId, 123456789))
  await makePhotos(
    server,
    admin,
    [1, 2, 3, 4, 5, 15, 23, 31].map((id) => ({ id })),
  )
  for (const table of ['categories', 'tags', 'timeline_events', 'photos']) {
    await db.execute(sql.raw(`select setval('${table}_id_seq', 100)`))
  }
}

/** The values that an example takes from the answers to other requests. */
const FILL: Record<string, () => Promise<Filled>> = {
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
  factoryCancelTask: idOfTask,
  factoryRetryTask: async () => {
    const { id } = await idOfTask()
    await api(server, 'POST', `/api/tasks/${id}/cancel`, { token: admin.token })
    return { id }
  },
  factoryUpdateAdminUser: async () => ({ id: (await makeUser(server)).user.uuid }),
  factoryUpdateGpuServer: idOfServer,
  factoryDrainGpuServer: idOfServer,
  factoryRotateGpuServerToken: idOfServer,
  factoryReportGpuServer: idOfServer,
}

const routes = documentedRoutes().filter(
  ({ method, operation }) => ['POST', 'PUT', 'PATCH'].includes(method) || operation.requestBody,
)
const byId = new Map(routes.map((route) => [route.operation.operationId, route]))

const answers = new Map<string, Promise<Answer>>()
/** Sends each request once, for the first test that needs its answer. */
function answerTo(operationId: string): Promise<Answer> {
  const answer = answers.get(operationId) ?? send(operationId)
  answers.set(operationId, answer)
  return answer
}

async function send(operationId: string): Promise<Answer> {
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
    const place = path.replace(/\{\w+\}/, filled.id ?? '').replace(/\{\w+\}/, '0')
    return sendBytes(method, place, { bytes: filled.bytes, headers })
  }
  const example = operation.requestBody?.content['application/json']?.example as object | undefined
  return api(server, method, path.replace(/\{\w+\}/, filled.id ?? ''), {
    token: operation.security.length > 0 ? token : undefined,
    ...(example && { body: { ...example, ...filled.body } }),
  })
}

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

test('every name below is that of an operation', () => {
  expect(Object.keys(FILL).filter((id) => !byId.has(id))).toEqual([])
})

test.each(routes.map(({ method, path, operation }) => [`${method} ${path}`, operation] as const))(
  '%s is accepted as the page offers it',
  async (_, operation) => {
    const answer = await answerTo(operation.operationId)
    expect(answer.status, answer.text.slice(0, 500)).toBeWithin(200, 300)
    expect(Object.keys(operation.responses)).toContain(String(answer.status))
  },
)
