/** How the server works that this browser is connected to. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { SystemUpdateData, TopicError } from '../../../../client/index.ts'
import { count } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { live, status } from '../../lib/session.ts'
import { Ago, Badge, Card, Empty, Figure, PageHead } from '../../ui/parts.tsx'
import { Charts } from './system-charts.tsx'
import { Health } from './system-health.tsx'
import { historyOf } from './system-history.ts'

const t = texts({
  en: {
    title: 'System',
    good: 'All parts work',
    bad: 'A part does not answer',
    noSocket: 'This network blocks WebSockets. The live figures need one, so there are none here.',
    refused: 'The server does not show you its figures.',
    charts: 'The last ten minutes',
    of: (server: string) => `Of the server ${server}, started`,
    work: 'Work of all servers',
    unread: 'The database did not answer.',
    waiting: 'jobs waiting',
    later: 'jobs for later',
    running: 'jobs running',
    dead: 'jobs given up',
    tasksWaiting: 'GPU tasks waiting',
    tasksLeased: 'GPU tasks on a server',
    online: 'GPU servers online',
    draining: 'GPU servers draining',
    offline: 'GPU servers offline',
  },
  zh: {
    title: '系统',
    good: '各组件正常',
    bad: '有组件无响应',
    noSocket: '此网络阻止 WebSocket。实时数据需要 WebSocket，因此这里没有数据。',
    refused: '服务器不允许你查看其运行数据。',
    charts: '最近十分钟',
    of: (server: string) => `服务器 ${server}，启动于`,
    work: '所有服务器的工作',
    unread: '数据库没有响应。',
    waiting: '等待的作业',
    later: '稍后的作业',
    running: '运行中的作业',
    dead: '已放弃的作业',
    tasksWaiting: '等待的 GPU 任务',
    tasksLeased: '运行中的 GPU 任务',
    online: '在线 GPU 服务器',
    draining: '排空中的 GPU 服务器',
    offline: '离线 GPU 服务器',
  },
})

export default function System() {
  const history = historyOf(live())
  const refused = useSignal<TopicError | undefined>(undefined)
  useEffect(
    () =>
      live().watch('system:overview', (next) => history.add(next), {
        onError: (error) => {
          refused.value = error
        },
      }),
    [history],
  )
  const now = history.state.value
  if (refused.value) {
    return (
      <>
        <PageHead title={t.title} />
        <Empty text={t.refused} />
      </>
    )
  }
  return (
    <>
      <PageHead title={t.title}>{now && now.parts.length > 0 && <State parts={now.parts} />}</PageHead>
      {status.value === 'polling' && <p class="notice warn">{t.noSocket}</p>}
      <Health parts={now?.parts} />
      {(now || status.value !== 'polling') && (
        <>
          <Card
            title={t.charts}
            actions={
              now && (
                <span class="small muted">
                  {t.of(now.server)} <Ago at={now.started_at} />
                </span>
              )
            }
          >
            <Charts samples={history.samples.value} />
          </Card>
          <Card title={t.work}>
            <Work now={now} />
          </Card>
        </>
      )}
    </>
  )
}

function State({ parts }: { parts: SystemUpdateData['parts'] }) {
  const isGood = parts.every(({ healthy }) => healthy)
  return <Badge tone={isGood ? 'good' : 'bad'}>{isGood ? t.good : t.bad}</Badge>
}

function Work({ now }: { now: SystemUpdateData | undefined }) {
  const { jobs, gpu_tasks: tasks, nodes } = now ?? {}
  const shown = (value: number | undefined) => (value === undefined ? '–' : count(value))
  const isUnread = now && (!jobs || !tasks || !nodes)
  return (
    <>
      {isUnread && <p class="notice warn">{t.unread}</p>}
      <div class="figures">
        <Figure label={t.waiting} value={shown(jobs?.waiting)} />
        <Figure label={t.running} value={shown(jobs?.running)} />
        <Figure label={t.later} value={shown(jobs?.later)} />
        <Figure label={t.dead} value={shown(jobs?.dead)} />
        <Figure label={t.tasksWaiting} value={shown(tasks?.waiting)} />
        <Figure label={t.tasksLeased} value={shown(tasks?.leased)} />
        <Figure label={t.online} value={shown(nodes?.online)} />
        <Figure label={t.draining} value={shown(nodes?.draining)} />
        <Figure label={t.offline} value={shown(nodes?.offline)} />
      </div>
    </>
  )
}
