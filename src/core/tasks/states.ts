import { TASK_KINDS, TASK_STATUSES } from '../../db/schema/index.ts'
import { AppError } from '../errors.ts'

export { TASK_KINDS, TASK_STATUSES }
export type TaskStatus = (typeof TASK_STATUSES)[number]

/**
 * The state machine of all tasks (docs/design.md, "Tasks"). `running → pending` is a requeue after a lost node,
 * `failed/cancelled → pending` a retry.
 */
const NEXT: Record<TaskStatus, readonly TaskStatus[]> = {
  pending: ['running', 'failed', 'cancelled'],
  running: ['pending', 'paused', 'completed', 'failed', 'cancelled'],
  paused: ['running', 'completed', 'failed', 'cancelled'],
  completed: [],
  failed: ['pending'],
  cancelled: ['pending'],
}

export const UNFINISHED = ['pending', 'running', 'paused'] as const satisfies readonly TaskStatus[]

/** @throws AppError INVALID_STATE */
export function assertTransition(from: TaskStatus, to: TaskStatus): void {
  if (!NEXT[from].includes(to)) throw new AppError('INVALID_STATE', { params: { status: from } })
}
