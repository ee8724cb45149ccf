import { count, percent } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { useTopic } from '../../lib/view.ts'
import { Figure } from '../../ui/parts.tsx'

const t = texts({
  en: {
    servers: 'servers online',
    busy: 'GPUs busy',
    usage: 'average GPU usage',
    memory: 'GPU memory in use',
    running: 'tasks running',
    queue: 'tasks in the queue',
    of: (part: string, all: string) => `${part} / ${all}`,
    gb: (used: string, total: string) => `${used} / ${total} GB`,
  },
  zh: {
    servers: '在线服务器',
    busy: '忙碌 GPU',
    usage: '平均 GPU 使用率',
    memory: '已用显存',
    running: '运行中的任务',
    queue: '排队中的任务',
    of: (part: string, all: string) => `${part} / ${all}`,
    gb: (used: string, total: string) => `${used} / ${total} GB`,
  },
})

const NONE = '–'

/** The whole cluster at a glance, as it is now. */
export function Cluster() {
  const now = useTopic('gpu:cluster')
  return (
    <div class="figures">
      <Figure
        label={t.servers}
        value={now ? t.of(count(now.online_servers), count(now.total_servers)) : NONE}
      />
      <Figure label={t.busy} value={now ? t.of(count(now.busy_gpus), count(now.total_gpus)) : NONE} />
      <Figure label={t.usage} value={now ? percent(now.average_gpu_usage) : NONE} />
      <Figure
        label={t.memory}
        value={now ? t.gb(count(Math.round(now.used_memory)), count(Math.round(now.total_memory))) : NONE}
      />
      <Figure label={t.running} value={now ? count(now.total_running_tasks) : NONE} />
      <Figure label={t.queue} value={now ? count(now.queue_length) : NONE} />
    </div>
  )
}
