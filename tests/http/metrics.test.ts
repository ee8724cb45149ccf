/** docs/operations.md, "Metrics". */
import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { api } from '../support/api.ts'
import { makeTask, makeUser } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { openLive } from '../support/sockets.ts'

const METRICS_TOKEN = 'a-scrape-token-of-the-test'
const server = await startServer({ METRICS_TOKEN })
afterAll(() => server.stop())

const scrape = (token: string | undefined = METRICS_TOKEN, headers: Record<string, string> = {}) =>
  api(server, 'GET', '/metrics', { token, headers })

/** The values of a scrape, by name and labels as they are written. */
async function read(): Promise<Map<string, number>> {
  const { text, status } = await scrape()
  expect(status).toBe(200)
  const samples = text.split('\n').filter((line) => line && !line.startsWith('#'))
  const values = new Map(
    samples.map((line) => {
      const [, series = line, value] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? []
      return [series, Number(value)]
    }),
  )
  expect(values.size).toBe(samples.length)
  for (const [series, value] of values) expect(value, series).not.toBeNaN()
  return values
}

describe('who may read', () => {
  test('whoever has the token, and administrators; nobody else', async () => {
    const admin = await makeUser(server, { role: 'admin' })
    const editor = await makeUser(server, { role: 'editor' })
    const statuses = []
    for (const token of [METRICS_TOKEN, admin.token, editor.token, `${METRICS_TOKEN}x`, '', undefined])
      statuses.push((await api(server, 'GET', '/metrics', { token })).status)
    expect(statuses).toEqual([200, 200, 403, 401, 401, 401])
    const refused = await api(server, 'GET', '/metrics')
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(refused.body).toMatchObject({ status: 401, title: 'Unauthorized' })
    // The scrape token opens nothing else.
    expect((await api(server, 'GET', '/v1/auth/profile', { token: METRICS_TOKEN })).status).toBe(401)
  })

  test('without METRICS_TOKEN no token is the right one', async () => {
    const { config } = server.ctx
    Object.assign(config, { metricsToken: undefined })
    for (const token of ['undefined', METRICS_TOKEN, ''])
      expect((await api(server, 'GET', '/metrics', { token })).status).toBe(401)
    Object.assign(config, { metricsToken: METRICS_TOKEN })
  })
})

test('the format is the one of Prometheus, or OpenMetrics when the scraper takes it', async () => {
  const plain = await scrape()
  expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(plain.headers.get('cache-control')).toBe('no-store')
  expect(plain.text).toContain('# TYPE roost_http_requests_total counter\n')
  const accept = 'application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5'
  const open = await scrape(METRICS_TOKEN, { accept })
  expect(open.headers.get('content-type')).toStartWith('application/openmetrics-text; version=1.0.0')
  expect(open.text).toContain('# TYPE roost_http_requests counter\n')
  expect(open.text).toEndWith('# EOF\n')
})

test('requests are counted by the template of their route, never by what a client writes', async () => {
  const { token } = await makeUser(server)
  const before = await read()
  await api(server, 'GET', '/v1/photos/4711', { token })
  await api(server, 'GET', '/v1/photos/4712')
  await fetch(`${server.url}/v1/photos/4713`, { method: 'HEAD' })
  await api(server, 'GET', '/secret-path')
  await fetch(`${server.url}/v1/photos/1`, { method: 'QUERY' })
  await api(server, 'POST', '/v1/auth/login', { raw: '{' })
  const grown = async (series: string) => ((await read()).get(series) ?? 0) - (before.get(series) ?? 0)
  const requests = (route: string, method: string, status: string) =>
    `roost_http_requests_total{route="${route}",method="${method}",status="${status}"}`
  await eventually(
    async () => (await grown(requests('/v1/auth/login', 'POST', '4xx'))) === 1,
    'all requests are counted',
  )
  expect(await grown(requests('/v1/photos/:id', 'GET', '4xx'))).toBe(2)
  expect(await grown(requests('/v1/photos/:id', 'HEAD', '4xx'))).toBe(1)
  expect(await grown(requests('unmatched', 'any', '4xx'))).toBe(2)
  expect(await grown('roost_http_request_duration_seconds_count{api="/v1"}')).toBe(4)
  const { text } = await scrape()
  expect(text).not.toMatch(/photos\/\d|secret|QUERY/)
})

test('events, sockets, jobs, parts and refusals are there', async () => {
  const owner = await makeUser(server)
  const before = await read()
  const socket = await openLive(server, owner.token)
  for (let n = 0; n < 3; n++) await makeTask(server, owner)
  await socket.until((frames) => frames.filter(({ type }) => type === 'task.created')[2])
  const after = await read()
  const grown = (series: string) => (after.get(series) ?? 0) - (before.get(series) ?? 0)
  // Jobs of the server may append events too.
  expect(grown('roost_events_appended_total')).toBeGreaterThanOrEqual(3)
  expect(grown('roost_events_delivered_total')).toBe(3)
  // An event that the poll finds before its hint comes from the log, and has no delay.
  expect(grown('roost_event_delivery_delay_seconds_count')).toBeWithin(1, 4)
  expect(grown('roost_sockets{kind="user"}')).toBe(1)
  socket.close()
  for (const part of ['database', 'bus', 'storage', 'mail'])
    expect(after.get(`roost_part_up{part="${part}"}`)).toBe(1)
  expect(after.get('roost_nodes{state="online"}')).toBe(0)
  expect(after.get('roost_database_connections{state="waiting"}')).toBe(0)
  expect(after.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
  for (const source of ['jobs', 'nodes', 'tasks', 'parts'])
    expect(after.get(`roost_metrics_source_up{source="${source}"}`)).toBe(1)
  await api(server, 'GET', '/v1/tags/cloud')
  await api(server, 'GET', '/v1/tags/cloud')
  expect((await read()).get('roost_cache_reads_total{cache="tags",result="hit"}')).toBeGreaterThan(0)
  server.ctx.services.rateLimits.refused.search = 3
  expect((await read()).get('roost_rate_limited_total{policy="search"}')).toBe(3)
})

describe('the files for operators', () => {
  const file = (name: string) => readFileSync(join(import.meta.dir, '../..', name), 'utf8')
  const known = server.ctx.metrics.registry.names
  const namesIn = (text: string) => new Set(text.match(/\b(?:roost|process)_[a-z_]+/g) ?? [])
  const labelsOf = (name: string) => known.get(name) ?? known.get(name.replace(/_(bucket|sum|count)$/, ''))
  const isKnown = (name: string) => labelsOf(name) !== undefined
  /** Prometheus adds `instance` to all, and histograms have `le`. */
  const ADDED = ['instance', 'le']
  const labelsIn = (expr: string) => [
    ...[...expr.matchAll(/(\w+)(?:=|!=|=~|!~)"/g)].map(([, label]) => label!),
    ...[...expr.matchAll(/(?:by|on) \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(/, */)),
  ]
  const unknownLabels = (expr: string) => {
    const has = new Set([...ADDED, ...[...namesIn(expr)].flatMap((name) => labelsOf(name) ?? [])])
    return labelsIn(expr).filter((label) => !has.has(label))
  }

  test.each(['docs/grafana-dashboard.json', 'docs/prometheus-alerts.yml', 'docs/operations.md'])(
    '%s names only metrics that exist',
    (name) => {
      const names = namesIn(file(name))
      expect(names.size).toBeGreaterThan(4)
      expect([...names].filter((name) => !isKnown(name))).toEqual([])
    },
  )

  test('every metric is explained', () => {
    const explained = namesIn(file('docs/operations.md'))
    expect([...known.keys()].filter((name) => !explained.has(name))).toEqual([])
  })

  test('the dashboard has a query in each panel, every alert says what to do, and their labels exist', () => {
    const { panels } = JSON.parse(file('docs/grafana-dashboard.json'))
    expect(panels.length).toBeGreaterThan(8)
    for (const { targets, title } of panels) {
      expect(targets?.[0]?.expr, title).toBeString()
      for (const { expr } of targets) expect(unknownLabels(expr), expr).toEqual([])
    }
    const { groups } = Bun.YAML.parse(file('docs/prometheus-alerts.yml')) as {
      groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[]
    }
    const rules = groups.flatMap(({ rules }) => rules)
    expect(rules).toHaveLength(6)
    for (const { alert, expr, annotations } of rules) {
      expect([alert, expr, annotations.summary, annotations.description]).not.toContain(undefined)
      expect(unknownLabels(expr), alert).toEqual([])
    }
  })
})
