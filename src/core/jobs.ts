/** The jobs and schedules of all domains. The administrators' list shows schedules in this order. */
import type { DomainJobs } from '../jobs/job.ts'
import { accountsJobs } from './accounts/jobs.ts'
import { agendaJobs } from './agenda/jobs.ts'
import { agentJobs } from './agent/jobs.ts'
import { auditJobs } from './audit/jobs.ts'
import { backupJobs } from './backup/jobs.ts'
import { channelJobs } from './channel/jobs.ts'
import type { Context } from './context.ts'
import { coursesJobs } from './courses/jobs.ts'
import { filesJobs } from './files/jobs.ts'
import { idempotencyJobs } from './idempotency/jobs.ts'
import { logsJobs } from './logs/jobs.ts'
import { materialsJobs } from './materials/jobs.ts'
import { photoFilesJobs } from './photo-files/jobs.ts'
import { photoIndexJobs } from './photo-index/jobs.ts'
import { reconciliationJobs } from './reconciliation/jobs.ts'
import { statisticsJobs } from './statistics/jobs.ts'
import { systemJobs } from './system/jobs.ts'
import { userDeletionJobs } from './user-deletion/jobs.ts'
import { verificationJobs } from './verification/jobs.ts'
import { webhookJobs } from './webhooks/jobs.ts'

const domains: DomainJobs<Context>[] = [
  materialsJobs,
  coursesJobs,
  filesJobs,
  photoFilesJobs,
  photoIndexJobs,
  channelJobs,
  auditJobs,
  idempotencyJobs,
  logsJobs,
  accountsJobs,
  agendaJobs,
  agentJobs,
  verificationJobs,
  webhookJobs,
  systemJobs,
  reconciliationJobs,
  statisticsJobs,
  userDeletionJobs,
  backupJobs,
]

export const jobs = domains.flatMap((domain) => domain.jobs ?? [])
export const schedules = domains.flatMap((domain) => domain.schedules ?? [])
