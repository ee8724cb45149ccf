/** `task:<id>`: the progress of one task, for its owner and administrators. The state on the bus makes it dirty. */
import type { Principal } from '../../core/accounts/principals.ts'
import type { Context } from '../../core/context.ts'
import { currentProgress, type TaskState, taskTopic } from '../../core/tasks/progress.ts'
import { getTask, mayAccess } from '../../core/tasks/tasks.ts'
import { type TaskUpdateData, TOPIC_PATTERNS } from '../../protocol/live/topics.ts'
import { readByKey, type StateTopic, sharedText, type TopicKind } from './topic.ts'

/** A GPU task has no clock of its item: zeros, never null. */
const presentProgress = ({
  progress,
  currentItem,
}: Pick<TaskState, 'progress' | 'currentItem'>): TaskUpdateData => ({
  progress,
  current_item: currentItem,
  item_progress: 0,
  item_current_time: 0,
  item_total_time: 0,
})

const readCurrent = readByKey(currentProgress, taskTopic, String)
const textOf = sharedText(presentProgress)

export const taskTopicName = (id: string | number): string => `task:${id}`

/**
 * `id`: every frame repeats it as the client wrote it.
 * @throws AppError NOT_FOUND
 */
export async function openTask(ctx: Context, who: Principal, id: string | number): Promise<StateTopic> {
  const { uuid, userId } = await getTask(ctx, who, id)
  const prefix = `{"type":"task_update","task_id":${JSON.stringify(id)},"data":`
  return {
    name: taskTopicName(id),
    key: taskTopic(uuid),
    permits: (who) => mayAccess(who, { userId }),
    readCurrent,
    render: (value) => `${prefix}${textOf(value)}}`,
  }
}

export const taskKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.task),
  open: ({ ctx, who, id }) => openTask(ctx, who, /^\d+$/.test(id) ? Number(id) : id),
}
