import { expect, test } from 'bun:test'
import { Registry } from '../../src/util/metrics.ts'

test('counters, gauges and histograms are written in both formats', () => {
  const registry = new Registry()
  const runs = registry.counter('runs_total', 'Runs\nof "jobs" \\', ['job'])
  runs.of('a').value += 2
  runs.of('say "hi"\\\n').value++
  registry.gauge('depth', 'How many wait', ['queue'], () => [[['mail'], 3]])
  registry.gauge('nothing', 'Has no value now', [], () => undefined)
  const delay = registry.histogram('delay_seconds', 'Delays', ['kind'], [0.1, 1])
  for (const value of [0.1, 0.05, 0.5, 1, 7]) delay.of('x').observe(value)
  const text = `# HELP runs_total Runs\\nof "jobs" \\\\
# TYPE runs_total counter
runs_total{job="a"} 2
runs_total{job="say \\"hi\\"\\\\\\n"} 1
# HELP depth How many wait
# TYPE depth gauge
depth{queue="mail"} 3
# HELP nothing Has no value now
# TYPE nothing gauge
# HELP delay_seconds Delays
# TYPE delay_seconds histogram
delay_seconds_bucket{kind="x",le="0.1"} 2
delay_seconds_bucket{kind="x",le="1.0"} 4
delay_seconds_bucket{kind="x",le="+Inf"} 5
delay_seconds_sum{kind="x"} 8.65
delay_seconds_count{kind="x"} 5
`
  expect(registry.render('prometheus')).toBe(text)
  const open = text.replace('HELP runs_total', 'HELP runs').replace('TYPE runs_total', 'TYPE runs')
  expect(registry.render('openmetrics')).toBe(`${open}# EOF\n`)
})

test('a metric that cannot be read loses no other', () => {
  const registry = new Registry()
  registry.gauge('broken', 'Throws', [], () => {
    throw new Error('no')
  })
  registry.gauge('well', 'Works', [], () => 1)
  const failed: string[] = []
  expect(registry.render('prometheus', (name) => failed.push(name))).toEndWith('well 1\n')
  expect(failed).toEqual(['broken'])
})

test('two metrics cannot have one name', () => {
  const registry = new Registry()
  registry.counter('x_total', '')
  expect(() => registry.counter('x_total', '')).toThrow('two metrics are called x_total')
})
