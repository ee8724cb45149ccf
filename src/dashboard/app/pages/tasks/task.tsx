/** One task: how far it is, what it costs, what it was given and what it gave. */

import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { clock, count, dateTime, duration, money } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { request } from '../../lib/request.ts'
import { href, navigate } from '../../lib/router.ts'
import { api, isAdmin } from '../../lib/session.ts'
import { RELOAD, useTopic, useView } from '../../lib/view.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { Card, Empty, Facts, Loaded, PageHead, Progress } from '../../ui/parts.tsx'
import type { PageProps } from '../index.ts'
import { TaskActions } from './actions.tsx'
import { Elapsed } from './elapsed.tsx'
import { isEmptyObject, parseExact } from './exact-json.ts'
import { TaskLog } from './log.tsx'
import { hasEnded, isStudy, onTasks, type TaskDetail } from './model.ts'
import { LiveProgress, StatusBadge, TaskKind } from './parts.tsx'
import { type TaskEvent, withEvent } from './task-events.ts'

const t = texts({
  en: {
    task: 'Task',
    back: 'All tasks',
    gone: 'This task has been deleted.',
    details: 'Details',
    kind: 'Kind',
    priority: 'Priority',
    server: 'GPU server',
    created: 'Created',
    started: 'Started',
    ended: 'Ended',
    ran: 'Running time',
    estimate: 'Estimated',
    cost: 'Cost',
    held: 'Held until the end',
    free: 'Free',
    minutes: (n: string) => `${n} min`,
    config: 'Configuration',
    result: 'Result',
    courses: 'Courses',
    itemOf: (title: string) => `Progress of ${title}`,
    clock: (at: string, of: string) => `${at} of ${of}`,
    noServer: (type: string) =>
      `No GPU server that takes tasks offers the type “${type}”. The task waits for one.`,
    offered: (types: string) => `Offered now: ${types}.`,
    inQueue: 'The task is in the queue and starts as soon as a GPU server has room.',
    toStart: 'The task waits until you start it.',
  },
  zh: {
    task: '任务',
    back: '全部任务',
    gone: '此任务已删除。',
    details: '详情',
    kind: '类别',
    priority: '优先级',
    server: 'GPU 服务器',
    created: '创建时间',
    started: '开始时间',
    ended: '结束时间',
    ran: '运行时长',
    estimate: '预计时长',
    cost: '费用',
    held: '冻结金额（结束后结算）',
    free: '免费',
    minutes: (n: string) => `${n} 分钟`,
    config: '配置',
    result: '结果',
    courses: '课程',
    itemOf: (title: string) => `${title} 的进度`,
    clock: (at: string, of: string) => `${at} / ${of}`,
    noServer: (type: string) => `没有可接收任务的 GPU 服务器提供类型“${type}”，任务正在等待。`,
    offered: (types: string) => `当前可用：${types}。`,
    inQueue: '任务正在排队，一有空闲的 GPU 服务器就会开始。',
    toStart: '任务等待你开始。',
  },
})

/** Read as text, because a result may have numbers that `JSON.parse` rounds. */
async function load(id: string, signal: AbortSignal): Promise<TaskDetail> {
  const answer = await request(`/api/tasks/${encodeURIComponent(id)}`, { signal })
  const body = parseExact(await answer.text()) as { data: TaskDetail }
  return { ...body, ...body.data }
}

/** The result comes with a request, in which its numbers are exact. */
function apply(event: TaskEvent, task: TaskDetail): TaskDetail | typeof RELOAD {
  if (event.data.task_id !== task.id) return task
  if (event.type === 'task.deleted') return { ...task, deleted: true }
  const needsMore = ['task.completed', 'task.requeued', 'task.unplaceable'].includes(event.type)
  if (needsMore) return RELOAD
  const next = withEvent(task, event)
  return next.status === 'pending' ? next : { ...next, waiting_for: null }
}

export default function TaskPage({ params }: PageProps) {
  const id = params.id!
  const view = useView<TaskDetail>({
    load: (signal) => load(id, signal),
    on: onTasks(apply),
  })
  const task = view.data
  // Administrators get no events of the tasks of others.
  const status = useTopic(isAdmin.value ? `task_status:${id}` : undefined)?.status
  useEffect(() => {
    if (status && task && status !== task.status) void view.reload()
  }, [status, task?.status])
  if (task?.deleted) {
    return (
      <>
        <PageHead title={task.title} />
        <Empty text={t.gone}>
          <ButtonLink to={href('/tasks')}>{t.back}</ButtonLink>
        </Empty>
      </>
    )
  }
  return (
    <>
      <PageHead title={task?.title ?? t.task} back={{ to: href('/tasks'), text: t.back }}>
        {task && <StatusBadge status={task.status} />}
        {task && (
          <TaskActions task={task} onDeleted={() => navigate(href('/tasks'), { from: `/tasks/${id}` })} />
        )}
      </PageHead>
      <Loaded view={view}>
        {(task) => (
          <>
            <State task={task} />
            <div class="task-columns">
              <TaskLog id={task.id} />
              <div class="stack">
                <Details task={task} />
                {!isEmptyObject(task.result) && <Json title={t.result} value={task.result} />}
                {!isEmptyObject(task.config) && <Json title={t.config} value={task.config} />}
              </div>
            </div>
          </>
        )}
      </Loaded>
    </>
  )
}

const State = ({ task }: { task: TaskDetail }) => (
  <Card>
    {task.description && <p>{task.description}</p>}
    <LiveProgress task={task} />
    {isStudy(task) && task.status === 'running' && <Item task={task} />}
    {task.error_message && (
      <p class={`notice ${task.status === 'failed' ? 'bad' : 'warn'}`}>{task.error_message}</p>
    )}
    {task.status === 'pending' && <Waiting task={task} />}
  </Card>
)

const Waiting = ({ task }: { task: TaskDetail }) => {
  if (isStudy(task)) return <p class="muted">{t.toStart}</p>
  if (!task.waiting_for) return <p class="muted">{t.inQueue}</p>
  const { task_type, available_types } = task.waiting_for
  return (
    <p class="notice warn">
      {t.noServer(task_type)} {available_types.length > 0 && t.offered(available_types.join(', '))}
    </p>
  )
}

/** By its name; a server that has been removed by the end of its id. */
function ServerLink({ id }: { id: string }) {
  const view = useView<string>({
    load: async (signal) => {
      const { data } = await api().factory.gpu.servers({ server_id: id }).get({ signal })
      return data?.data.name ?? `…${id.slice(-8)}`
    },
  })
  return <a href={href('/gpu', { server: id })}>{view.data ?? '…'}</a>
}

/** The clock of the video or document that plays. */
function Item({ task }: { task: TaskDetail }) {
  const { current_item, item_progress, item_current_time, item_total_time } =
    useTopic(`task:${task.id}`) ?? task
  if (item_total_time === 0) return null
  return (
    <div class="stack-tight">
      <Progress value={item_progress} label={t.itemOf(current_item)} />
      <span class="small muted number">
        {t.clock(duration(item_current_time), duration(item_total_time))}
      </span>
    </div>
  )
}

const Details = ({ task }: { task: TaskDetail }) => (
  <Card title={t.details}>
    <Facts facts={factsOf(task)} />
  </Card>
)

function factsOf(task: TaskDetail) {
  const { started_at: started, completed_at: ended, estimated_cost: held } = task
  const server = task.gpu_server_id
  const facts: (readonly [string, ComponentChildren] | false)[] = [
    [t.kind, <TaskKind task={task} />],
    task.priority > 0 && [t.priority, count(task.priority)],
    server !== null && [t.server, <ServerLink key={server} id={server} />],
    task.course_ids.length > 0 && [t.courses, count(task.course_ids.length)],
    [t.created, dateTime(task.created_at)],
    started !== null && [t.started, `${dateTime(started)} (${clock(started)})`],
    ended !== null && [t.ended, `${dateTime(ended)} (${clock(ended)})`],
    started !== null && [t.ran, <Elapsed from={started} to={ended} />],
    task.estimated_duration !== null && [t.estimate, t.minutes(count(task.estimated_duration))],
    held === 0
      ? [t.cost, t.free]
      : hasEnded(task.status)
        ? [t.cost, money(task.cost)]
        : [t.held, money(held)],
  ]
  return facts.filter((fact) => fact !== false)
}

const Json = ({ title, value }: { title: string; value: unknown }) => (
  <Card title={title}>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard scrolls it */}
    <section class="json" tabIndex={0} aria-label={title}>
      <pre>{JSON.stringify(value, null, 2)}</pre>
    </section>
  </Card>
)
