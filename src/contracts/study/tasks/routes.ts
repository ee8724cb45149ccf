import { t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { pauseTask, resumeTask, startTask } from '../../../core/study/study.ts'
import type { TaskDetail as CoreTaskDetail } from '../../../core/tasks/tasks.ts'
import { chapter, type Params, type SignedCall } from '../../../http/chapter.ts'
import { languageOf } from '../../../http/language.ts'
import { study } from '../contract.ts'
import { TaskDetail } from './models.ts'
import { presentTaskDetail } from './presenters.ts'

const { routes, route } = chapter(study, 'tasks')

const TaskId = t.Object({ id: t.String() })

export const taskRoutes = (ctx: Context) =>
  routes(ctx, '/tasks')
    .post(
      '/:id/start',
      startOne,
      route({
        auth: true,
        summary: 'Start a study task',
        params: TaskId,
        response: TaskDetail,
        errors: [
          'INVALID_STATE',
          'NOT_A_STUDY_TASK',
          'COURSE_NOT_FOUND',
          'TOO_MANY_ITEMS',
          'COURSE_PROVIDER_UNAVAILABLE',
          'COURSE_PROVIDER_FAILED',
          'COURSE_ACCOUNT_REFUSED',
          'COURSE_ACCOUNT_MISSING',
        ],
      }),
    )
    .post(
      '/:id/pause',
      pauseOne,
      route({
        auth: true,
        summary: 'Pause a running study task',
        params: TaskId,
        response: TaskDetail,
        errors: ['INVALID_STATE', 'NOT_A_STUDY_TASK'],
      }),
    )
    .post(
      '/:id/resume',
      resumeOne,
      route({
        auth: true,
        summary: 'Go on with a paused study task',
        params: TaskId,
        response: TaskDetail,
        errors: ['INVALID_STATE', 'NOT_A_STUDY_TASK'],
      }),
    )

type Call = SignedCall & Params<typeof TaskId>

const startOne = async ({ ctx, principal, params, request }: Call) =>
  present(request, await startTask(ctx, principal, params.id))

const pauseOne = async ({ ctx, principal, params, request }: Call) =>
  present(request, await pauseTask(ctx, principal, params.id))

const resumeOne = async ({ ctx, principal, params, request }: Call) =>
  present(request, await resumeTask(ctx, principal, params.id))

const present = (request: Request, task: CoreTaskDetail) =>
  presentTaskDetail(task, languageOf(request, study.language))
