import { t } from 'elysia'
import { userNumber, userUuids } from '../../../core/accounts/user-ids.ts'
import { auditOfDay } from '../../../core/audit/day.ts'
import { listAudit } from '../../../core/audit/list.ts'
import type { StoredEntry } from '../../../core/audit/log.ts'
import type { Context } from '../../../core/context.ts'
import { readTogether } from '../../../core/errors.ts'
import { linesOfDay, listSystemLog } from '../../../core/logs/list.ts'
import type { Language } from '../../../core/messages.ts'
import { listTaskLog, taskLogsOfDay } from '../../../core/tasks/log-lines.ts'
import { chapter, type Params, type Query, type SignedCall } from '../../../http/chapter.ts'
import { readDay } from '../../../http/days.ts'
import { languageOf } from '../../../http/language.ts'
import { Page, pageOf } from '../../../http/models.ts'
import { ndjsonFile } from '../../../http/ndjson.ts'
import { FILE_HEADERS } from '../../../http/streamed-file.ts'
import { Envelope, envelope, factory } from '../contract.ts'
import {
  DownloadQuery,
  type LOG_TYPES,
  SystemLogPage,
  SystemLogQuery,
  TaskId,
  TaskLogLine,
  TaskLogQuery,
  UserAction,
  UserActionsQuery,
} from './models.ts'
import { presentAction, presentLine, presentTaskLine } from './presenters.ts'

const { routes, route } = chapter(factory, 'logs')

export const logRoutes = (ctx: Context) =>
  routes(ctx, '/logs')
    .get(
      '/system',
      listSystem,
      route({
        auth: 'log.read',
        summary: 'Read the log of all servers, the newest lines first (administrators)',
        query: SystemLogQuery,
        response: Envelope(SystemLogPage),
      }),
    )
    .get(
      '/user-actions',
      listActions,
      route({
        auth: 'log.read',
        summary: 'Read what users did, the newest first (administrators)',
        query: UserActionsQuery,
        response: Envelope(Page(UserAction)),
      }),
    )
    .get(
      '/tasks/:task_id',
      listOfTask,
      route({
        auth: true,
        summary: 'Read the log of a task, the oldest lines first',
        params: TaskId,
        query: TaskLogQuery,
        response: Envelope(Page(TaskLogLine)),
      }),
    )
    .get(
      '/download',
      download,
      route({
        auth: 'log.read',
        summary: 'Download the log of one day, one JSON object a line (administrators)',
        query: DownloadQuery,
        response: t.String(),
        contentType: 'application/x-ndjson',
        headers: FILE_HEADERS,
      }),
    )

async function listSystem({ ctx, query, request }: SignedCall & Query<typeof SystemLogQuery>) {
  const { level, search } = query
  const page = { page: query.page, pageSize: query.page_size }
  const filter = { ...daysOf(query), level, search: search?.trim() || undefined }
  const { lines, total, searchedFrom } = await listSystemLog(ctx, filter, page)
  const items = pageOf(lines.map(presentLine), total, query)
  return envelope(request, { ...items, searched_from: searchedFrom })
}

async function listActions({ ctx, query, request }: SignedCall & Query<typeof UserActionsQuery>) {
  const { user_id: user, action, search } = query
  const userId = user === undefined ? undefined : await userNumber(ctx, user)
  if (user !== undefined && userId === undefined) return envelope(request, pageOf([], 0, query))
  const page = { page: query.page, pageSize: query.page_size }
  const filter = { ...daysOf(query), userId, action, search: search?.trim() || undefined }
  const { entries, total } = await listAudit(ctx, filter, page)
  return envelope(request, pageOf(await presentActions(ctx, entries), total, query))
}

async function listOfTask({
  ctx,
  principal,
  params,
  query,
  request,
}: SignedCall & Params<typeof TaskId> & Query<typeof TaskLogQuery>) {
  const { level, after } = query
  const page = { page: query.page, pageSize: query.page_size }
  const { task, lines, total } = await listTaskLog(ctx, principal, params.task_id, { level, after }, page)
  const language = languageOf(request, factory.language)
  const items = lines.map((line) => presentTaskLine(line, task.uuid, language))
  return envelope(request, pageOf(items, total, query))
}

function download({ ctx, query, request, set }: SignedCall & Query<typeof DownloadQuery>) {
  const date = readDay('date', query.date)
  const lines = OF_DAY[query.log_type](ctx, date, languageOf(request, factory.language))
  return ndjsonFile({ request, set }, `${query.log_type}-${date}.ndjson`, lines)
}

const OF_DAY: Record<
  (typeof LOG_TYPES)[number],
  (ctx: Context, date: string, language: Language) => AsyncGenerator<object[], void>
> = {
  async *system(ctx, date) {
    for await (const lines of linesOfDay(ctx, date)) yield lines.map(presentLine)
  },
  async *user_actions(ctx, date) {
    for await (const entries of auditOfDay(ctx, date)) yield await presentActions(ctx, entries)
  },
  async *tasks(ctx, date, language) {
    for await (const lines of taskLogsOfDay(ctx, date))
      yield lines.map((line) => ({
        user_id: line.userUuid,
        ...presentTaskLine(line, line.taskUuid, language),
      }))
  },
}

async function presentActions(ctx: Context, entries: StoredEntry[]): Promise<UserAction[]> {
  const uuids = await userUuids(
    ctx,
    entries.map(({ actorId }) => actorId),
  )
  return entries.map((entry) => presentAction(entry, uuids))
}

function daysOf(query: { start_date?: string | undefined; end_date?: string | undefined }) {
  const [from, to] = readTogether(
    () => readDay('start_date', query.start_date),
    () => readDay('end_date', query.end_date),
  )
  return { from, to }
}
