import { toMajor } from '../../core/money/amounts.ts'
import type { TaskEvent, TaskEvents } from '../../core/tasks/events.ts'
import { exitCode, type Failure, failureText } from '../../core/tasks/failures.ts'
import { snakeKeys } from '../../util/case.ts'
import type { EventPresenters } from './presenters.ts'

/** Events stay small, so that a page of the log does. */
const MAX_RESULT_CHARS = 16 * 1024

const presentTask = (task: TaskEvent) => ({
  task_id: task.uuid,
  id: task.id,
  status: task.status,
  progress: task.progress,
  title: task.title,
  attempt: task.attempt,
})

const presentResult = (result: Record<string, unknown>) =>
  JSON.stringify(result).length <= MAX_RESULT_CHARS
    ? { result }
    : { result: {}, result_omitted: true as const }

/** The text is English here; `wording.ts` makes it again for readers of other languages. */
const presentReason = (failure: Failure) => ({
  reason: failureText(failure, 'en'),
  reason_code: failure.code,
  reason_params: snakeKeys(failure.params),
})

export const taskEvents: EventPresenters<TaskEvents> = {
  'task.created': presentTask,
  'task.started': ({ nodeUuid, ...task }) => ({
    ...presentTask(task),
    ...(nodeUuid !== undefined && { gpu_server_id: nodeUuid }),
  }),
  'task.paused': presentTask,
  'task.resumed': presentTask,
  'task.completed': (task) => ({
    ...presentTask(task),
    ...presentResult(task.result),
    cost: toMajor(task.costMinor),
  }),
  'task.failed': ({ failure, costMinor, ...task }) => ({
    ...presentTask(task),
    error_message: failureText(failure, 'en'),
    failure_code: failure.code,
    failure_params: snakeKeys(failure.params),
    exit_code: exitCode(failure.params),
    cost: toMajor(costMinor),
  }),
  'task.cancelled': ({ failure, costMinor, ...task }) => ({
    ...presentTask(task),
    ...(failure && presentReason(failure)),
    cost: toMajor(costMinor),
  }),
  'task.requeued': ({ reason, ...task }) => ({
    ...presentTask(task),
    ...(reason === 'retry' ? { reason } : presentReason(reason)),
  }),
  'task.unplaceable': ({ taskType, availableTypes, ...task }) => ({
    ...presentTask(task),
    task_type: taskType,
    available_types: availableTypes,
  }),
  'task.deleted': presentTask,
}
