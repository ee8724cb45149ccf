import { Registry } from '../util/metrics.ts'

/** Seconds. */
const DELAYS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * What this server counts: docs/operations.md, "Metrics". Labels have few values, and never one that a client chooses, because
 * each combination is a series. Find a cell once (`const hits = metrics.cacheReads.of('photos', 'hit')`) and add to its
 * `value`.
 */
export class Metrics {
  readonly registry = new Registry()

  readonly requests = this.registry.counter(
    'roost_http_requests_total',
    'Answered requests by route, method and class of status',
    ['route', 'method', 'status'],
  )
  readonly requestSeconds = this.registry.counter(
    'roost_http_request_seconds_total',
    'Seconds until the answers to the requests of a route began, added up',
    ['route', 'method'],
  )
  readonly requestDuration = this.registry.histogram(
    'roost_http_request_duration_seconds',
    'Seconds until an answer began, by API; requests that wait for their client or for an event have groups of their own',
    ['api'],
    DELAYS,
  )
  readonly eventsAppended = this.registry
    .counter('roost_events_appended_total', 'Events that this server appended to channels')
    .of()
  readonly eventsDelivered = this.registry
    .counter('roost_events_delivered_total', 'Events that this server sent to sockets')
    .of()
  readonly deliveryDelay = this.registry
    .histogram(
      'roost_event_delivery_delay_seconds',
      'Seconds from the append of an event to its sending, without those that a client fetches later',
      [],
      DELAYS,
    )
    .of()
  readonly statesSent = this.registry
    .counter('roost_states_sent_total', 'States of topics that this server sent to sockets')
    .of()
  readonly statesMerged = this.registry
    .counter(
      'roost_states_merged_total',
      'States that a newer one replaced before the client was ready for them',
    )
    .of()
  readonly nodeFramesDropped = this.registry
    .counter('roost_node_frames_dropped_total', 'Frames of nodes that this server was too slow to handle')
    .of()
  readonly studyTimerLag = this.registry
    .histogram(
      'roost_study_timer_lag_seconds',
      'Seconds by which the end of an item of a study task was noticed too late',
      [],
      DELAYS,
    )
    .of()
  /** By kind of client (`user`, `node`) and close code. */
  readonly socketsClosed = this.registry.counter(
    'roost_sockets_closed_total',
    'Sockets that this server closed, by close code',
    ['kind', 'code'],
  )
  /** `completed`, `failed` (a retry follows), `given_up`. */
  readonly jobRuns = this.registry.counter('roost_job_runs_total', 'Runs of queued jobs by result', [
    'queue',
    'result',
  ])
  /** `completed`, `failed`. */
  readonly scheduledRuns = this.registry.counter(
    'roost_scheduled_runs_total',
    'Runs of scheduled jobs by result',
    ['job', 'result'],
  )
  /** `delivered`, `retried` (it is sent again), `failed`, `disabled` (the receiver answered 410). */
  readonly webhookDeliveries = this.registry.counter(
    'roost_webhook_deliveries_total',
    'Attempts to deliver to webhooks by result',
    ['result'],
  )
  /** Of the system log: `stored`, `lost`. */
  readonly logLines = this.registry.counter(
    'roost_log_lines_total',
    'Lines of the log by whether this server could store them in the database',
    ['result'],
  )
  /** `hit`, `miss`. */
  readonly cacheReads = this.registry.counter('roost_cache_reads_total', 'Reads from the cache by result', [
    'cache',
    'result',
  ])
}
