import type { AnyElysia } from 'elysia'
import type { Metrics } from '../core/metrics.ts'
import type { Cell, Distribution } from '../util/metrics.ts'
import { descriptionOf } from './openapi/route.ts'

interface Series {
  /** By the class of the status. A class has a series from its first answer on. */
  statuses: Partial<Record<number, Cell>>
  /** The values of the labels `route` and `method`. */
  labels: [route: string, method: string]
  seconds: Cell
  duration: Distribution
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** The route of requests that no route takes. Their paths are the client's, so no label shows them. */
const UNMATCHED = 'unmatched'

/** Counts answered requests by the template of their route. */
export class RequestMetrics {
  private readonly series = new Map<string, Series>()
  /** The groups of routes whose duration is that of their client, or of an event. */
  private readonly groups = new Map<string, 'transfer' | 'wait'>()

  constructor(private readonly metrics: Metrics) {}

  /** Reads which routes take or send files, and which wait. */
  learn({ routes }: AnyElysia): void {
    for (const { path, hooks } of routes) {
      const description = descriptionOf(hooks)
      if (description?.multipart || description?.bytes || path.startsWith('/files/'))
        this.groups.set(path, 'transfer')
      else if (description?.streams) this.groups.set(path, 'wait')
    }
  }

  /** @param route the template, undefined when no route took the request */
  count(method: string, route: string | undefined, status: number, ms: number): void {
    const key = route === undefined ? UNMATCHED : `${method} ${route}`
    const series = this.series.get(key) ?? this.open(key, method, route)
    const digit = Math.floor(status / 100)
    series.statuses[digit] ??= this.metrics.requests.of(...series.labels, `${digit}xx`)
    series.statuses[digit].value++
    series.seconds.value += ms / 1000
    series.duration.observe(ms / 1000)
  }

  private open(key: string, method: string, route = UNMATCHED): Series {
    const shown = route === UNMATCHED ? 'any' : METHODS.has(method) ? method : 'other'
    const { requestSeconds, requestDuration } = this.metrics
    const labels: Series['labels'] = [route, shown]
    const series: Series = {
      statuses: {},
      labels,
      seconds: requestSeconds.of(...labels),
      duration: requestDuration.of(this.groups.get(route) ?? apiOf(route)),
    }
    this.series.set(key, series)
    return series
  }
}

const APIS = ['/api/v1', '/api', '/v1']
const apiOf = (route: string): string => APIS.find((api) => route.startsWith(`${api}/`)) ?? 'other'
