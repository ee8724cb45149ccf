import { Elysia, type Static, t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { invalid } from '../../../core/errors.ts'
import { TASK_STATUSES } from '../../../core/tasks/states.ts'
import {
  type TaskDetail as CoreTask,
  cancelTask,
  createTask,
  deleteTask,
  getTask,
  listTasks,
  type NewTask,
  retryTask,
} from '../../../core/tasks/tasks.ts'
import { guard } from '../../../http/authenticate.ts'
import { choice } from '../../../http/choice.ts'
import { languageOf } from '../../../http/language.ts'
import { Nothing, Page, pageOf, pageQuery } from '../../../http/models.ts'
import { factory } from '../../factory/contract.ts'
import { Task } from '../../factory/models.ts'
import { presentTask } from '../../factory/presenters.ts'
import * as study from '../../study/models.ts'
import * as studyPresenters from '../../study/presenters.ts'
import { Both, both } from '../both.ts'

const Body = t.Object({
  /** Factory's name of a task; study's is `name`. Either is taken. */
  title: t.Optional(t.String({ minLength: 1, maxLength: 255 })),
  name: t.Optional(t.String({ minLength: 1, maxLength: 255 })),
  description: t.Optional(t.Union([t.String({ maxLength: 5000 }), t.Null()])),
  task_type: t.Optional(t.String({ pattern: '^[a-z][a-z0-9_.-]{0,49}$' })),
  course_ids: t.Optional(t.Array(t.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 200 })),
  priority: t.Optional(t.Integer({ minimum: 0, maximum: 10 })),
  /** Minutes. */
  estimated_duration: t.Optional(t.Union([t.Integer({ minimum: 1, maximum: 100_000 }), t.Null()])),
  config: t.Optional(t.Record(t.String(), t.Unknown())),
})

const MAX_CONFIG_BYTES = 64 * 1024

/** The body decides the kind, `course_ids` a study task, `task_type` a GPU task: docs/design.md, "Tasks". */
function toNewTask(body: Static<typeof Body>): NewTask {
  const title = body.title ?? body.name
  if ((body.course_ids === undefined) === (body.task_type === undefined))
    throw invalid('task_type', 'task_kind')
  if (title === undefined) throw invalid(body.course_ids ? 'name' : 'title', 'required')
  if (JSON.stringify(body.config ?? {}).length > MAX_CONFIG_BYTES) {
    throw invalid('config', 'max_length', { limit: MAX_CONFIG_BYTES })
  }
  const common = {
    title,
    description: body.description ?? undefined,
    priority: body.priority,
    estimatedMinutes: body.estimated_duration ?? undefined,
  }
  return body.course_ids
    ? { ...common, kind: 'study', courseIds: body.course_ids }
    : { ...common, kind: 'gpu', taskType: body.task_type!, config: body.config }
}

const Query = t.Object({
  ...pageQuery,
  status: t.Optional(choice(TASK_STATUSES)),
  task_type: t.Optional(t.String({ maxLength: 50 })),
  sort_by: choice(['created_at', 'updated_at', 'priority'], { default: 'created_at' }),
  sort_order: choice(['asc', 'desc'], { default: 'desc' }),
})

const params = t.Object({ id: t.String() })
const One = Both(study.TaskDetail, Task)

const answer = (request: Request, task: CoreTask, key?: Parameters<typeof both>[3]) => {
  const language = languageOf(request, factory.language)
  return both(request, studyPresenters.presentTaskDetail(task, language), presentTask(task, language), key)
}

export const taskRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/tasks' })
    .use(guard(ctx))
    .get(
      '',
      async ({ principal, query, request }) => {
        const { tasks, total } = await listTasks(ctx, principal.userId, {
          page: query.page,
          pageSize: query.page_size,
          status: query.status,
          taskType: query.task_type,
          sortBy: query.sort_by,
          sortOrder: query.sort_order,
        })
        const language = languageOf(request, factory.language)
        const ofStudy = tasks.map((task) => studyPresenters.presentTask(task, language))
        const ofFactory = tasks.map((task) => presentTask(task, language))
        return both(request, pageOf(ofStudy, total, query), pageOf(ofFactory, total, query))
      },
      {
        auth: true,
        query: Query,
        detail: factory.describe({
          summary: 'List your tasks',
          tag: 'tasks',
          response: Both(Page(study.Task), Page(Task)),
          errors: ['AUTHENTICATION_REQUIRED', 'VALIDATION_FAILED'],
        }),
      },
    )
    .post(
      '',
      async ({ principal, body, request, set }) => {
        const task = await createTask(ctx, principal.userId, toNewTask(body))
        set.status = 201
        return answer(request, task, 'task_created')
      },
      {
        auth: true,
        body: Body,
        detail: factory.describe({
          summary: 'Create a GPU task (task_type) or a study task (course_ids)',
          tag: 'tasks',
          example: {
            title: '视频分析任务',
            description: '分析视频内容',
            task_type: 'video_analysis',
            priority: 2,
            estimated_duration: 30,
            config: { video_url: 'https://example.com/video.mp4', analysis_type: 'content' },
          },
          status: 201,
          response: One,
          errors: [
            'AUTHENTICATION_REQUIRED',
            'VALIDATION_FAILED',
            'TASK_LIMIT_EXCEEDED',
            'INSUFFICIENT_BALANCE',
          ],
        }),
      },
    )
    .get(
      '/:id',
      async ({ principal, params, request }) => answer(request, await getTask(ctx, principal, params.id)),
      {
        auth: true,
        params,
        detail: factory.describe({
          summary: 'Show one task with its newest logs',
          tag: 'tasks',
          response: One,
          errors: ['AUTHENTICATION_REQUIRED', 'NOT_FOUND'],
        }),
      },
    )
    .post(
      '/:id/cancel',
      async ({ principal, params, request }) =>
        answer(request, await cancelTask(ctx, principal, params.id), 'task_cancelled'),
      {
        auth: true,
        params,
        detail: factory.describe({
          summary: 'Cancel a task that has not ended',
          tag: 'tasks',
          response: One,
          errors: ['AUTHENTICATION_REQUIRED', 'NOT_FOUND', 'INVALID_STATE'],
        }),
      },
    )
    .post(
      '/:id/retry',
      async ({ principal, params, request }) =>
        answer(request, await retryTask(ctx, principal, params.id), 'task_retried'),
      {
        auth: true,
        params,
        detail: factory.describe({
          summary: 'Run a failed or cancelled task again',
          tag: 'tasks',
          response: One,
          errors: [
            'AUTHENTICATION_REQUIRED',
            'NOT_FOUND',
            'INVALID_STATE',
            'TASK_LIMIT_EXCEEDED',
            'INSUFFICIENT_BALANCE',
          ],
        }),
      },
    )
    .delete(
      '/:id',
      async ({ principal, params, request }) => {
        await deleteTask(ctx, principal, params.id)
        return both(request, {}, {}, 'task_deleted')
      },
      {
        auth: true,
        params,
        detail: factory.describe({
          summary: 'Delete a task that is not running',
          tag: 'tasks',
          response: Both(Nothing, Nothing),
          errors: ['AUTHENTICATION_REQUIRED', 'NOT_FOUND', 'INVALID_STATE'],
        }),
      },
    )
