import { type Signal, useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { GpuUsage } from '../../../../client/index.ts'
import { count, percent } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { route } from '../../lib/router.ts'
import { isAdmin } from '../../lib/session.ts'
import { Button } from '../../ui/button.tsx'
import { Ago, Badge, type Tone } from '../../ui/parts.tsx'
import { Bars } from './bars.tsx'
import { Gpu } from './charts.tsx'
import { follow } from './history.ts'
import type { Server } from './model.ts'
import type { Sample } from './samples.ts'
import { ServerMenu } from './server-menu.tsx'
import { RunningTasks } from './tasks.tsx'

const t = texts({
  en: {
    online: 'Online',
    offline: 'Offline',
    draining: 'Draining',
    seen: 'Last heard',
    never: 'Never connected. Start its node program with its token.',
    slots: (used: string, all: string) => `${used} of ${all} tasks`,
    cpu: 'CPU',
    memory: 'Memory',
    showCharts: 'Show charts',
    hideCharts: 'Hide charts',
    types: 'Offers',
    cannot: (type: string, why: string) => `It could not start “${type}”: ${why}`,
    noGpu: 'This server has no GPU. It runs tasks on its processor.',
    drains: 'It finishes its tasks and takes no new ones.',
  },
  zh: {
    online: '在线',
    offline: '离线',
    draining: '排空中',
    seen: '上次联系',
    never: '从未连接。请用其令牌启动节点程序。',
    slots: (used: string, all: string) => `任务 ${used} / ${all}`,
    cpu: 'CPU',
    memory: '内存',
    showCharts: '显示图表',
    hideCharts: '隐藏图表',
    types: '可运行',
    cannot: (type: string, why: string) => `无法启动“${type}”：${why}`,
    noGpu: '此服务器没有 GPU，任务在处理器上运行。',
    drains: '完成现有任务后不再接收新任务。',
  },
})

const TONES: Record<Server['status'], Tone> = { online: 'good', offline: 'bad', draining: 'warn' }

/** Servers with more GPUs show bars until the reader asks for charts, because so many charts would slow the page down. */
const MOST_CHARTED = 16

interface Props {
  server: Server
  known: Parameters<typeof RunningTasks>[0]['known']
  onChange: () => void
}

export function ServerCard({ server, known, onChange }: Props) {
  const { state, samples } = follow(server.id)
  const now = state.value
  const status = now?.status ?? server.status
  const isOffline = status === 'offline'
  const gpus = isOffline ? [] : (now?.gpu_usage ?? [])
  const running = now?.running_tasks ?? []
  // It stays while the server is offline.
  const wantsCharts = useSignal<boolean | undefined>(undefined)
  const card = useRef<HTMLElement>(null)
  const isWanted = route.value.query.get('server') === server.id
  useEffect(() => {
    if (isWanted) card.current?.scrollIntoView({ block: 'start' })
  }, [isWanted])
  return (
    <section ref={card} class="card server" data-wanted={isWanted} aria-label={server.name}>
      <div class="card-head">
        <h2>{server.name}</h2>
        <span role="status">
          <Badge tone={TONES[status]}>{t[status]}</Badge>
        </span>
        {isAdmin.value && <ServerMenu server={{ ...server, status }} onChange={onChange} />}
      </div>
      <p class="small muted">
        {[server.host, t.slots(count(running.length), count(server.max_concurrent_tasks))]
          .filter(Boolean)
          .join(' · ')}
        {server.task_types.length > 0 && ` · ${t.types} ${server.task_types.join(', ')}`}
      </p>
      {status === 'draining' && <p class="small">{t.drains}</p>}
      {isOffline && (
        <p class="small">
          {server.last_heartbeat === null ? (
            t.never
          ) : (
            <>
              {t.seen} <Ago at={now?.timestamp ?? server.last_heartbeat} />
            </>
          )}
        </p>
      )}
      {server.cannot_start.map(({ task_type, message }) => (
        <p key={task_type} class="notice warn small">
          {t.cannot(task_type, message)}
        </p>
      ))}
      {!isOffline && now && (
        <Bars
          of={server.name}
          bars={[
            { name: t.cpu, percent: now.cpu_usage, text: percent(now.cpu_usage) },
            { name: t.memory, percent: now.memory_usage, text: percent(now.memory_usage) },
          ]}
        />
      )}
      {!isOffline && now && gpus.length === 0 && <p class="small muted">{t.noGpu}</p>}
      {gpus.length > 0 && <Gpus gpus={gpus} samples={samples.value} wantsCharts={wantsCharts} />}
      {running.length > 0 && <RunningTasks running={running} known={known} />}
    </section>
  )
}

interface GpusProps {
  gpus: readonly GpuUsage[]
  samples: readonly Sample[]
  wantsCharts: Signal<boolean | undefined>
}

function Gpus({ gpus, samples, wantsCharts }: GpusProps) {
  const charts = wantsCharts.value ?? gpus.length <= MOST_CHARTED
  return (
    <>
      <div>
        <Button
          small
          icon="pulse"
          onClick={() => {
            wantsCharts.value = !charts
          }}
        >
          {charts ? t.hideCharts : t.showCharts}
        </Button>
      </div>
      <div class="gpus" data-charts={charts}>
        {gpus.map((gpu) => (
          <Gpu key={gpu.gpu_id} gpu={gpu} samples={samples} charts={charts} />
        ))}
      </div>
    </>
  )
}
