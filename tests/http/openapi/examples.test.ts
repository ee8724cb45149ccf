/**
 * The requests that the page of the documentation offers, sent unchanged: every example of a body, and every route that
 * changes something without a body. The test fills in only ids, tokens and mailed codes.
 */
import { afterAll, expect, test } from 'bun:test'
import { type Answer, api, readAnswer } from '../../support/api.ts'
import { makeTask, makeUser } from '../../support/factories.ts'
import { form, pdf, upload } from '../../support/files.ts'
import { codeIn, mailTo } from '../../support/mail.ts'
import { documentedRoutes } from '../../support/openapi.ts'
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
}

const idOfTask = async () => ({ id: (await makeTask(server, admin)).uuid })
const idOfServer = async () => ({ id: (await answerTo('factoryCreateGpuServer')).body.data.id })
/** The example works as it is once the other request has been sent. */
const after = (operationId: string) => async () => {
  await answerTo(operationId)
  return {}
}
const ADA = 'ada@example.com'

/** The values that an example takes from the answers to other requests. */
const FILL: Record<string, () => Promise<Filled>> = {
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
  const filled = (await FILL[operationId]?.()) ?? {}
  const token = filled.token ?? admin.token
  if (operation.requestBody && 'multipart/form-data' in operation.requestBody.content) {
    return readAnswer(await upload(server, token, form(['title', '课件标题'], ['file', pdf(), 'a.pdf'])))
  }
  if (path.includes('{') && filled.id === undefined) throw new Error(`FILL names no id for ${operationId}`)
  const example = operation.requestBody?.content['application/json']?.example as object | undefined
  return api(server, method, path.replace(/\{\w+\}/, filled.id ?? ''), {
    token: operation.security.length > 0 ? token : undefined,
    ...(example && { body: { ...example, ...filled.body } }),
  })
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
