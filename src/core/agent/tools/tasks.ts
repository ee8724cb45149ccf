import { Type } from '@sinclair/typebox'
import type { Language } from '../../messages.ts'
import { createTask } from '../../tasks/create.ts'
import type { Task } from '../../tasks/rows.ts'
import { TASK_STATUSES } from '../../tasks/states.ts'
import { cancelTask, errorText, getTask, listTasks } from '../../tasks/tasks.ts'
import { defineTool } from './tool.ts'

const taskForModel = (task: Task, language: Language) => ({
  id: task.id,
  title: task.title,
  kind: task.kind,
  task_type: task.taskType,
  status: task.status,
  progress: task.progress,
  error_message: errorText(task, language),
  created_at: task.createdAt.toISOString(),
})
const TaskId = Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'Number of the task' })

export const taskTools = [
  defineTool({
    name: 'list_tasks',
    description: "Lists the user's tasks, newest first.",
    effect: 'read',
    input: Type.Object({
      status: Type.Optional(Type.Union(TASK_STATUSES.map((status) => Type.Literal(status)))),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })),
    }),
    async run(ctx, who, { status, limit = 10 }, language) {
      const { tasks, total } = await listTasks(ctx, who.userId, {
        page: 1,
        pageSize: limit,
        status,
        sortBy: 'createdAt',
        sortOrder: 'desc',
      })
      return { total, tasks: tasks.map((task) => taskForModel(task, language)) }
    },
  }),
  defineTool({
    name: 'show_task',
    description: "Shows one of the user's tasks with its result.",
    effect: 'read',
    input: Type.Object({ task_id: TaskId }),
    async run(ctx, who, { task_id }, language) {
      const task = await getTask(ctx, who, task_id)
      return { ...taskForModel(task, language), result: task.result }
    },
  }),
  defineTool({
    name: 'create_task',
    description:
      'Starts a GPU task. Types: "test" (takes duration_seconds and steps in config), "video_analysis" (takes video_url in config), and whatever else gpu_overview lists. It may cost the user money.',
    effect: 'change',
    input: Type.Object({
      title: Type.String({ minLength: 1, maxLength: 255 }),
      task_type: Type.String({ pattern: '^[a-z][a-z0-9_.-]{0,49}$' }),
      config: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 50 })),
      priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 10 })),
    }),
    run: async (ctx, who, { title, task_type, config, priority }, language) =>
      taskForModel(
        await createTask(ctx, who.userId, { kind: 'gpu', title, taskType: task_type, config, priority }),
        language,
      ),
  }),
  defineTool({
    name: 'cancel_task',
    description: "Cancels one of the user's tasks that has not ended.",
    effect: 'destroy',
    input: Type.Object({ task_id: TaskId }),
    run: async (ctx, who, { task_id }, language) =>
      taskForModel(await cancelTask(ctx, who, task_id), language),
    async question(ctx, who, { task_id }, language) {
      const { id, title } = await getTask(ctx, who, task_id)
      return language === 'zh' ? `要取消任务 ${id}“${title}”吗？` : `Cancel task ${id}, “${title}”?`
    },
  }),
]
