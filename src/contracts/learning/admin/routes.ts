import { Elysia, t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { AppError } from '../../../core/errors.ts'
import { cleanUp } from '../../../core/materials/cleanup.ts'
import { guard } from '../../../http/authenticate.ts'
import { learning } from '../contract.ts'

const Cleanup = t.Object({
  success: t.Boolean(),
  cleaned_records: t.Integer(),
  cleaned_files: t.Integer(),
  duration_seconds: t.Number(),
  errors: t.Array(t.String()),
})

const SchedulerStatus = t.Object({
  running: t.Boolean(),
  jobs: t.Array(
    t.Object({
      id: t.String(),
      name: t.String(),
      next_run_time: t.Union([t.String({ format: 'date-time' }), t.Null()]),
    }),
  ),
})

const JobChange = t.Object({ success: t.Literal(true), message: t.String(), job_id: t.String() })
const params = t.Object({ job_id: t.String({ maxLength: 100 }) })
const errors = ['AUTHENTICATION_REQUIRED', 'PERMISSION_DENIED'] as const

export const adminRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/admin' })
    .use(guard(ctx))
    .post(
      '/cleanup',
      async ({ body }) => {
        const start = performance.now()
        const report = await cleanUp(ctx, {
          processing: body?.cleanup_processing ?? true,
          orphans: body?.cleanup_orphans ?? true,
          maxAgeMinutes: body?.max_age_minutes ?? 30,
        })
        return {
          success: report.errors.length === 0,
          cleaned_records: report.records,
          cleaned_files: report.files,
          duration_seconds: Math.round(performance.now() - start) / 1000,
          errors: report.errors,
        }
      },
      {
        auth: 'system.cleanup',
        body: t.Optional(
          t.Object({
            cleanup_processing: t.Optional(t.Boolean()),
            cleanup_orphans: t.Optional(t.Boolean()),
            max_age_minutes: t.Optional(t.Integer({ minimum: 1, maximum: 525_600 })),
          }),
        ),
        detail: learning.describe({
          summary: 'Clean up now (administrators)',
          tag: 'administration',
          id: 'cleanUp',
          example: { cleanup_processing: true, cleanup_orphans: true, max_age_minutes: 30 },
          response: Cleanup,
          errors: [...errors, 'VALIDATION_FAILED', 'CLEANUP_FAILED'],
        }),
      },
    )
    .get(
      '/scheduler/status',
      async () => {
        const { running, jobs } = await ctx.scheduler.status()
        return {
          running,
          jobs: jobs.map(({ id, name, nextRunAt }) => ({
            id,
            name,
            next_run_time: nextRunAt?.toISOString() ?? null,
          })),
        }
      },
      {
        auth: 'system.scheduler',
        detail: learning.describe({
          summary: 'Show the scheduled jobs (administrators)',
          tag: 'administration',
          response: SchedulerStatus,
          errors: [...errors],
        }),
      },
    )
    .post(
      '/scheduler/jobs/:job_id/pause',
      ({ params, request }) => change(ctx, request, params.job_id, 'pause'),
      {
        auth: 'system.scheduler',
        params,
        detail: learning.describe({
          summary: 'Pause a job on all servers (administrators)',
          tag: 'administration',
          response: JobChange,
          errors: [...errors, 'JOB_NOT_FOUND'],
        }),
      },
    )
    .post(
      '/scheduler/jobs/:job_id/resume',
      ({ params, request }) => change(ctx, request, params.job_id, 'resume'),
      {
        auth: 'system.scheduler',
        params,
        detail: learning.describe({
          summary: 'Resume a paused job (administrators)',
          tag: 'administration',
          response: JobChange,
          errors: [...errors, 'JOB_NOT_FOUND'],
        }),
      },
    )

async function change({ scheduler }: Context, request: Request, id: string, verb: 'pause' | 'resume') {
  const known = await scheduler[verb](id)
  if (!known) throw new AppError('JOB_NOT_FOUND', { params: { job_id: id } })
  return {
    success: true as const,
    message: learning.text(request, `job_${verb}d`, { job_id: id }),
    job_id: id,
  }
}
