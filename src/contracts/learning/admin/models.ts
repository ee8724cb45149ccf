import { type Static, t } from 'elysia'
import { nullable, Timestamp } from '../../../http/models.ts'

export const CleanupOptions = t.Optional(
  t.Object({
    cleanup_processing: t.Optional(t.Boolean()),
    cleanup_orphans: t.Optional(t.Boolean()),
    max_age_minutes: t.Optional(t.Integer({ minimum: 1, maximum: 525_600 })),
  }),
)

export const CleanupReport = t.Object({
  success: t.Boolean(),
  cleaned_records: t.Integer(),
  cleaned_files: t.Integer(),
  duration_seconds: t.Number(),
  errors: t.Array(t.String()),
})
export type CleanupReport = Static<typeof CleanupReport>

export const SchedulerStatus = t.Object({
  running: t.Boolean(),
  jobs: t.Array(t.Object({ id: t.String(), name: t.String(), next_run_time: nullable(Timestamp) })),
})
export type SchedulerStatus = Static<typeof SchedulerStatus>

export const JobId = t.Object({ job_id: t.String({ maxLength: 100 }) })

export const JobChange = t.Object({ success: t.Literal(true), message: t.String(), job_id: t.String() })
export type JobChange = Static<typeof JobChange>
