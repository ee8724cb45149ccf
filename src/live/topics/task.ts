/**
 * `task:<id>`: the progress of one task and the lines of its log, for its owner and administrators. The state on the bus makes
 * the progress dirty.
 */
import type { Principal } from '../../core/accounts/principals.ts'
import type { Context } from '../../core/context.ts'
import type { Language } from '../../core/messages.ts'
import { lastPosition, type TaskLogLine } from '../../core/tasks/log-lines.ts'
import { currentProgress, type TaskState, taskTopic } from '../../core/tasks/progress.ts'
import type { Task } from '../../core/tasks/rows.ts'
import { accessibleTask, logText, mayAccess } from '../../core/tasks/tasks.ts'
import { type TaskLogFrame, type TaskUpdateData, TOPIC_PATTERNS } from '../../protocol/live/topics.ts'
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
 * The progress alone. `id`: every frame repeats it as the client wrote it.
 * @throws AppError NOT_FOUND
 */
export async function openTask(ctx: Context, who: Principal, id: string | number): Promise<StateTopic> {
  return progressTopic(await accessibleTask(ctx, who, id), id)
}

function progressTopic({ uuid, userId }: Pick<Task, 'uuid' | 'userId'>, id: string | number): StateTopic {
  const prefix = `{"type":"task_update","task_id":${JSON.stringify(id)},"data":`
  return {
    name: taskTopicName(id),
    key: taskTopic(uuid),
    permits: (who) => mayAccess(who, { userId }),
    readCurrent,
    render: (value) => `${prefix}${textOf(value)}}`,
  }
}

const presentLine = (taskId: string | number, line: TaskLogLine, language: Language): TaskLogFrame => ({
  type: 'task_log',
  task_id: taskId,
  position: line.id,
  attempt: line.attempt,
  level: line.level,
  message: logText(line, language),
  at: line.createdAt.toISOString(),
})

export const taskKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.task),
  /** Without a position only lines that come from now on. */
  async open({ ctx, who, id: text, from: { logPosition }, language }) {
    const id = /^\d+$/.test(text) ? Number(text) : text
    const task = await accessibleTask(ctx, who, id)
    const start = logPosition ?? (await lastPosition(ctx, task.id))
    return {
      ...progressTopic(task, id),
      async *follow(signal) {
        for await (const line of ctx.services.taskLogFeed.follow(task.id, start, signal))
          yield JSON.stringify(presentLine(id, line, language))
      },
    }
  },
}
