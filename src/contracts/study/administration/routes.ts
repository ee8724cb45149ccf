import type { Context } from '../../../core/context.ts'
import { systemFigures } from '../../../core/statistics/system.ts'
import { listAllTasks } from '../../../core/tasks/monitor.ts'
import { forceStopTask } from '../../../core/tasks/tasks.ts'
import {
  type Body,
  type Call,
  chapter,
  type Params,
  type Query,
  type SignedCall,
} from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { languageOf } from '../../../http/language.ts'
import { Page, pageOf } from '../../../http/models.ts'
import { study } from '../contract.ts'
import { TaskDetail } from '../tasks/models.ts'
import { presentTaskDetail } from '../tasks/presenters.ts'
import { FORCE_STOP, ForceStop, MonitoredTask, Statistics, TaskId, TasksQuery } from './models.ts'
import { presentMonitoredTask, presentStatistics } from './presenters.ts'

const { routes, route } = chapter(study, 'administration')

export const administrationRoutes = (ctx: Context) =>
  routes(ctx, '/admin')
    .get(
      '/tasks',
      listTasks,
      route({
        auth: 'task.read',
        summary: 'List the tasks of all users, newest first (administrators)',
        query: TasksQuery,
        response: Page(MonitoredTask),
      }),
    )
    .post(
      '/tasks/:id/force-stop',
      idempotent(forceStop),
      route({
        auth: 'task.update',
        summary: "Cancel anybody's task that has not ended, and tell its owner why (administrators)",
        params: TaskId,
        body: ForceStop,
        example: FORCE_STOP,
        response: TaskDetail,
        errors: ['INVALID_STATE'],
      }),
    )
    .get(
      '/statistics',
      showStatistics,
      route({
        auth: 'stats.read',
        summary: 'Count users, tasks, courses and GPU servers (administrators)',
        response: Statistics,
      }),
    )

async function listTasks({ ctx, query, request }: Call & Query<typeof TasksQuery>) {
  const { tasks, total } = await listAllTasks(ctx, {
    page: query.page,
    pageSize: query.page_size,
    status: query.status,
    kind: query.kind,
    taskType: query.task_type,
    userId: query.user_id,
    nodeUuid: query.gpu_server_id,
  })
  const language = languageOf(request, study.language)
  return pageOf(
    tasks.map((task) => presentMonitoredTask(task, language)),
    total,
    query,
  )
}

async function forceStop({
  ctx,
  principal,
  params,
  body,
  request,
}: SignedCall & Params<typeof TaskId> & Body<typeof ForceStop>) {
  const task = await forceStopTask(ctx, principal, params.id, body?.reason?.trim() || undefined)
  return presentTaskDetail(task, languageOf(request, study.language))
}

async function showStatistics({ ctx }: SignedCall) {
  return presentStatistics(await systemFigures(ctx))
}
