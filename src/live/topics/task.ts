/**
 * `task:<id>`: the progress of one task and the lines of its log, for its owner and administrators. The state on the bus makes
 * the progress dirty, and a study task that plays moves between two states.
 */
import type { Principal } from '../../core/accounts/principals.ts'
import type { Context } from '../../core/context.ts'
import type { Language } from '../../core/messages.ts'
import { lastPosition, type TaskLogLine } from '../../core/tasks/log-lines.ts'
import {
  currentStates,
  figuresAt,
  figuresOf,
  isMoving,
  type TaskFigures,
  type TaskState,
  taskTopic,
} from '../../core/tasks/progress.ts'
import type { Task } from '../../core/tasks/rows.ts'
import { accessibleTask, logText, mayAccess } from '../../core/tasks/tasks.ts'
import { type TaskLogFrame, type TaskUpdateData, TOPIC_PATTERNS } from '../../protocol/live/topics.ts'
import { readByKey, type StateTopic, sharedText, type TopicKind } from './topic.ts'

const presentFigures = (figures: TaskFigures): TaskUpdateData => ({
  progress: figures.progress,
  current_item: figures.currentItem,
  item_progress: figures.itemProgress,
  item_current_time: figures.itemCurrentTime,
  item_total_time: figures.itemTotalTime,
})

/** A state that moves has another text every time. */
const stillText = sharedText((state: TaskState) => presentFigures(figuresAt(state)))
const textOf = (ctx: Context, state: TaskState): string =>
  isMoving(state) ? JSON.stringify(presentFigures(figuresOf(ctx, state))) : stillText(state)

const readCurrent = readByKey(currentStates, taskTopic, String)

export const taskTopicName = (id: string | number): string => `task:${id}`

/**
 * The progress alone. `id`: every frame repeats it as the client wrote it.
 * @throws AppError NOT_FOUND
 */
export async function openTask(ctx: Context, who: Principal, id: string | number): Promise<StateTopic> {
  return progressTopic(ctx, await accessibleTask(ctx, who, id), id)
}

function progressTopic(
  ctx: Context,
  { uuid, userId }: Pick<Task, 'uuid' | 'userId'>,
  id: string | number,
): StateTopic {
  const prefix = `{"type":"task_update","task_id":${JSON.stringify(id)},"data":`
  return {
    name: taskTopicName(id),
    key: taskTopic(uuid),
    permits: (who) => mayAccess(who, { userId }),
    readCurrent,
    isMoving: (value) => isMoving(value as TaskState),
    render: (value) => `${prefix}${textOf(ctx, value as TaskState)}}`,
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
      ...progressTopic(ctx, task, id),
      async *follow(signal) {
        for await (const line of ctx.services.taskLogFeed.follow(task.id, start, signal))
          yield JSON.stringify(presentLine(id, line, language))
      },
    }
  },
}
