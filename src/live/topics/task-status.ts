/**
 * `task_status:<id>`: the status of one task, for its owner and administrators. Events tell an owner of it too; administrators get no
 * events of the tasks of others.
 */
import { eventsHint } from '../../core/channel/hints.ts'
import { currentStatuses } from '../../core/tasks/statuses.ts'
import { accessibleTask, mayAccess } from '../../core/tasks/tasks.ts'
import { type TaskStatusData, TOPIC_PATTERNS } from '../../protocol/live/topics.ts'
import { readByKey, sharedText, type TopicKind } from './topic.ts'

const keyOf = (uuid: string): string => `task_status:${uuid}`
const readCurrent = readByKey(currentStatuses, keyOf, String)
const textOf = sharedText(({ status }: TaskStatusData): TaskStatusData => ({ status }))

/**
 * In the data of an event, which is not parsed, because this server may watch none of the tasks that events are about. The first
 * one is that of the event: the log keeps the order of the fields, and a result, which may name other tasks, comes later.
 */
const TASK_ID = /"task_id": ?"([0-9a-f-]{36})"/

export const taskStatusKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.taskStatus),
  async open({ ctx, who, name, id }) {
    const { uuid, userId } = await accessibleTask(ctx, who, /^\d+$/.test(id) ? Number(id) : id)
    const prefix = `{"type":"task_status","key":${JSON.stringify(name)},"data":`
    return {
      name,
      key: keyOf(uuid),
      permits: (who) => mayAccess(who, { userId }),
      readCurrent,
      render: (value) => `${prefix}${textOf(value)}}`,
    }
  },
  listen({ bus }, changed) {
    bus.subscribe(eventsHint, (events) => {
      for (const { type, data } of events) {
        const uuid = type.startsWith('task.') && TASK_ID.exec(data)?.[1]
        if (uuid) changed(keyOf(uuid))
      }
    })
    return undefined
  },
}
