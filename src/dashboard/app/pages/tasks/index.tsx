/** The user's tasks. */
import { useFilter } from '../../lib/filter.ts'
import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { RELOAD, useView } from '../../lib/view.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { Select } from '../../ui/field.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Ago, Empty, Loaded, PageHead } from '../../ui/parts.tsx'
import { TaskActions } from './actions.tsx'
import { listTasks, onTasks, STATUSES, type Task, type TaskPage, type TaskQuery } from './model.ts'
import { LiveProgress, StatusBadge, TaskKind, taskTexts } from './parts.tsx'
import { type TaskEvent, withEvent } from './task-events.ts'

const t = texts({
  en: {
    title: 'Tasks',
    create: 'New task',
    status: 'State',
    kind: 'Kind',
    order: 'Order',
    all: 'All',
    newest: 'Newest first',
    changed: 'Last changed first',
    priority: 'Highest priority first',
    total: (n: string) => (n === '1' ? '1 task' : `${n} tasks`),
    none: 'You have no tasks yet. A GPU task runs on one of the servers; a study task plays courses for you.',
    noneFit: 'No task fits these filters.',
    showAll: 'Show all tasks',
  },
  zh: {
    title: '任务',
    create: '新建任务',
    status: '状态',
    kind: '类别',
    order: '排序',
    all: '全部',
    newest: '最新优先',
    changed: '最近更新优先',
    priority: '优先级从高到低',
    total: (n: string) => `共 ${n} 个任务`,
    none: '还没有任务。GPU 任务在服务器上运行，学习任务为你播放课程。',
    noneFit: '没有符合条件的任务。',
    showAll: '显示全部任务',
  },
})

const PAGE_SIZE = 50

export default function Tasks() {
  const { filter, page, key, change } = useFilter(['status', 'kind', 'sort_by'])
  const view = useView<TaskPage>({
    key,
    // The server refuses what it does not know.
    load: (signal) => listTasks({ ...filter, page, page_size: PAGE_SIZE } as TaskQuery, signal),
    on: onTasks((event, data) => apply(event, data, filter)),
  })
  const isFiltered = filter.status !== undefined || filter.kind !== undefined
  return (
    <>
      <PageHead title={t.title}>
        <ButtonLink to={href('/tasks/new')} kind="primary" icon="plus">
          {t.create}
        </ButtonLink>
      </PageHead>
      <div class="task-filters">
        <Select
          label={t.status}
          value={filter.status ?? ''}
          options={[['', t.all], ...STATUSES.map((status) => [status, taskTexts[status]] as const)]}
          onChange={(event) => change({ status: event.currentTarget.value })}
        />
        <Select
          label={t.kind}
          value={filter.kind ?? ''}
          options={[
            ['', t.all],
            ['gpu', taskTexts.gpu],
            ['study', taskTexts.study],
          ]}
          onChange={(event) => change({ kind: event.currentTarget.value })}
        />
        <Select
          label={t.order}
          value={filter.sort_by ?? ''}
          options={[
            ['', t.newest],
            ['updated_at', t.changed],
            ['priority', t.priority],
          ]}
          onChange={(event) => change({ sort_by: event.currentTarget.value })}
        />
      </div>
      <Loaded view={view} lines={8}>
        {(list) =>
          list.total === 0 ? (
            <Empty text={isFiltered ? t.noneFit : t.none}>
              <ButtonLink to={href(isFiltered ? '/tasks' : '/tasks/new')}>
                {isFiltered ? t.showAll : t.create}
              </ButtonLink>
            </Empty>
          ) : (
            <>
              <ul class="task-list" aria-label={t.title}>
                {list.items.map((task) => (
                  <TaskRow key={task.id} task={task} />
                ))}
              </ul>
              <Pager of={list} total={t.total(count(list.total))} />
            </>
          )
        }
      </Loaded>
    </>
  )
}

/** Changes the row that the event is about. A task that comes to the list or leaves it changes the other pages too. */
function apply(
  event: TaskEvent,
  data: TaskPage,
  { status, sort_by }: Record<string, string | undefined>,
): TaskPage | typeof RELOAD {
  if (event.type === 'task.created' || event.type === 'task.deleted' || sort_by === 'updated_at')
    return RELOAD
  const isShown = data.items.some(({ id }) => id === event.data.task_id)
  const fits = status === undefined || status === event.data.status
  if (isShown !== fits && (isShown || status !== undefined)) return RELOAD
  if (!isShown) return data
  return {
    ...data,
    items: data.items.map((task) => (task.id === event.data.task_id ? withEvent(task, event) : task)),
  }
}

const TaskRow = ({ task }: { task: Task }) => (
  <li class="task-row">
    <div class="task-name">
      <a class="truncate" href={href(`/tasks/${task.id}`)}>
        {task.title}
      </a>
      <span class="small muted truncate">
        <TaskKind task={task} /> · <Ago at={task.created_at} />
        {task.error_message && ` · ${task.error_message}`}
      </span>
    </div>
    <StatusBadge status={task.status} />
    <LiveProgress task={task} />
    <TaskActions task={task} compact />
  </li>
)
