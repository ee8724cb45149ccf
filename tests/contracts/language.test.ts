/** docs/design.md, "Languages": a contract answers in its default language, unless the client asks for the other one. */
import { afterAll, describe, expect, test } from 'bun:test'
import { type MessageKey, message } from '../../src/core/messages.ts'
import { languageOf } from '../../src/http/language.ts'
import { api } from '../support/api.ts'
import { makeUser } from '../support/factories.ts'
import { form, pdf, upload } from '../support/files.ts'
import { startServer } from '../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())

const ZH = '邮箱、用户名或密码不正确'
const EN = 'The email, username or password is wrong'
const HEADERS: [string | undefined, 'own' | 'zh' | 'en'][] = [
  [undefined, 'own'],
  ['', 'own'],
  ['*', 'own'],
  ['fr', 'own'],
  ['fr-FR, de;q=0.5, *;q=0.1', 'own'],
  ['en', 'en'],
  ['zh', 'zh'],
  ['EN-us', 'en'],
  ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
  ['en-GB,en;q=0.9,zh;q=0.8', 'en'],
  ['zh;q=0.3, en;q=0.9', 'en'],
  ['en;q=0.3,zh;q=0.9', 'zh'],
  ['en;q=0', 'own'],
  ['zh;q=0, en;q=0', 'own'],
  ['fr, zh;q=0.1', 'zh'],
  ['en ; q=0.2 , zh ; q=0.4', 'zh'],
  ['zh-Hant-TW', 'zh'],
  ['en;q=nonsense', 'en'],
  [';;;,,,q=1', 'own'],
]

describe.each([
  ['factory', '/api/auth/login', 'zh'],
  ['learning', '/api/v1/auth/login', 'en'],
] as const)('%s', (_, path, own) => {
  test.each(HEADERS)('Accept-Language: %p → %s', async (header, expected) => {
    const answer = await api(server, 'POST', path, {
      body: { email: 'nobody@example.com', password: 'x' },
      ...(header !== undefined && { headers: { 'accept-language': header } }),
    })
    const said = answer.body.message ?? answer.body.error.message
    expect(said).toBe((expected === 'own' ? own : expected) === 'zh' ? ZH : EN)
    expect(answer.body.detail).toBe(said)
  })
})

test('successes and the rules of fields are told in it too', async () => {
  const { token } = await makeUser(server)
  const create = (language: string, body: object) =>
    api(server, 'POST', '/api/tasks', { token, body, headers: { 'accept-language': language } })
  const good = { title: 't', task_type: 'test' }
  expect((await create('zh', good)).body.message).toBe('任务已创建')
  expect((await create('en', good)).body.message).toBe('Task created')
  const bad = { ...good, priority: 11 }
  expect((await create('zh', bad)).body.details.field_errors.priority).toEqual(['不能大于 10'])
  expect((await create('en', bad)).body.details.field_errors.priority).toEqual(['must be at most 10'])
})

test('the state of an upload and of a job is the documented text in English, and there is one in Chinese', async () => {
  const admin = await makeUser(server, { role: 'admin' })
  const added = await upload(server, admin.token, form(['title', 't'], ['file', pdf(), 'a.pdf']))
  const { id } = (await added.json()) as { id: number }
  const said = async (method: string, path: string, language: string) => {
    const headers = { 'accept-language': language }
    return (await api(server, method, `/api/v1${path}`, { token: admin.token, headers })).body.message
  }
  const status = `/upload/status/${id}`
  expect(await said('GET', status, 'en')).toBe('Upload complete and ready')
  expect(await said('GET', status, 'zh')).toBe('上传完成，可以使用')
  const job = '/admin/scheduler/jobs/cleanup_job'
  expect(await said('POST', `${job}/pause`, 'zh')).toBe('定时任务 cleanup_job 已暂停')
  expect(await said('POST', `${job}/resume`, 'en')).toBe('Job cleanup_job resumed successfully')
})

test("learning's farewell is the documented one in English, and there is one in Chinese", async () => {
  const { token } = await makeUser(server)
  const answer = await api(server, 'POST', '/api/v1/auth/logout', {
    token,
    headers: { 'accept-language': 'zh' },
  })
  expect(answer.body).toEqual({ message: '已退出登录', detail: '请同时删除客户端保存的令牌' })
})

test('an unmatched path is answered in the language of its contract', async () => {
  const said = async (path: string, language?: string) => {
    const headers: Record<string, string> = language ? { 'accept-language': language } : {}
    const { body } = await api(server, 'GET', path, { headers })
    return body.message ?? body.detail
  }
  for (const [path, own] of [
    ['/api/x', 'zh'],
    ['/api/v1/x', 'en'],
    ['/v1/x', 'en'],
    ['/x', 'en'],
  ] as const) {
    expect(await said(path), path).toBe(message('NOT_FOUND', own))
    expect(await said(path, 'zh')).toBe(message('NOT_FOUND', 'zh'))
    expect(await said(path, 'en')).toBe(message('NOT_FOUND', 'en'))
  }
})

test('the longest header that a server takes is read to its end', () => {
  const request = new Request('http://x', { headers: { 'accept-language': `${'fr;q=0.5,'.repeat(1800)}en` } })
  expect(languageOf(request, 'zh')).toBe('en')
})

test('no hole of a message stays open', () => {
  const filled = { limit: 1, seconds: 2, status: 's', expected: 'e', choices: 'c', allow: 'GET' }
  for (const key of [
    'RATE_LIMITED',
    'TASK_LIMIT_EXCEEDED',
    'INVALID_STATE',
    'PAYLOAD_TOO_LARGE',
    'issue.choice',
  ] as MessageKey[]) {
    for (const language of ['zh', 'en'] as const)
      expect(message(key, language, filled)).not.toMatch(/\{\w+\}/)
  }
})
