import type { Context } from '../../../core/context.ts'
import { cleanUpNow } from '../../../core/materials/cleanup.ts'
import { pauseSchedule, resumeSchedule } from '../../../core/system/schedules.ts'
import { type Body, chapter, type Params, type SignedCall } from '../../../http/chapter.ts'
import { learning } from '../contract.ts'
import { CleanupOptions, CleanupReport, JobChange, JobId, SchedulerStatus } from './models.ts'

const { routes, route } = chapter(learning, 'administration')

export const adminRoutes = (ctx: Context) =>
  routes(ctx, '/admin')
    .post(
      '/cleanup',
      startCleanup,
      route({
        auth: 'system.cleanup',
        summary: 'Clean up now (administrators)',
        id: 'cleanUp',
        body: CleanupOptions,
        example: { cleanup_processing: true, cleanup_orphans: true, max_age_minutes: 30 },
        response: CleanupReport,
      }),
    )
    .get(
      '/scheduler/status',
      showScheduler,
      route({
        auth: 'system.scheduler',
        summary: 'Show the scheduled jobs (administrators)',
        response: SchedulerStatus,
      }),
    )
    .post(
      '/scheduler/jobs/:job_id/pause',
      pauseJob,
      route({
        auth: 'system.scheduler',
        summary: 'Pause a job on all servers (administrators)',
        params: JobId,
        response: JobChange,
        errors: ['JOB_NOT_FOUND'],
      }),
    )
    .post(
      '/scheduler/jobs/:job_id/resume',
      resumeJob,
      route({
        auth: 'system.scheduler',
        summary: 'Resume a paused job (administrators)',
        params: JobId,
        response: JobChange,
        errors: ['JOB_NOT_FOUND'],
      }),
    )

async function startCleanup(call: SignedCall & Body<typeof CleanupOptions>): Promise<CleanupReport> {
  const { ctx, principal, body } = call
  const start = performance.now()
  const report = await cleanUpNow(ctx, principal, {
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
}

async function showScheduler({ ctx }: SignedCall): Promise<SchedulerStatus> {
  const { running, jobs } = await ctx.scheduler.status()
  return {
    running,
    jobs: jobs.map(({ id, name, nextRunAt }) => ({
      id,
      name,
      next_run_time: nextRunAt?.toISOString() ?? null,
    })),
  }
}

async function pauseJob({ ctx, principal, params, request }: SignedCall & Params<typeof JobId>) {
  await pauseSchedule(ctx, principal, params.job_id)
  return presentChange(params.job_id, learning.text(request, 'job_paused', { jobId: params.job_id }))
}

async function resumeJob({ ctx, principal, params, request }: SignedCall & Params<typeof JobId>) {
  await resumeSchedule(ctx, principal, params.job_id)
  return presentChange(params.job_id, learning.text(request, 'job_resumed', { jobId: params.job_id }))
}

const presentChange = (id: string, message: string): JobChange => ({ success: true, message, job_id: id })
