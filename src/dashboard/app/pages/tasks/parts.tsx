/** What several pages show of a task. */
import { percent } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { useTopic } from '../../lib/view.ts'
import { Badge, Progress, type Tone } from '../../ui/parts.tsx'
import { isStudy, type Task, type TaskStatus } from './model.ts'

export const taskTexts = texts({
  en: {
    pending: 'Waiting',
    running: 'Running',
    paused: 'Paused',
    completed: 'Completed',
    failed: 'Failed',
    cancelled: 'Cancelled',
    gpu: 'GPU task',
    study: 'Study task',
    progressOf: (title: string) => `Progress of “${title}”`,
  },
  zh: {
    pending: '等待中',
    running: '运行中',
    paused: '已暂停',
    completed: '已完成',
    failed: '失败',
    cancelled: '已取消',
    gpu: 'GPU 任务',
    study: '学习任务',
    progressOf: (title: string) => `“${title}”的进度`,
  },
})

const TONES: Record<TaskStatus, Tone> = {
  pending: '',
  running: 'info',
  paused: 'warn',
  completed: 'good',
  failed: 'bad',
  cancelled: '',
}

export const StatusBadge = ({ status }: { status: TaskStatus }) => (
  <Badge tone={TONES[status]}>{taskTexts[status]}</Badge>
)

/** “Study task”, or the type of a GPU task. */
export const TaskKind = ({ task }: { task: Pick<Task, 'task_type'> }) =>
  isStudy(task) ? <span>{taskTexts.study}</span> : <code>{task.task_type}</code>

/** The progress of a task, followed while it runs. */
export function LiveProgress({ task }: { task: Task }) {
  const isRunning = task.status === 'running'
  const state = useTopic(isRunning ? `task:${task.id}` : undefined)
  const { progress, current_item } = (isRunning ? state : undefined) ?? task
  return (
    <div class="task-progress" data-status={task.status}>
      <Progress value={progress} label={taskTexts.progressOf(task.title)} />
      <span class="number small">{percent(progress)}</span>
      {isRunning && current_item && <span class="small muted truncate task-item">{current_item}</span>}
    </div>
  )
}
