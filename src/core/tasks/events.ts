import type { Failure } from './failures.ts'
import type { WaitingFor } from './placement.ts'
import { shownProgress } from './progress.ts'
import type { Task } from './rows.ts'

/** What every event of a task says. */
export type TaskEvent = Pick<Task, 'uuid' | 'id' | 'status' | 'progress' | 'title' | 'attempt'>

export interface TaskEvents {
  'task.created': TaskEvent
  /** Without a node: a study task. */
  'task.started': TaskEvent & { nodeUuid?: string }
  'task.paused': TaskEvent
  'task.resumed': TaskEvent
  'task.completed': TaskEvent & { result: Record<string, unknown>; costMinor: number }
  'task.failed': TaskEvent & { failure: Failure; costMinor: number }
  /** `failure`: an administrator stopped it. */
  'task.cancelled': TaskEvent & { costMinor: number; failure?: Failure | undefined }
  /** `retry`: the owner asked for it. Otherwise the reason why the task lost its node. */
  'task.requeued': TaskEvent & { reason: 'retry' | Failure }
  /** Its owner is told once that the task waits for a type which no node has offered for a time. */
  'task.unplaceable': TaskEvent & WaitingFor
  'task.deleted': TaskEvent
}

export const taskEvent = ({ uuid, id, status, progress, title, attempt }: TaskEvent): TaskEvent => ({
  uuid,
  id,
  status,
  progress: shownProgress(progress),
  title,
  attempt,
})
