import { texts } from '../../lib/language.ts'
import { Chart } from '../../ui/chart.tsx'
import type { Sample } from './system-history.ts'

const t = texts({
  en: {
    sockets: 'Open sockets',
    users: 'Users',
    nodes: 'GPU servers',
    events: 'Events',
    appended: 'Written',
    delivered: 'Sent to sockets',
    states: 'States sent',
    requests: 'Requests',
    memory: 'Memory',
    processor: 'Processor',
    a: '/s',
  },
  zh: {
    sockets: '打开的连接',
    users: '用户',
    nodes: 'GPU 服务器',
    events: '事件',
    appended: '写入',
    delivered: '推送',
    states: '推送的状态',
    requests: '请求',
    memory: '内存',
    processor: '处理器',
    a: '/秒',
  },
})

/** The figures of the last ten minutes. */
export function Charts({ samples }: { samples: readonly Sample[] }) {
  const values = (name: keyof Sample) => samples.map((sample) => sample[name])
  const common = { times: samples.map(({ at }) => at), min: 0, height: 130 }
  return (
    <div class="system-charts">
      <Chart
        {...common}
        title={t.events}
        unit={t.a}
        series={[
          { label: t.appended, colour: '--accent', values: values('appended') },
          { label: t.delivered, colour: '--info', values: values('delivered') },
        ]}
      />
      <Chart
        {...common}
        title={t.sockets}
        unit=""
        series={[
          { label: t.users, colour: '--accent', values: values('users') },
          { label: t.nodes, colour: '--warn', values: values('nodes') },
        ]}
      />
      <Chart
        {...common}
        title={t.requests}
        unit={t.a}
        series={[{ label: t.requests, colour: '--accent', values: values('requests') }]}
      />
      <Chart
        {...common}
        title={t.states}
        unit={t.a}
        series={[{ label: t.states, colour: '--info', values: values('states') }]}
      />
      <Chart
        {...common}
        title={t.processor}
        unit="%"
        series={[{ label: t.processor, colour: '--warn', values: values('processor') }]}
      />
      <Chart
        {...common}
        title={t.memory}
        unit="MB"
        series={[{ label: t.memory, colour: '--info', values: values('memory') }]}
      />
    </div>
  )
}
