/** A line chart of the last minutes, with the same figures as a table for whoever cannot see it. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import { clock } from '../lib/format.ts'
import { language, texts } from '../lib/language.ts'
import { isDark } from '../lib/theme.ts'
import { Button } from './button.tsx'
import { Table } from './table.tsx'

const t = texts({
  en: { time: 'Time', asTable: 'As a table', asChart: 'As a chart', empty: 'No figures yet' },
  zh: { time: '时间', asTable: '表格', asChart: '图表', empty: '暂无数据' },
})

export interface Series {
  label: string
  /** A custom property of the style sheet, such as `--accent`. */
  colour: string
  /** One for each time; null where there is none. */
  values: readonly (number | null)[]
}

interface Props {
  title: string
  /** What the chart is about, for screen readers, where the page shows it above. */
  of?: string
  /** Of the values, such as `%`. */
  unit: string
  /** Milliseconds since the epoch, ascending. */
  times: readonly number[]
  series: readonly Series[]
  /** Ends of the vertical axis; those of the data where they are missing. */
  min?: number
  max?: number
  height?: number
}

/** The horizontal axis covers at least so much, also while there are few figures. */
const SHORTEST_SECONDS = 60

/** @param times seconds; uPlot itself would give a whole day to a single one */
function spanOf(times: ArrayLike<number>): [number, number] {
  const last = times[times.length - 1] ?? Date.now() / 1000
  return [Math.min(times[0] ?? last, last - SHORTEST_SECONDS), last]
}

/** Rows of the table, the newest first. */
const MAX_ROWS = 60

export function Chart(props: Props) {
  const shown = useSignal<'chart' | 'table'>('chart')
  const isTable = shown.value === 'table'
  const single = props.series.length === 1 ? props.series[0] : undefined
  return (
    <figure class="stack-tight">
      <div class="row">
        <figcaption class="row grow">
          <h3>{props.title}</h3>
          {single && <Newest {...props} {...single} />}
        </figcaption>
        <Button
          small
          kind="plain"
          aria-label={`${isTable ? t.asChart : t.asTable}: ${fullTitle(props)}`}
          onClick={() => {
            shown.value = isTable ? 'chart' : 'table'
          }}
        >
          {isTable ? t.asChart : t.asTable}
        </Button>
      </div>
      {isTable ? <Figures {...props} /> : <Plot {...props} />}
      {!single && <Legend {...props} />}
    </figure>
  )
}

const fullTitle = ({ title, of }: Props) => (of ? `${of}: ${title}` : title)

const Legend = ({ series, unit }: Props) => (
  <ul class="row small">
    {series.map((one) => (
      <li key={one.label} class="row legend">
        <span class="legend-mark" style={{ background: `var(${one.colour})` }} />
        {one.label}
        <Newest unit={unit} {...one} />
      </li>
    ))}
  </ul>
)

/** The newest value of a series, which a screen reader reads too. */
const Newest = ({ unit, values }: Pick<Props, 'unit'> & Pick<Series, 'values'>) => {
  const last = values.at(-1)
  return (
    <strong class="number small">
      {last === null || last === undefined ? '–' : `${round(last)} ${unit}`}
    </strong>
  )
}

const round = (value: number) => Math.round(value * 10) / 10

function Figures(props: Props) {
  const { unit, times, series } = props
  const rows = times
    .map((at, index) => ({ at, index }))
    .slice(-MAX_ROWS)
    .reverse()
  return (
    <div class="chart-table">
      <Table
        caption={fullTitle(props)}
        rows={rows}
        keyOf={({ at }) => at}
        columns={[
          { title: t.time, cell: ({ at }) => clock(at) },
          ...series.map(({ label, values }) => ({
            title: unit ? `${label} (${unit})` : label,
            number: true,
            cell: ({ index }: { index: number }) => {
              const value = values[index]
              return value === null || value === undefined ? '–' : round(value)
            },
          })),
        ]}
      />
    </div>
  )
}

function Plot(props: Props) {
  const { unit, times, series, min, max, height = 180 } = props
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const dataOf = (): uPlot.AlignedData => [
    times.map((at) => at / 1000),
    ...series.map(({ values }) => values as (number | null)[]),
  ]
  const data = useRef(dataOf)
  data.current = dataOf

  // Colours and labels are fixed when the plot is made, so another theme, language or set of series makes another one.
  const look = [isDark.value, language.value, ...series.map(({ label, colour }) => label + colour)].join()
  useEffect(() => {
    let ended = false
    const observer = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry!.contentRect.width)
      if (width > 0) plot.current?.setSize({ width, height })
    })
    void import('uplot').then(({ default: UPlot }) => {
      const target = box.current
      if (ended || !target) return
      const style = getComputedStyle(document.documentElement)
      const colour = (name: string) => style.getPropertyValue(name).trim()
      const axis = {
        stroke: colour('--muted'),
        grid: { stroke: colour('--line'), width: 1 },
        ticks: { show: false },
      }
      plot.current = new UPlot(
        {
          width: target.clientWidth,
          height,
          legend: { show: false },
          cursor: { y: false, points: { size: 6 } },
          scales: {
            x: { range: () => spanOf(data.current()[0]) },
            y: { range: (_, low, high) => [min ?? low, max ?? (high > low ? high : low + 1)] },
          },
          axes: [
            { ...axis, values: (_, splits) => splits.map((at) => clock(at * 1000)), space: 90, size: 32 },
            { ...axis, size: 52, values: (_, splits) => splits.map((value) => `${value} ${unit}`) },
          ],
          series: [
            {},
            ...series.map(({ label, colour: name }) => ({
              label,
              stroke: colour(name),
              fill: `color-mix(in srgb, ${colour(name)} 12%, transparent)`,
              width: 2,
              points: { show: false },
            })),
          ],
        },
        data.current(),
        target,
      )
      observer.observe(target)
    })
    return () => {
      ended = true
      observer.disconnect()
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [look])
  useEffect(() => plot.current?.setData(data.current()))

  return (
    <div ref={box} class="chart" style={{ height: `${height}px` }} role="img" aria-label={fullTitle(props)}>
      {times.length === 0 && <p class="muted small">{t.empty}</p>}
    </div>
  )
}
