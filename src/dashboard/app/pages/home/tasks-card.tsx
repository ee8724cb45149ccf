import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { RELOAD, useView } from '../../lib/view.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { Card, Loaded } from '../../ui/parts.tsx'
import { listTasks, onTasks, type Task } from '../tasks/model.ts'
import { LiveProgress, StatusBadge } from '../tasks/parts.tsx'
import { type TaskEvent, withEvent } from '../tasks/task-events.ts'
import { FirstSteps } from './first-steps.tsx'

const t = texts({
  en: { title: 'Tasks', all: 'All tasks', create: 'New task' },
  zh: { title: '任务', all: '全部任务', create: '新建任务' },
})

const SHOWN = 6

/** Those that run first, then the newest. */
async function load(signal: AbortSignal): Promise<Task[]> {
  const [running, newest] = await Promise.all([
    listTasks({ status: 'running', page_size: SHOWN }, signal),
    listTasks({ page_size: SHOWN }, signal),
  ])
  const known = new Set(running.items.map(({ id }) => id))
  return [...running.items, ...newest.items.filter(({ id }) => !known.has(id))].slice(0, SHOWN)
}

function apply(event: TaskEvent, tasks: Task[]): Task[] | typeof RELOAD {
  const isShown = tasks.some(({ id }) => id === event.data.task_id)
  if (event.type === 'task.created' || event.type === 'task.deleted') return RELOAD
  if (!isShown) return event.data.status === 'running' ? RELOAD : tasks
  return tasks.map((task) => (task.id === event.data.task_id ? withEvent(task, event) : task))
}

/** For a user without tasks: what to do first. */
export function TasksCard() {
  const view = useView<Task[]>({ load, on: onTasks(apply) })
  if (view.data?.length === 0) return <FirstSteps />
  return (
    <Card
      title={t.title}
      actions={
        <>
          <a class="small" href={href('/tasks')}>
            {t.all}
          </a>
          <ButtonLink small icon="plus" to={href('/tasks/new')}>
            {t.create}
          </ButtonLink>
        </>
      }
    >
      <Loaded view={view} lines={SHOWN}>
        {(tasks) => (
          <ul class="home-tasks" aria-label={t.title}>
            {tasks.map((task) => (
              <li key={task.id}>
                <a class="truncate" href={href(`/tasks/${task.id}`)}>
                  {task.title}
                </a>
                <StatusBadge status={task.status} />
                <LiveProgress task={task} />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  )
}
