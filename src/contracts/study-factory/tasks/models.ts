import { t } from 'elysia'
import { TASK_KINDS, TASK_STATUSES } from '../../../core/tasks/states.ts'
import { TASK_TYPE_PATTERN } from '../../../core/tasks/task-type.ts'
import { choice } from '../../../http/choice.ts'
import { optional, Page, pageQuery } from '../../../http/models.ts'
import { Task, TaskDetail } from '../../factory/tasks/models.ts'
import * as study from '../../study/tasks/models.ts'
import { Both } from '../both.ts'

export const TaskId = t.Object({ id: t.String() })

/** A study task has `course_ids`, a GPU task `task_type`: docs/design.md, "Tasks". */
export const TaskCreation = t.Object({
  /** Factory calls the field `title`, study calls it `name`; the server accepts either. */
  title: t.Optional(t.String({ minLength: 1, maxLength: 255 })),
  name: t.Optional(t.String({ minLength: 1, maxLength: 255 })),
  description: optional(t.String({ maxLength: 5000 })),
  task_type: t.Optional(t.String({ pattern: TASK_TYPE_PATTERN })),
  course_ids: t.Optional(t.Array(t.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 200 })),
  priority: t.Optional(t.Integer({ minimum: 0, maximum: 10 })),
  /** Minutes. */
  estimated_duration: optional(t.Integer({ minimum: 1, maximum: 100_000 })),
  config: t.Optional(t.Record(t.String(), t.Unknown())),
})
export const TASK_CREATION = {
  title: '视频分析任务',
  description: '分析视频内容',
  task_type: 'video_analysis',
  priority: 2,
  estimated_duration: 30,
  config: { video_url: 'https://example.com/video.mp4', analysis_type: 'content' },
}

export const TasksQuery = t.Object({
  ...pageQuery,
  status: t.Optional(choice(TASK_STATUSES)),
  kind: t.Optional(choice(TASK_KINDS)),
  task_type: t.Optional(t.String({ maxLength: 50 })),
  sort_by: choice(['created_at', 'updated_at', 'priority'], { default: 'created_at' }),
  sort_order: choice(['asc', 'desc'], { default: 'desc' }),
})

export const OneTask = Both(study.TaskDetail, TaskDetail)
export const Tasks = Both(Page(study.Task), Page(Task))
