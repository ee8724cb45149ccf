/** GPU tasks that run or wait: all of them for administrators, the reader's own for others. */
import { dataOf } from '../../../../client/index.ts'
import { count, percent } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { api, isAdmin } from '../../lib/session.ts'
import { RELOAD, useView, type View } from '../../lib/view.ts'
import { Ago, Card, Loaded, Progress } from '../../ui/parts.tsx'
import { listTasks, onTasks } from '../tasks/model.ts'
import { taskTexts } from '../tasks/parts.tsx'

const t = texts({
  en: {
    queue: 'The queue',
    mine: 'Your tasks in the queue',
    empty: 'No task waits.',
    more: (n: string) => `${n} more`,
    others: 'Task of another user',
    running: 'Running tasks',
  },
  zh: {
    queue: '队列',
    mine: '你排队中的任务',
    empty: '没有等待中的任务。',
    more: (n: string) => `还有 ${n} 个`,
    others: '其他用户的任务',
    running: '运行中的任务',
  },
})

interface GpuTask {
  id: string
  title: string
  type: string
  owner: string
  created: string
}
interface GpuTasks {
  items: GpuTask[]
  total: number
}

const SHOWN = 100

async function gpuTasks(status: 'running' | 'pending', signal: AbortSignal): Promise<GpuTasks> {
  const query = { status, kind: 'gpu', page_size: SHOWN } as const
  if (!isAdmin.peek()) {
    const { items, total } = await listTasks(query, signal)
    return {
      items: items.map((task) => ({
        id: task.id,
        title: task.title,
        type: task.task_type!,
        owner: '',
        created: task.created_at,
      })),
      total,
    }
  }
  const { items, total } = await dataOf(api().study.admin.tasks.get({ query, signal }))
  return {
    items: items.map((task) => ({
      id: task.uuid,
      title: task.name,
      type: task.task_type!,
      owner: task.user.username,
      created: task.created_at,
    })),
    total,
  }
}

/** @param changes another value fetches anew for administrators, who see tasks of which they get no events */
export const useGpuTasks = (status: 'running' | 'pending', changes: string): View<GpuTasks> =>
  useView<GpuTasks>({
    key: isAdmin.value ? changes : 'own',
    load: (signal) => gpuTasks(status, signal),
    on: onTasks<GpuTasks>(() => RELOAD),
  })

const QUEUE_SHOWN = 10

export function Queue({ changes }: { changes: string }) {
  const view = useGpuTasks('pending', changes)
  return (
    <Card title={isAdmin.value ? t.queue : t.mine}>
      <Loaded view={view} lines={2}>
        {({ items, total }) =>
          total === 0 ? (
            <p class="muted">{t.empty}</p>
          ) : (
            <ul class="stack-tight">
              {items.slice(0, QUEUE_SHOWN).map(({ id, title, type, owner, created }) => (
                <li key={id} class="gpu-task">
                  <a class="truncate" href={href(`/tasks/${id}`)}>
                    {title}
                  </a>
                  <span class="small muted truncate">
                    <code>{type}</code> {owner} · <Ago at={created} />
                  </span>
                </li>
              ))}
              {total > QUEUE_SHOWN && <li class="small muted">{t.more(count(total - QUEUE_SHOWN))}</li>}
            </ul>
          )
        }
      </Loaded>
    </Card>
  )
}

interface RunningProps {
  running: readonly { task_id: string; progress: number }[]
  known: readonly GpuTask[]
}

/** The tasks of one server. */
export const RunningTasks = ({ running, known }: RunningProps) => (
  <ul class="stack-tight" aria-label={t.running}>
    {running.map(({ task_id, progress }) => {
      const task = known.find(({ id }) => id === task_id)
      // An administrator may open every task; one beyond the known ones is shown by the end of its id.
      const title = task?.title ?? (isAdmin.value ? `…${task_id.slice(-8)}` : t.others)
      return (
        <li key={task_id} class="gpu-task">
          {task || isAdmin.value ? (
            <a class="truncate" href={href(`/tasks/${task_id}`)}>
              {title}
            </a>
          ) : (
            <span class="muted">{title}</span>
          )}
          <span class="task-progress">
            <Progress value={progress} label={taskTexts.progressOf(title)} />
            <span class="number small">{percent(progress)}</span>
          </span>
        </li>
      )
    })}
  </ul>
)
