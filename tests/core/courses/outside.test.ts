/** Courses of a server at COURSE_PROVIDER_URL: docs/course-provider.md. */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { readConfig } from '../../../src/config/index.ts'
import { recordProgress } from '../../../src/core/courses/progress.ts'
import { courseProvider } from '../../../src/core/courses/provider.ts'
import { reportProgress } from '../../../src/core/courses/reports.ts'
import { CourseServer } from '../../support/course-server.ts'
import { describedApi } from '../../support/described.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { query, startServer } from '../../support/server.ts'
import { expectFactoryError, expectWithout } from '../../support/shapes.ts'

const outside = new CourseServer()
const server = await startServer({ COURSE_PROVIDER_URL: `${outside.url}/`, ALLOW_PRIVATE_EGRESS: '1' })
afterAll(async () => {
  await server.stop()
  await outside.stop()
})
afterEach(() => {
  outside.instead = () => undefined
})
const ask = describedApi(server)
const provider = courseProvider(server.ctx)
const { courses } = outside

/** A user with an account at the provider. */
async function makeLearner(password = 'S3cret-密码'): Promise<TestUser> {
  const learner = await makeUser(server)
  const username = unique('cx')
  outside.accounts.set(username, 'S3cret-密码')
  const body = { cx_username: username, cx_password: password }
  await ask('PUT', '/api/user/config', { token: learner.token, body })
  return learner
}
const video = (id: string, duration = 100, open = true) => ({
  id,
  name: `视频 ${id}`,
  kind: 'video' as const,
  duration,
  open,
})
courses.push(
  {
    id: '123456',
    name: '课程名称',
    teacher: '教师',
    duration: 400,
    items: [video('a'), video('b', 300), video('c', 50, false)],
  },
  { id: 'algebra/Ⅱ', name: 'Algebra', progress: 40.9, items: [{ ...video('a'), kind: 'document' }] },
)
const learner = await makeLearner()
const list = ({ token } = learner) => ask('GET', '/api/courses/list', { token })
const show = (id: string, { token } = learner) =>
  ask('GET', `/api/courses/${encodeURIComponent(id)}`, { token })

test('the list and a course are those of the provider; the account is sent in the body alone', async () => {
  outside.asked.length = 0
  const { body } = await list()
  expect(body).toEqual([
    { courseId: '123456', courseName: '课程名称', teacherName: '教师', progress: 0 },
    { courseId: 'algebra/Ⅱ', courseName: 'Algebra', teacherName: '', progress: 40 },
  ])
  const { items, ...course } = (await show('123456')).body
  expect(course).toEqual(body[0])
  const begun = { position: 0, isDone: false }
  expect(items[0]).toEqual({
    itemId: 'a',
    itemName: '视频 a',
    type: 'video',
    duration: 100,
    isOpen: true,
    ...begun,
  })
  expect(items[2]).toMatchObject({ itemId: 'c', isOpen: false })
  expect((await show('algebra/Ⅱ')).body.items[0].type).toBe('document')
  expect(outside.asked.map(({ path, search }) => path + search)).toEqual(
    ['list', 'course', 'course'].map((one) => `/provider/${one}`),
  )
  expect(outside.asked[1]!.body.account.password).toBe('S3cret-密码')
  expectWithout({ text: JSON.stringify(items) + JSON.stringify(body) }, 'S3cret')
})

test('a course that the provider does not know, or another one than was asked for: 404', async () => {
  expectFactoryError(await show('999'), { status: 404, code: 'RESOURCE_NOT_FOUND' })
  outside.instead = () => Response.json(courses[0])
  expectFactoryError(await show('999'), { status: 404, code: 'RESOURCE_NOT_FOUND' })
})

test('progress counts by time, and is reported once', async () => {
  const one = await makeLearner()
  const at = (itemId: string, position: number, isDone = false) => ({
    provider: 'outside' as const,
    userId: one.user.id,
    courseId: '123456',
    itemId,
    position,
    isDone,
  })
  await recordProgress(server.ctx, [at('a', 100, true), at('b', 60.5)])
  expect((await list(one)).body[0].progress).toBe(40)
  expect((await show('123456', one)).body).toMatchObject({
    progress: 40,
    items: [{ isDone: true }, { position: 60.5 }, {}],
  })
  const reports = async (signal?: AbortSignal) => {
    outside.asked.length = 0
    await query(server, sql`update course_progress set updated_at = now() - interval '1 minute'`)
    await reportProgress(server.ctx, signal)
    return outside.asked
      .filter(({ path }) => path === '/provider/progress')
      .map(({ body: { account: _, ...body } }) => body)
  }
  expect(await reports(AbortSignal.abort())).toEqual([])
  outside.instead = () => new Response(null, { status: 503 })
  expect(await reports()).toHaveLength(1)
  outside.instead = () => undefined
  const items = [
    { id: 'a', position: 100, done: true },
    { id: 'b', position: 60.5, done: false },
  ]
  expect(await reports()).toEqual([{ course_id: '123456', items }])
  expect(await reports()).toEqual([])
  await recordProgress(server.ctx, [at('a', 50), at('b', 300, true)])
  expect(await reports()).toEqual([{ course_id: '123456', items: [{ id: 'b', position: 300, done: true }] }])
  outside.instead = () => new Response(null, { status: 404 })
  await recordProgress(server.ctx, [at('c', 1)])
  expect(await reports()).toHaveLength(1)
  expect(await reports()).toEqual([])
})

test('the states of items of many learners: one request for each course of each', async () => {
  const [other, wrong, none] = [await makeLearner(), await makeLearner('wrong'), await makeUser(server)]
  outside.asked.length = 0
  const of = ({ user }: TestUser, courseId: string, itemId: string) => ({ userId: user.id, courseId, itemId })
  const states = await provider.states([
    of(learner, '123456', 'a'),
    of(learner, '123456', 'c'),
    of(learner, '123456', 'gone'),
    of(other, 'algebra/Ⅱ', 'a'),
    of(other, 'gone', 'a'),
    of(wrong, '123456', 'a'),
    of(none, '123456', 'a'),
  ])
  expect(states.map((one) => ('duration' in one ? one.duration : one.state))).toEqual([
    100,
    'closed',
    'closed',
    100,
    'closed',
    'refused',
    'no_account',
  ])
  expect(outside.asked).toHaveLength(4)
  expect(await provider.states([])).toEqual([])
  outside.instead = () => new Response('{', { status: 200 })
  expect(await provider.states([of(learner, '123456', 'a')])).toEqual([{ state: 'unknown' }])
})

describe('an account', () => {
  test('that is missing: 400', async () => {
    expectFactoryError(await list(await makeUser(server)), { status: 400, code: 'COURSE_ACCOUNT_MISSING' })
  })

  test('that the provider refuses: 400', async () => {
    const answer = await list(await makeLearner('wr0ng-one'))
    expectFactoryError(answer, { status: 400, code: 'COURSE_ACCOUNT_REFUSED' })
    expectWithout(answer, 'wr0ng-one')
  })
})

const UNAVAILABLE = { status: 503, code: 'SERVER_UNAVAILABLE' }
const FAILED = { status: 502, code: 'COURSE_PROVIDER_FAILED' }
describe('a provider that answers', () => {
  test.each<[string, () => Response, typeof FAILED]>([
    ['500', () => new Response('at /home/secret', { status: 500 }), UNAVAILABLE],
    ['429', () => new Response(null, { status: 429 }), UNAVAILABLE],
    ['404', () => new Response(null, { status: 404 }), FAILED],
    ['400', () => new Response(null, { status: 400 }), FAILED],
    ['a redirect', () => Response.redirect('http://127.0.0.1:1/'), FAILED],
    ['no JSON', () => new Response('<html>'), FAILED],
    ['nothing', () => new Response(null, { status: 204 }), FAILED],
    ['a list', () => Response.json([]), FAILED],
    ['a course without an id', () => Response.json({ courses: [{ name: 'a' }] }), FAILED],
    ['an id that is a number', () => Response.json({ courses: [{ id: 1, name: 'a' }] }), FAILED],
    ['a progress of 101', () => Response.json({ courses: [{ id: '1', name: 'a', progress: 101 }] }), FAILED],
    ['three megabytes', () => new Response(`{"courses":[${' '.repeat(3e6)}]}`), FAILED],
  ])('%s', async (_, answer, error) => {
    outside.instead = answer
    const shown = await list()
    expectFactoryError(shown, error)
    expectWithout(shown, 'secret', '127.0.0.1')
  })

  test('a name that cannot be stored, and a course twice', async () => {
    const course = { id: '1', name: 'a\u0000b' }
    outside.instead = () => Response.json({ courses: [course, { ...course, name: 'c' }] })
    const { body } = await list()
    expect(body).toHaveLength(1)
    expectWithout({ text: JSON.stringify(body) }, '\\u0000')
  })
})

test('the courses of Roost are neither shown nor changed', async () => {
  const { token } = await makeUser(server, { role: 'editor' })
  const body = { courseName: 'a', material_ids: [1] }
  for (const [method, path] of [
    ['POST', '/api/courses'],
    ['PUT', '/api/courses/1'],
    ['DELETE', '/api/courses/1'],
  ] as const) {
    expectFactoryError(await ask(method, path, { token, body }), { status: 409, code: 'INVALID_STATE' })
  }
})

test('the start names a URL that would be unsafe', () => {
  const config =
    (COURSE_PROVIDER_URL: string, more = {}) =>
    () =>
      readConfig({ COURSE_PROVIDER_URL, ...more })
  expect(config('http://courses.example.com')).toThrow('must begin with https://')
  expect(config('https://user:pass@courses.example.com')).toThrow('must have no user')
  expect(config('https://courses.example.com/?key=1')).toThrow('must have no user')
  expect(config('ftp://courses.example.com')).toThrow('COURSE_PROVIDER_URL')
  expect(config('http://courses.example.com', { ALLOW_PRIVATE_EGRESS: '1' })()).toMatchObject({
    courseProviderUrl: 'http://courses.example.com',
  })
  expect(config('https://courses.example.com/roost/')().courseProviderUrl).toBe(
    'https://courses.example.com/roost',
  )
})
