import type { Env, EnvReader } from './env.ts'

export interface BackupConfig {
  /** Undefined: an operator makes backups. */
  backups: BackupPlan | undefined
}

export interface BackupPlan {
  /** A cron pattern, in UTC. */
  schedule: string
  directory: string
  /** How many of its backups stay there. */
  keep: number
  /** Of the program that makes the backup, which reads its configuration from it. */
  environment: Env
}

export const readBackup = (env: EnvReader): BackupConfig => ({ backups: readPlan(env) })

function readPlan(env: EnvReader): BackupPlan | undefined {
  const schedule = env.text('BACKUP_SCHEDULE')
  const keep = env.integer('BACKUP_KEEP', 7, 1, 10_000)
  if (schedule === undefined) return undefined
  if (!/^[\d*/,A-Za-z-]+( +[\d*/,A-Za-z-]+){4}$/.test(schedule))
    env.mistakes.push('BACKUP_SCHEDULE must be a cron pattern of five fields, such as 30 3 * * *')
  const directory = env.required('BACKUP_DIR', 'when BACKUP_SCHEDULE is set')
  return { schedule, directory, keep, environment: env.env }
}
