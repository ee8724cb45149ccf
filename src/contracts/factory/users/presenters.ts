import type { AccountSummary, UserStatistics } from '../../../core/accounts/administration.ts'
import { toMajor } from '../../../core/money/amounts.ts'
import type { Me, UserStats } from './models.ts'

export const presentMe = ({ user, totalTasks, balance }: AccountSummary): Me => ({
  id: user.uuid,
  email: user.email,
  username: user.username,
  full_name: user.displayName,
  role: user.role,
  balance: toMajor(balance.balanceMinor),
  available_balance: toMajor(balance.availableMinor),
  low_balance_threshold: user.lowBalanceMinor === null ? null : toMajor(user.lowBalanceMinor),
  total_tasks: totalTasks,
  created_at: user.createdAt.toISOString(),
  last_login: user.lastLoginAt?.toISOString() ?? null,
})

export const presentUserStats = (stats: UserStatistics): UserStats => ({
  total_tasks: stats.totalTasks,
  completed_tasks: stats.completedTasks,
  failed_tasks: stats.failedTasks,
  total_cost: toMajor(stats.totalCostMinor),
  current_balance: toMajor(stats.balanceMinor),
  last_task_date: stats.lastTaskAt?.toISOString() ?? null,
})
