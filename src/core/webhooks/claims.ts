/** How servers share the deliveries that are due: each claims some for the time of a lease, and stores what came of them. */
import { sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import { rfc3339 } from '../../db/timestamps.ts'
import { camelKeys } from '../../util/case.ts'
import type { Context } from '../context.ts'
import type { WebhookOwner } from './payloads.ts'
import { MAX_FAILING_HOURS, MAX_FAILURES, type Verdict } from './retries.ts'
import type { DeliveryError, WebhookSecret } from './rows.ts'

/** Deliveries of one webhook that a server sends at the same time. */
const PER_WEBHOOK = 8
/** How many it sends to a webhook with so many failures since its last success. */
export const roomFor = (failures: number): number => (failures > 0 ? 1 : PER_WEBHOOK)
/** How many it sends for one owner, so that the slow receivers of one owner leave room for others. */
export const PER_OWNER = 32
/** Due deliveries of which a claim looks for webhooks. */
const LOOK_AT = 200
/** How much longer a lease is than an attempt may take: for making and storing what surrounds it. */
const LEASE_MARGIN_SECONDS = 10

/** A delivery that this server sends now. */
export interface Claimed {
  id: string
  type: string
  /** RFC 3339. */
  at: string
  /** JSON text: the data of the event in the channel, and that of the body, once it was made. */
  event: string
  payload: string | null
  /** With this one. */
  attempts: number
  webhookId: number
  url: string
  secrets: WebhookSecret[]
  /** Of the webhook, since its last success, and for how long. */
  failures: number
  failingSeconds: number
  owner: WebhookOwner
}

interface ClaimedRow extends Omit<Claimed, 'secrets' | 'owner'>, WebhookOwner {
  secrets: Record<string, unknown>[]
}

const value = sql.placeholder
const raw = (number: number) => sql.raw(String(number))

const claimStatement = preparedSql<ClaimedRow>(
  'claim_webhook_deliveries',
  sql`
    with running as materialized (
      select w.id, w.user_id, x.n::int as n
      from jsonb_each_text(${value('running')}::text::jsonb) x(id, n) join webhooks w on w.id = x.id::int
    ), owners as materialized (
      select user_id, sum(n) as n from running group by user_id
    ), ready as materialized (
      select webhook_id, user_id, room, owner_room,
        row_number() over (order by owner_room desc, min(next_attempt_at)) as turn
      from (
        select d.webhook_id, d.next_attempt_at, w.user_id, room, owner_room
        from webhook_deliveries d
          join webhooks w on w.id = d.webhook_id and w.is_active and (w.paused_until is null or w.paused_until <= now())
          join users u on u.id = w.user_id and u.is_active
          left join running r on r.id = w.id
          left join owners o on o.user_id = w.user_id
          cross join lateral (
            select case when w.failures > 0 then ${raw(roomFor(1))} else ${raw(roomFor(0))} end - coalesce(r.n, 0) as room,
              ${raw(PER_OWNER)} - coalesce(o.n, 0) as owner_room
          ) free
        where d.status = 'pending' and d.next_attempt_at <= now() and room > 0 and owner_room > 0
        order by d.next_attempt_at limit ${raw(LOOK_AT)}
      ) due
      group by webhook_id, user_id, room, owner_room
    ), taken as materialized (
      select id from (
        select d.id, turn, owner_room, row_number() over (partition by user_id order by turn) as nth
        from ready r cross join lateral (
          select id from webhook_deliveries
          where webhook_id = r.webhook_id and status = 'pending' and next_attempt_at <= now()
          order by next_attempt_at limit r.room for update skip locked
        ) d
      ) found
      where nth <= owner_room order by turn limit ${value('free')}
    )
    update webhook_deliveries d set attempts = d.attempts + 1, last_attempt_at = now(),
      next_attempt_at = now() + make_interval(secs => ${value('lease')})
    from taken t, webhooks w, users u
    where d.id = t.id and w.id = d.webhook_id and u.id = w.user_id
    returning d.id, d.type, ${rfc3339(sql`d.at`)} as at, d.event::text as event, d.payload::text as payload, d.attempts,
      d.webhook_id as "webhookId", w.url, w.secrets, w.failures,
      coalesce(extract(epoch from now() - w.failing_since), 0)::float8 as "failingSeconds",
      u.id as "userId", u.uuid as "userUuid", coalesce(u.username, '') as username, u.role`,
)

/**
 * Claims deliveries that are due, of as many webhooks as possible. Owners to whom this server sends the fewest at the moment
 * come first.
 * @param running how many deliveries of each webhook this server sends at the moment
 */
export async function claim(
  { db, config }: Pick<Context, 'db' | 'config'>,
  free: number,
  running: ReadonlyMap<number, number>,
): Promise<Claimed[]> {
  const rows = await claimStatement(db).execute({
    free,
    running: JSON.stringify(Object.fromEntries(running)),
    lease: config.webhookTimeoutSeconds + LEASE_MARGIN_SECONDS,
  })
  return rows.map(({ secrets, userId, userUuid, username, role, ...row }) => ({
    ...row,
    secrets: secrets.map((one) => camelKeys(one) as unknown as WebhookSecret),
    owner: { userId, userUuid, username, role },
  }))
}

/** Keeps the data of bodies that were made for the first attempt. */
export async function keepPayloads(
  { db }: Pick<Context, 'db'>,
  payloads: { id: string; payload: unknown }[],
): Promise<void> {
  await db.execute(sql`
    update webhook_deliveries d set payload = x.payload
    from json_to_recordset(${JSON.stringify(payloads)}::text::json) as x(id uuid, payload json)
    where d.id = x.id`)
}

/** What came of an attempt, or of a delivery that was not sent. */
export interface Outcome {
  delivery: Claimed
  verdict: Verdict
  /** HTTP status. */
  responseStatus: number | null
  error: DeliveryError | null
  /** Null when nothing was sent. */
  durationMs: number | null
}

/**
 * Stores outcomes. An outcome of an attempt whose lease has ended counts only when the receiver has taken the delivery, because
 * another server is sending it again by then.
 * @returns the webhooks that have failed for too long
 */
export async function storeOutcomes(
  { db }: Pick<Context, 'db'>,
  outcomes: readonly Outcome[],
): Promise<{ id: number; userId: number }[]> {
  const rows = outcomes.map(({ delivery, verdict, responseStatus, error, durationMs }) => ({
    id: delivery.id,
    n: delivery.attempts,
    s: verdict.status,
    w: verdict.retrySeconds,
    h: responseStatus,
    e: error,
    ms: durationMs,
  }))
  await db.execute(sql`
    update webhook_deliveries d set status = x.s, next_attempt_at = now() + make_interval(secs => x.w), response_status = x.h,
      error = x.e, duration_ms = x.ms, delivered_at = case when x.s = 'delivered' then now() end
    from json_to_recordset(${JSON.stringify(rows)}::text::json)
      as x(id uuid, n int, s text, w float8, h int, e text, ms int)
    where d.id = x.id and d.status = 'pending' and (d.attempts = x.n or x.s = 'delivered')`)
  const webhooks = ofWebhooks(outcomes)
  if (webhooks.length === 0) return []
  return db.execute<{ id: number; userId: number }>(sql`
    with x as (
      select * from json_to_recordset(${JSON.stringify(webhooks)}::text::json) as x(id int, ok boolean, failures int, pause float8)
    ), locked as materialized (
      select w.id from webhooks w join x on x.id = w.id order by w.id for no key update of w
    ), changed as (
      update webhooks w set
        failures = case when x.ok then 0 else w.failures + x.failures end,
        failing_since = case when x.ok then null else coalesce(w.failing_since, now()) end,
        last_delivered_at = case when x.ok then now() else w.last_delivered_at end,
        paused_until = case when x.pause > 0
          then greatest(w.paused_until, now() + make_interval(secs => x.pause)) else w.paused_until end
      from x, locked l where w.id = x.id and w.id = l.id
      returning w.id, w.user_id, w.failures, w.failing_since
    )
    select id, user_id as "userId" from changed
    where failures >= ${MAX_FAILURES} and failing_since < now() - make_interval(hours => ${MAX_FAILING_HOURS})`)
}

/** For each webhook to which something was sent: whether it has taken anything, and otherwise its failures. */
function ofWebhooks(outcomes: readonly Outcome[]) {
  const webhooks = new Map<number, { id: number; ok: boolean; failures: number; pause: number }>()
  for (const { delivery, verdict, durationMs } of outcomes) {
    if (durationMs === null) continue
    const { webhookId: id } = delivery
    const known = webhooks.get(id) ?? { id, ok: false, failures: 0, pause: 0 }
    const ok = verdict.status === 'delivered'
    webhooks.set(id, {
      id,
      ok: known.ok || ok,
      failures: known.failures + (ok ? 0 : 1),
      pause: Math.max(known.pause, verdict.pauseSeconds),
    })
  }
  return [...webhooks.values()]
}

/**
 * Gives deliveries back whose attempts this server has stopped. Another server, or this one after its next start, sends them at
 * once.
 */
export async function handBack({ db }: Pick<Context, 'db'>, claimed: readonly Claimed[]): Promise<void> {
  const rows = claimed.map(({ id, attempts }) => ({ id, n: attempts }))
  await db.execute(sql`
    update webhook_deliveries d set attempts = d.attempts - 1, next_attempt_at = now()
    from json_to_recordset(${JSON.stringify(rows)}::text::json) as x(id uuid, n int)
    where d.id = x.id and d.status = 'pending' and d.attempts = x.n`)
}
