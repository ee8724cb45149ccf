import type { Static } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { invalid } from '../../../core/errors.ts'
import { createTask, type NewTask } from '../../../core/tasks/create.ts'
import { cancelTask, deleteTask, getTask, listTasks, retryTask } from '../../../core/tasks/tasks.ts'
import { type Body, chapter, type Params, type Query, type SignedCall } from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { languageOf } from '../../../http/language.ts'
import { Nothing, pageOf } from '../../../http/models.ts'
import { factory } from '../../factory/contract.ts'
import * as factoryTasks from '../../factory/tasks/presenters.ts'
import { study } from '../../study/contract.ts'
import * as studyTasks from '../../study/tasks/presenters.ts'
import { Both, both } from '../both.ts'
import { OneTask, TASK_CREATION, TaskCreation, TaskId, Tasks, TasksQuery } from './models.ts'
import { presentOneTask } from './presenters.ts'

const { routes, route } = chapter(factory, 'tasks', { sharedWith: study })

const SORT_BY = { created_at: 'createdAt', updated_at: 'updatedAt', priority: 'priority' } as const

export const taskRoutes = (ctx: Context) =>
  routes(ctx, '/tasks')
    .get('', listOwn, route({ auth: true, summary: 'List your tasks', query: TasksQuery, response: Tasks }))
    .post(
      '',
      idempotent(createOne),
      route({
        auth: true,
        summary: 'Create a GPU task (task_type) or a study task (course_ids)',
        body: TaskCreation,
        example: TASK_CREATION,
        status: 201,
        response: OneTask,
        errors: ['TASK_LIMIT_EXCEEDED', 'INSUFFICIENT_BALANCE'],
      }),
    )
    .get(
      '/:id',
      showOne,
      route({
        auth: true,
        summary: 'Show one task with its newest logs',
        params: TaskId,
        response: OneTask,
      }),
    )
    .post(
      '/:id/cancel',
      idempotent(cancelOne),
      route({
        auth: true,
        summary: 'Cancel a task that has not ended',
        params: TaskId,
        response: OneTask,
        errors: ['INVALID_STATE'],
      }),
    )
    .post(
      '/:id/retry',
      idempotent(retryOne),
      route({
        auth: true,
        summary: 'Run a failed or cancelled task again',
        params: TaskId,
        response: OneTask,
        errors: ['INVALID_STATE', 'TASK_LIMIT_EXCEEDED', 'INSUFFICIENT_BALANCE'],
      }),
    )
    .delete(
      '/:id',
      removeOne,
      route({
        auth: true,
        summary: 'Delete a task that is not running',
        params: TaskId,
        response: Both(Nothing, Nothing),
        errors: ['INVALID_STATE'],
      }),
    )

async function listOwn({ ctx, principal, query, request }: SignedCall & Query<typeof TasksQuery>) {
  const { tasks, total } = await listTasks(ctx, principal.userId, {
    page: query.page,
    pageSize: query.page_size,
    status: query.status,
    kind: query.kind,
    taskType: query.task_type,
    sortBy: SORT_BY[query.sort_by],
    sortOrder: query.sort_order,
  })
  const language = languageOf(request, factory.language)
  const study = tasks.map((task) => studyTasks.presentTask(task, language))
  const ofFactory = tasks.map((task) => factoryTasks.presentTask(task, language))
  return both(request, pageOf(study, total, query), pageOf(ofFactory, total, query))
}

async function createOne({ ctx, principal, body, request }: SignedCall & Body<typeof TaskCreation>) {
  const task = await createTask(ctx, principal.userId, newTaskOf(body))
  return presentOneTask(request, task, 'task_created')
}

type OneTaskCall = SignedCall & Params<typeof TaskId>

async function showOne({ ctx, principal, params, request }: OneTaskCall) {
  return presentOneTask(request, await getTask(ctx, principal, params.id))
}

async function cancelOne({ ctx, principal, params, request }: OneTaskCall) {
  return presentOneTask(request, await cancelTask(ctx, principal, params.id), 'task_cancelled')
}

async function retryOne({ ctx, principal, params, request }: OneTaskCall) {
  return presentOneTask(request, await retryTask(ctx, principal, params.id), 'task_retried')
}

async function removeOne({ ctx, principal, params, request }: OneTaskCall) {
  await deleteTask(ctx, principal, params.id)
  return both(request, {}, {}, 'task_deleted')
}

const MAX_CONFIG_BYTES = 64 * 1024

/**
 * The task that a body describes.
 * @throws AppError VALIDATION_FAILED unless the body is one of a study task or one of a GPU task
 */
function newTaskOf(body: Static<typeof TaskCreation>): NewTask {
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
