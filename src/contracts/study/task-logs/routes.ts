import { t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { someOfTaskLog } from '../../../core/tasks/log-lines.ts'
import { chapter, type Params, type Query, type SignedCall } from '../../../http/chapter.ts'
import { languageOf } from '../../../http/language.ts'
import { study } from '../contract.ts'
import { TaskId, TaskLogLine, TaskLogsQuery } from './models.ts'
import { presentLine } from './presenters.ts'

const { routes, route } = chapter(study, 'tasks')

export const taskLogRoutes = (ctx: Context) =>
  routes(ctx, '/tasks').get(
    '/:id/logs',
    listLines,
    route({
      auth: true,
      summary: 'Read the log of a task, the oldest of its lines first',
      params: TaskId,
      query: TaskLogsQuery,
      response: t.Array(TaskLogLine),
    }),
  )

async function listLines({
  ctx,
  principal,
  params,
  query,
  request,
}: SignedCall & Params<typeof TaskId> & Query<typeof TaskLogsQuery>) {
  const { level, after, limit } = query
  const lines = await someOfTaskLog(ctx, principal, params.id, { level, after }, limit)
  const language = languageOf(request, study.language)
  return lines.map((line) => presentLine(line, language))
}
