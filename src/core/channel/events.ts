import type { TaskStatus } from '../tasks/states.ts'

/** What a task event says; an event may add to it. */
export interface TaskEventData {
  /** UUID. */
  task_id: string
  id: number
  status: TaskStatus
  progress: number
  title: string
  attempt: number
}

/** Every event type of the live channel with the shape of its `data`. */
export interface ChannelEvents {
  'task.created': TaskEventData
  'task.started': TaskEventData & { gpu_server_id: string }
  /** A large result is left out; REST has it. */
  'task.completed': TaskEventData & { result: Record<string, unknown>; result_omitted?: true; cost: number }
  'task.failed': TaskEventData & { error_message: string; cost: number }
  'task.cancelled': TaskEventData & { cost: number }
  'task.requeued': TaskEventData & { reason: string }
  'task.deleted': TaskEventData
  'balance.changed': { balance: number; available_balance: number; reason: string }
  'session.revoked': { session_id: string; reason: string }
  'user.updated': { fields: string[] }
}
