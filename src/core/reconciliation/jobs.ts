import { defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { reconcile } from './reconcile.ts'

const reconcileSchedule = defineSchedule({
  id: 'reconcile_ledger',
  name: 'reconcile_ledger',
  pattern: '23 * * * *',
  run: async (ctx: Context, signal) => {
    const { transfers, differences } = await reconcile(ctx, signal)
    return { transfers, differences }
  },
})

export const reconciliationJobs = { schedules: [reconcileSchedule] }
