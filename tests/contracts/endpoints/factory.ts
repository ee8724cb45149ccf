import { enveloped, type Shape } from '../../support/shapes.ts'
import type { Chapters, Scene } from './endpoint.ts'

const USER = { id: 'uuid', email: 'string', username: 'string', role: 'string' } satisfies Shape
const ME = {
  ...USER,
  full_name: 'string',
  balance: 'money',
  total_tasks: 'integer',
  created_at: 'instant',
  last_login: 'instant|null',
} satisfies Shape
const TASK = {
  id: 'uuid',
  title: 'string',
  description: 'string',
  task_type: 'string|null',
  status: 'string',
  progress: 'number',
  priority: 'integer',
  gpu_server_id: 'uuid|null',
  config: 'object',
  result: 'object',
  error_message: 'string|null',
  cost: 'money',
  estimated_duration: 'integer|null',
  started_at: 'instant|null',
  completed_at: 'instant|null',
  created_at: 'instant',
  updated_at: 'instant',
} satisfies Shape
const SERVER = {
  id: 'uuid',
  name: 'string',
  host: 'string',
  status: 'string',
  current_tasks: 'integer',
  max_concurrent_tasks: 'integer',
  total_memory: 'number',
  used_memory: 'number',
  gpu_count: 'integer',
  cpu_usage: 'number',
  memory_usage: 'number',
  last_heartbeat: 'instant|null',
} satisfies Shape
const pageOf = (items: Shape) =>
  enveloped({ items, total: 'integer', page: 'integer', page_size: 'integer', total_pages: 'integer' })

const asUser = ({ user }: Scene) => ({ token: user.token })
const withTask = ({ user, kept }: Scene) => ({ token: user.token, ids: [kept.task] })
const withNode = async (scene: Scene) => ({ ids: [await scene.node()] })

export const factory: Chapters = {
  认证机制: [
    {
      request: 'POST /api/auth/login',
      status: 200,
      shape: enveloped({ access_token: 'jwt', token_type: 'string', expires_in: 'integer', user: USER }),
      fill: ({ user }) => ({ token: null, body: { email: user.user.email, password: user.password } }),
    },
  ],
  用户管理: [
    {
      request: 'POST /api/auth/register',
      status: 201,
      shape: enveloped(USER),
      fill: () => ({
        token: null,
        body: {
          email: 'newuser@example.com',
          username: 'newuser',
          password: 'password123',
          full_name: '新用户',
        },
      }),
    },
    { request: 'GET /api/users/me', status: 200, shape: enveloped(ME), fill: asUser },
    {
      request: 'PUT /api/users/me',
      status: 200,
      shape: enveloped(ME),
      fill: (scene) => ({ ...asUser(scene), body: { full_name: '新的姓名', username: 'new_username' } }),
    },
    {
      request: 'POST /api/users/change-password',
      status: 200,
      shape: enveloped('object|null'),
      fill: ({ user }) => ({
        token: user.token,
        body: { current_password: user.password, new_password: 'new_password' },
      }),
    },
    {
      request: 'GET /api/users/stats',
      status: 200,
      shape: enveloped({
        total_tasks: 'integer',
        completed_tasks: 'integer',
        failed_tasks: 'integer',
        total_cost: 'money',
        current_balance: 'money',
        last_task_date: 'instant|null',
      }),
      fill: asUser,
    },
  ],
  任务管理: [
    {
      request: 'POST /api/tasks',
      status: 201,
      shape: enveloped({
        id: 'uuid',
        title: 'string',
        status: 'string',
        progress: 'number',
        created_at: 'instant',
      }),
      fill: ({ user }) => ({
        token: user.token,
        body: {
          title: '视频分析任务',
          description: '分析视频内容',
          task_type: 'video_analysis',
          priority: 2,
          estimated_duration: 30,
          config: { video_url: 'https://example.com/video.mp4', analysis_type: 'content' },
        },
      }),
      after: ({ kept }, { data }) => {
        kept.task = data.id
      },
    },
    {
      request:
        'GET /api/tasks?page=1&page_size=20&status=pending&task_type=video_analysis&sort_by=priority&sort_order=asc',
      status: 200,
      shape: pageOf([TASK]),
      fill: asUser,
    },
    { request: 'GET /api/tasks/{task_id}', status: 200, shape: enveloped(TASK), fill: withTask },
    { request: 'POST /api/tasks/{task_id}/cancel', status: 200, shape: enveloped(TASK), fill: withTask },
    { request: 'POST /api/tasks/{task_id}/retry', status: 200, shape: enveloped(TASK), fill: withTask },
    { request: 'DELETE /api/tasks/{task_id}', status: 200, shape: enveloped('object'), fill: withTask },
  ],
  GPU监控: [
    {
      request: 'GET /api/gpu/servers',
      status: 200,
      shape: enveloped([SERVER]),
      fill: async (scene) => {
        await scene.node()
        return {}
      },
    },
    { request: 'GET /api/gpu/servers/{server_id}', status: 200, shape: enveloped(SERVER), fill: withNode },
    {
      request: 'GET /api/gpu/servers/{server_id}/status',
      status: 200,
      shape: enveloped({
        server_id: 'uuid',
        status: 'string',
        cpu_usage: 'number',
        memory_usage: 'number',
        gpu_usage: [{ gpu_id: 'integer', usage: 'number', memory_used: 'number', memory_total: 'number' }],
        running_tasks: [{ task_id: 'uuid', progress: 'number' }],
        timestamp: 'instant',
      }),
      fill: withNode,
    },
    {
      request: 'GET /api/gpu/cluster/overview',
      status: 200,
      shape: enveloped({
        total_servers: 'integer',
        online_servers: 'integer',
        offline_servers: 'integer',
        total_gpus: 'integer',
        busy_gpus: 'integer',
        idle_gpus: 'integer',
        total_running_tasks: 'integer',
        queue_length: 'integer',
        average_gpu_usage: 'number',
        total_memory: 'number',
        used_memory: 'number',
      }),
    },
  ],
  充值管理: [
    {
      request: 'POST /api/recharge/codes',
      status: 201,
      shape: enveloped({
        codes: [{ id: 'uuid', code: 'string', amount: 'money', expires_at: 'instant' }],
        total_generated: 'integer',
        total_amount: 'money',
      }),
      fill: () => ({
        body: {
          amount: 100.0,
          description: '新用户充值码',
          batch_size: 10,
          expires_at: '2099-12-31T23:59:59Z',
          max_uses: 1,
        },
      }),
      after: ({ kept }, { data }) => {
        kept.code = data.codes[0].code
      },
    },
    {
      request: 'POST /api/recharge/redeem',
      status: 200,
      shape: enveloped({ amount: 'money', new_balance: 'money', recharge_record_id: 'uuid' }),
      fill: ({ user, kept }) => ({ token: user.token, body: { code: kept.code } }),
    },
    {
      request: 'GET /api/recharge/records?page=1&page_size=20',
      status: 200,
      shape: pageOf([{ id: 'uuid', amount: 'money', created_at: 'instant' }]),
      fill: asUser,
    },
    {
      request: 'GET /api/recharge/codes?page=1&page_size=20&status=active',
      status: 200,
      shape: pageOf([{ id: 'uuid', code: 'string', amount: 'money', expires_at: 'instant' }]),
    },
  ],
  系统管理: [
    {
      request: 'GET /api/admin/stats',
      status: 200,
      shape: enveloped({
        total_users: 'integer',
        active_users: 'integer',
        total_tasks: 'integer',
        running_tasks: 'integer',
        completed_tasks: 'integer',
        failed_tasks: 'integer',
        total_gpu_servers: 'integer',
        online_gpu_servers: 'integer',
        total_revenue: 'money',
      }),
    },
    {
      request: 'GET /api/admin/users?page=1&page_size=20&role=user&is_active=true',
      status: 200,
      shape: pageOf([ME]),
    },
    {
      request: 'PUT /api/admin/users/{user_id}',
      status: 200,
      shape: enveloped({ ...USER, is_active: 'boolean', balance: 'money' }),
      fill: async (scene) => ({
        ids: [(await scene.someone()).user.uuid],
        body: { role: 'admin', is_active: false, balance: 200.0 },
      }),
    },
    { request: 'GET /api/admin/config', status: 200, shape: enveloped('object') },
    {
      request: 'PUT /api/admin/config',
      status: 200,
      shape: enveloped({
        max_concurrent_tasks_per_user: 'integer',
        default_task_timeout: 'integer',
        maintenance_mode: 'boolean',
      }),
      fill: () => ({
        body: { max_concurrent_tasks_per_user: 5, default_task_timeout: 3600, maintenance_mode: false },
      }),
    },
  ],
  日志管理: [
    {
      request:
        'GET /api/logs/system?page=1&page_size=50&level=ERROR&start_date=2024-01-01&end_date=2024-01-31',
      status: 200,
      shape: pageOf('array'),
    },
    {
      request: 'GET /api/logs/user-actions?user_id={user_id}&page=1&page_size=50',
      status: 200,
      shape: pageOf('array'),
      fill: ({ user }) => ({ ids: [user.user.uuid] }),
    },
    {
      request: 'GET /api/logs/tasks/{task_id}',
      status: 200,
      shape: pageOf('array'),
      fill: async (scene) => {
        const body = { title: 'a', task_type: 'test' }
        const { id } = (await scene.as(scene.user, 'POST', '/api/tasks', body)).body.data
        return { token: scene.user.token, ids: [id] }
      },
    },
    { request: 'GET /api/logs/download?log_type=system&date=2024-01-15', status: 200, shape: 'lines' },
  ],
}
