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

export interface UploadEventData {
  material_id: number
  title: string
  type: 'video' | 'pdf'
  file_format: string
}

/** A recurring item is told of as a whole: its start and end are those of its first occurrence. */
export interface ScheduleEventData {
  /** UUID. */
  item_id: string
  title: string
  /** RFC 3339 in UTC. */
  start_at: string
  end_at: string | null
  timezone: string
  status: 'active' | 'completed' | 'cancelled'
  rrule: string | null
}

/** Every event type of the live channel with the shape of its `data`. */
export interface ChannelEvents {
  'task.created': TaskEventData
  'task.started': TaskEventData & { gpu_server_id: string }
  /** A large result is left out; REST has it. */
  'task.completed': TaskEventData & { result: Record<string, unknown>; result_omitted?: true; cost: number }
  /** `error_message` is worded for the reader; the code and its parameters let a client word it by itself. */
  'task.failed': TaskEventData & {
    error_message: string
    failure_code: string
    failure_params: Record<string, string | number>
    exit_code: number | null
    cost: number
  }
  'task.cancelled': TaskEventData & { cost: number }
  /** `reason` is worded for the reader, unless it is `retry`: then its owner asked for it. */
  'task.requeued': TaskEventData & {
    reason: string
    reason_code?: string
    reason_params?: Record<string, string | number>
  }
  'task.deleted': TaskEventData
  'upload.started': UploadEventData
  'upload.completed': UploadEventData & { file_size: number }
  /** The material is gone; `reason` is an error code. */
  'upload.failed': UploadEventData & { reason: string }
  'thumbnail.completed': { material_id: number; thumbnail_path: string }
  /** A placeholder stands in its place. */
  'thumbnail.failed': { material_id: number; thumbnail_path: string; reason: string }
  'material.hidden': { material_id: number }
  'material.removed': { material_id: number }
  'agent.run_finished': {
    session_id: string
    run_id: string
    status: 'completed' | 'failed' | 'cancelled'
    /** A code, when it failed. */
    error: string | null
  }
  'schedule.created': ScheduleEventData
  'schedule.updated': ScheduleEventData
  'schedule.deleted': { item_id: string }
  /** An item, or one occurrence of it, begins in `reminder_minutes`, or sooner when the reminder is late. */
  'schedule.reminder': {
    item_id: string
    title: string
    start_at: string
    end_at: string | null
    timezone: string
    reminder_minutes: number
  }
  'balance.changed': { balance: number; available_balance: number; reason: string }
  'session.revoked': { session_id: string; reason: string }
  'user.updated': { fields: string[] }
}
