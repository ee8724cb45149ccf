import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { count, percent } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { route } from '../../lib/router.ts'
import { isAdmin } from '../../lib/session.ts'
import { Button } from '../../ui/button.tsx'
import { Ago, Badge, Progress, type Tone } from '../../ui/parts.tsx'
import { Gpu } from './charts.tsx'
import { follow } from './history.ts'
import type { Server } from './model.ts'
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
    of: (name: string, server: string) => `${name} of ${server}`,
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
    of: (name: string, server: string) => `${server} 的${name}`,
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
  const wantsCharts = useSignal<boolean | undefined>(undefined)
  const charts = wantsCharts.value ?? gpus.length <= MOST_CHARTED
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
        <div class="gpu-bars small">
          <span class="muted">{t.cpu}</span>
          <Progress value={now.cpu_usage} label={t.of(t.cpu, server.name)} />
          <span class="number">{percent(now.cpu_usage)}</span>
          <span class="muted">{t.memory}</span>
          <Progress value={now.memory_usage} label={t.of(t.memory, server.name)} />
          <span class="number">{percent(now.memory_usage)}</span>
        </div>
      )}
      {!isOffline && now && gpus.length === 0 && <p class="small muted">{t.noGpu}</p>}
      {gpus.length > 0 && (
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
              <Gpu key={gpu.gpu_id} gpu={gpu} samples={samples.value} charts={charts} />
            ))}
          </div>
        </>
      )}
      {running.length > 0 && <RunningTasks running={running} known={known} />}
    </section>
  )
}
