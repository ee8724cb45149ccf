/** What the pages of administrators remember of the live figures and the log. */
import { describe, expect, test } from 'bun:test'
import type { SystemLogFrame, SystemUpdateData } from '../../src/client/index.ts'
import { LineTail } from '../../src/dashboard/app/pages/admin/log-tail.ts'
import { History } from '../../src/dashboard/app/pages/admin/system-history.ts'

const START = Date.parse('2026-03-01T09:00:00Z')
/** @param seconds after the start of the test */
const figures = (seconds: number, count: number, server = 'a:1'): SystemUpdateData => ({
  server,
  at: new Date(START + seconds * 1000).toISOString(),
  started_at: '2026-03-01T08:00:00Z',
  sockets: { user: 3, stranger: 0, node: 1 },
  totals: { events_appended: count, events_delivered: 2 * count, states_sent: 0, requests: 10 * count },
  jobs: null,
  gpu_tasks: null,
  nodes: null,
  parts: [],
  memory_bytes: 64 * 1024 * 1024,
  cpu_seconds: count / 100,
})

describe('the history of figures', () => {
  test('has rates of what totals count, of one process alone', () => {
    const history = new History()
    for (const [seconds, count, server] of [
      [0, 100],
      [2, 104],
      [4, 7, 'b:2'],
      [6, 8, 'b:2'],
    ] as [number, number, string?][])
      history.add(figures(seconds, count, server))
    const { value } = history.samples
    expect(value.map(({ appended }) => appended)).toEqual([null, 2, null, 0.5])
    expect(value[1]).toMatchObject({ users: 3, nodes: 1, delivered: 4, states: 0, requests: 20, memory: 64 })
    expect(value[1]!.processor).toBeCloseTo(2)
  })

  test('breaks off where the page was away, takes no figure twice, and ends after ten minutes', () => {
    const history = new History()
    history.add(figures(0, 1))
    history.add(figures(60, 900))
    history.add(figures(60, 900))
    expect(history.samples.value.map(({ users, appended }) => [users, appended])).toEqual([
      [3, null],
      [null, null],
      [3, null],
    ])
    history.add(figures(620, 901))
    expect(history.samples.value.map(({ at }) => (at - START) / 1000)).toEqual([60, 60.001, 620])
  })
})

test('the tail of the log keeps the newest lines, and counts those that wait', () => {
  const tail = new LineTail()
  const line = (n: number): SystemLogFrame => ({
    type: 'system_log',
    id: `${n}-0`,
    at: new Date(START + n).toISOString(),
    level: 'INFO',
    message: `line ${n}`,
    server: 'a:1',
    fields: {},
  })
  for (let n = 0; n < 10; n++) tail.add(line(n))
  expect(tail.unseen).toBe(10)
  expect(tail.take()).toHaveLength(10)
  for (let n = 10; n < 20_000; n++) tail.add(line(n))
  expect(tail.unseen).toBe(19_990)
  const kept = tail.take()
  expect(kept).toHaveLength(3000)
  expect([kept[0]!.message, kept.at(-1)!.message]).toEqual(['line 17000', 'line 19999'])
  expect(tail.unseen).toBe(0)
})
