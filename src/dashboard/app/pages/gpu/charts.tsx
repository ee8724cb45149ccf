/** One GPU: its figures now, and its charts of the last minutes. */
import type { GpuUsage } from '../../../../client/index.ts'
import { percent } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { Chart } from '../../ui/chart.tsx'
import { Bars } from './bars.tsx'
import type { Sample } from './samples.ts'

const t = texts({
  en: {
    gpu: (id: number) => `GPU ${id}`,
    usage: 'Usage',
    memory: 'Memory',
    temperature: 'Temperature',
    gb: (used: string, total: string) => `${used} of ${total} GB`,
  },
  zh: {
    gpu: (id: number) => `GPU ${id}`,
    usage: '使用率',
    memory: '显存',
    temperature: '温度',
    gb: (used: string, total: string) => `${used} / ${total} GB`,
  },
})

function* warmth({ temperature, power }: GpuUsage) {
  if (temperature !== undefined) yield `${Math.round(temperature)} °C`
  if (power !== undefined) yield `${Math.round(power)} W`
}

const round = (value: number) => String(Math.round(value * 10) / 10)

export function Gpu({
  gpu,
  samples,
  charts,
}: {
  gpu: GpuUsage
  samples: readonly Sample[]
  charts: boolean
}) {
  const name = t.gpu(gpu.gpu_id)
  return (
    <div class="gpu">
      <div class="gpu-head">
        <h3>
          {name} <span class="small muted">{gpu.name}</span>
        </h3>
        <span class="small number nowrap">{[...warmth(gpu)].join(' · ')}</span>
      </div>
      {charts ? <Charts gpu={gpu} name={name} samples={samples} /> : <Bars of={name} bars={barsOf(gpu)} />}
    </div>
  )
}

const memoryPercent = ({ memory_used, memory_total }: GpuUsage) =>
  memory_total === 0 ? 0 : (100 * memory_used) / memory_total

const barsOf = (gpu: GpuUsage) => [
  { name: t.usage, percent: gpu.usage, text: percent(gpu.usage) },
  {
    name: t.memory,
    percent: memoryPercent(gpu),
    text: t.gb(round(gpu.memory_used), round(gpu.memory_total)),
  },
]

const HEIGHT = 120

function Charts({ gpu, name, samples }: { gpu: GpuUsage; name: string; samples: readonly Sample[] }) {
  const times = samples.map(({ at }) => at)
  const own = samples.map(({ gpus }) => gpus.find(({ gpu_id }) => gpu_id === gpu.gpu_id))
  const values = (pick: (one: GpuUsage) => number | undefined) => own.map((one) => (one && pick(one)) ?? null)
  const common = { of: name, times, min: 0, height: HEIGHT }
  return (
    <div class="gpu-charts">
      <Chart
        {...common}
        title={t.usage}
        unit="%"
        max={100}
        series={[{ label: t.usage, colour: '--accent', values: values((one) => one.usage) }]}
      />
      <Chart
        {...common}
        title={t.memory}
        unit="GB"
        max={Math.max(1, Math.ceil(gpu.memory_total))}
        series={[{ label: t.memory, colour: '--info', values: values((one) => one.memory_used) }]}
      />
      {gpu.temperature !== undefined && (
        <Chart
          {...common}
          title={t.temperature}
          unit="°C"
          max={100}
          series={[{ label: t.temperature, colour: '--warn', values: values((one) => one.temperature) }]}
        />
      )}
    </div>
  )
}
