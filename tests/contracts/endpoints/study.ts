import { mailTo, resetTokenIn } from '../../support/mail.ts'
import type { Shape } from '../../support/shapes.ts'
import type { Chapters, Scene } from './endpoint.ts'

const TOKEN = { access_token: 'jwt', token_type: 'string' } satisfies Shape
const TASK = { id: 'integer', name: 'string', status: 'string', progress: 'number' } satisfies Shape
const LOG = { id: 'integer', level: 'string', message: 'string', created_at: 'instant' } satisfies Shape
const DETAIL = { ...TASK, logs: [LOG] } satisfies Shape
const CONFIG = { cx_username: 'string', speed: 'number', notopen_action: 'string' } satisfies Shape

const PERSON = { username: 'testuser', email: 'test@example.com', password: 'password123' }
const asLearner = ({ kept }: Scene) => ({ token: kept.learner as string })
const withTask = ({ kept }: Scene) => ({ token: kept.learner as string, ids: [kept.study as number] })
const withSomeone = async (scene: Scene) => ({ ids: [(await scene.someone()).user.id] })

/** A sign-in that the requests of chapters after the first use. */
const keepToken = ({ kept }: Scene, body: { access_token: string }) => {
  kept.learner = body.access_token
}

export const study: Chapters = {
  认证接口: [
    {
      request: 'POST /api/auth/register',
      status: 201,
      shape: TOKEN,
      fill: () => ({ token: null, body: PERSON }),
      after: keepToken,
    },
    {
      request: 'POST /api/auth/login',
      status: 200,
      shape: TOKEN,
      fill: () => ({ token: null, body: { username: PERSON.username, password: PERSON.password } }),
    },
    {
      request: 'GET /api/auth/me',
      status: 200,
      shape: { id: 'integer', username: 'string', email: 'string' },
      fill: asLearner,
    },
    { request: 'POST /api/auth/logout', status: 200, shape: 'object', fill: asLearner },
    {
      request: 'POST /api/auth/forgot-password',
      status: 200,
      shape: 'object',
      fill: () => ({ token: null, body: { email: PERSON.email } }),
    },
    {
      request: 'POST /api/auth/reset-password',
      status: 200,
      shape: 'object',
      fill: async ({ server }) => ({
        token: null,
        body: { token: resetTokenIn(await mailTo(server, PERSON.email)), new_password: 'another password' },
      }),
    },
  ],
  用户接口: [
    {
      request: 'GET /api/user/config',
      status: 200,
      shape: CONFIG,
      fill: async (scene) => {
        const body = { username: PERSON.username, password: 'another password' }
        keepToken(scene, (await scene.as(scene.admin, 'POST', '/api/auth/login', body)).body)
        return asLearner(scene)
      },
    },
    {
      request: 'PUT /api/user/config',
      status: 200,
      shape: CONFIG,
      fill: (scene) => ({
        ...asLearner(scene),
        body: {
          cx_username: '13800138000',
          cx_password: 'your_password',
          speed: 1.5,
          notopen_action: 'retry',
        },
      }),
    },
    {
      request: 'PUT /api/user/password',
      status: 200,
      shape: 'object',
      fill: (scene) => ({
        ...asLearner(scene),
        body: { current_password: 'another password', new_password: 'third password' },
      }),
    },
    {
      request: 'GET /api/user/profile',
      status: 200,
      shape: { username: 'string', email: 'string' },
      fill: asLearner,
    },
  ],
  课程接口: [
    {
      request: 'GET /api/courses/list',
      status: 200,
      shape: [{ courseId: 'string', courseName: 'string', teacherName: 'string', progress: 'number' }],
      fill: async (scene) => {
        await scene.course()
        return asLearner(scene)
      },
    },
  ],
  任务接口: [
    {
      request: 'POST /api/tasks',
      status: 201,
      shape: TASK,
      fill: async (scene) => ({
        ...asLearner(scene),
        body: { name: '学习任务', course_ids: [await scene.course()] },
      }),
      after: ({ kept }, { id }) => {
        kept.study = id
      },
    },
    {
      request: 'GET /api/tasks?page=1&page_size=20&status=pending',
      status: 200,
      shape: {
        items: [TASK],
        total: 'integer',
        page: 'integer',
        page_size: 'integer',
        total_pages: 'integer',
      },
      fill: asLearner,
    },
    { request: 'POST /api/tasks/{id}/start', status: 200, shape: TASK, fill: withTask },
    { request: 'POST /api/tasks/{id}/pause', status: 200, shape: TASK, fill: withTask },
    { request: 'POST /api/tasks/{id}/resume', status: 200, shape: TASK, fill: withTask },
    { request: 'GET /api/tasks/{id}', status: 200, shape: DETAIL, fill: withTask },
    { request: 'GET /api/tasks/{id}/logs', status: 200, shape: [LOG], fill: withTask },
    { request: 'POST /api/tasks/{id}/cancel', status: 200, shape: TASK, fill: withTask },
    { request: 'POST /api/tasks/{id}/retry', status: 200, shape: TASK, fill: withTask },
    { request: 'DELETE /api/tasks/{id}', status: 200, shape: 'object', fill: withTask },
  ],
  管理员接口: [
    {
      request: 'GET /api/admin/users',
      status: 200,
      shape: { items: [{ id: 'integer', username: 'string', email: 'string' }], total: 'integer' },
    },
    {
      request: 'GET /api/admin/users/{id}',
      status: 200,
      shape: { id: 'integer', username: 'string', email: 'string' },
      fill: withSomeone,
    },
    {
      request: 'PUT /api/admin/users/{id}',
      status: 200,
      shape: { id: 'integer', username: 'string', email: 'string' },
      fill: async (scene) => ({ ...(await withSomeone(scene)), body: { is_active: false } }),
    },
    { request: 'DELETE /api/admin/users/{id}', status: 200, shape: 'object', fill: withSomeone },
    { request: 'GET /api/admin/tasks', status: 200, shape: 'object|array' },
    {
      request: 'POST /api/admin/tasks/{id}/force-stop',
      status: 200,
      shape: TASK,
      fill: async (scene) => {
        const body = { name: '学习任务', course_ids: [await scene.course()] }
        const { id } = (await scene.as(scene.user, 'POST', '/api/tasks', body)).body
        await scene.as(scene.user, 'POST', `/api/tasks/${id}/start`)
        return { ids: [id] }
      },
    },
    { request: 'GET /api/admin/statistics', status: 200, shape: 'object' },
  ],
  // The test opens a socket for it.
  WebSocket: [{ request: 'WS /ws/connect', status: 101, shape: 'nothing' }],
}
