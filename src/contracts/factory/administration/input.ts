import type { Static } from '@sinclair/typebox'
import { AppError, type Issue } from '../../../core/errors.ts'
import { readAmount } from '../../../core/money/amounts.ts'
import type { SystemConfigChange } from '../../../core/system/settings.ts'
import { TASK_TYPE } from '../../../core/tasks/task-type.ts'
import { ConfigChange } from './models.ts'

/**
 * The settings that a body names.
 * @throws AppError VALIDATION_FAILED with every name that is no setting or no task type; for a price with three decimals
 */
export function readConfigChange(body: Static<typeof ConfigChange>): SystemConfigChange {
  const prices = Object.entries(body.task_prices ?? {})
  const issues: Issue[] = [
    ...Object.keys(body)
      .filter((name) => !Object.hasOwn(ConfigChange.properties, name))
      .map((field): Issue => ({ field, rule: 'unknown_setting' })),
    ...prices
      .filter(([type]) => !TASK_TYPE.test(type))
      .map(([type]): Issue => ({ field: `task_prices.${type}`, rule: 'format' })),
  ]
  if (issues.length > 0) throw new AppError('VALIDATION_FAILED', { issues })
  const read = ([type, price]: [string, number | null]) =>
    [type, price === null ? null : readAmount(`task_prices.${type}`, price)] as const
  return {
    maxConcurrentTasksPerUser: body.max_concurrent_tasks_per_user,
    defaultTaskTimeout: body.default_task_timeout,
    maintenanceMode: body.maintenance_mode,
    taskPrices: body.task_prices && Object.fromEntries(prices.map(read)),
  }
}
