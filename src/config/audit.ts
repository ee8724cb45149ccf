import type { EnvReader } from './env.ts'

export interface AuditConfig {
  /** 0: entries of the audit log are kept for good. */
  auditKeepDays: number
}

/** The database refuses to delete younger entries (migration 0014). */
const MIN_DAYS = 30

export function readAudit(env: EnvReader): AuditConfig {
  const auditKeepDays = env.integer('AUDIT_KEEP_DAYS', 0, 0, 36_500)
  if (auditKeepDays > 0 && auditKeepDays < MIN_DAYS) {
    env.mistakes.push(`AUDIT_KEEP_DAYS must be 0 (for ever), or at least ${MIN_DAYS}`)
  }
  return { auditKeepDays }
}
