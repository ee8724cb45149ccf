import { maintain } from '../../db/maintenance.ts'
import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'

const maintenanceSchedule = defineSchedule({
  id: 'maintain_database',
  name: 'maintain_embedded_database',
  pattern: '*/10 * * * *',
  run: async ({ config, db }: Context) => (config.databaseUrl ? undefined : { tables: await maintain(db) }),
})

export const systemJobs = { schedules: [maintenanceSchedule] }
