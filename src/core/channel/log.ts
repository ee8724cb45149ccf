/**
 * The channel log: the events of a user, in order. Events are written only in the transaction of the change that they report;
 * sockets read them from their cursor.
 */
import { and, asc, eq, gt, type SQLChunk, sql } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import type { Db } from '../../db/client.ts'
import { prepared, preparedSql } from '../../db/prepared.ts'
import { channels, events } from '../../db/schema/index.ts'
import { rfc3339 } from '../../db/timestamps.ts'
import { trim } from '../../db/trim.ts'
import type { Context } from '../context.ts'

/** An event in the log. `data` is JSON text, which sockets send as it is. */
export interface LoggedEvent {
  userId: number
  seq: number
  type: string
  data: string
  /** RFC 3339, UTC. */
  at: string
}

/** An event that was appended just now. */
export interface AppendedEvent extends LoggedEvent {
  /** Whether its statement has also made deliveries to webhooks. */
  hooked: boolean
}

export interface PendingEvent {
  userId: number
  type: string
  /** What `ctx.presentEvent` made: clients see it as it is. */
  data: object
}

/**
 * Appends in one statement, as the last one of its transaction. The statement locks channel rows in the order of user ids
 * until the commit, so that two writers cannot deadlock on them and event n+1 commits after event n.
 */
export async function appendEvents(db: Db, pending: PendingEvent[]): Promise<AppendedEvent[]> {
  const userId = pending[0]!.userId
  const rows = pending.every((event) => event.userId === userId)
    ? await appendToOne(db).execute({
        userId,
        count: pending.length,
        events: JSON.stringify(pending.map(({ type, data }) => ({ type, data }))),
      })
    : await appendToMany(db).execute({
        events: JSON.stringify(
          pending.map((event, n) => ({ n, u: event.userId, t: event.type, d: event.data })),
        ),
      })
  return rows
    .map(({ userId, seq, type, data, at, hooked }) => ({ userId, seq: Number(seq), type, data, at, hooked }))
    .sort((a, b) => a.userId - b.userId || a.seq - b.seq)
}

interface AppendedRow {
  userId: number
  seq: string
  type: string
  data: string
  at: string
  hooked: boolean
}

/**
 * Makes a delivery for each webhook that gets an event, in the statement that appends it. It is a CTE after `head`, the rows of
 * the channels, and `logged`, the events.
 */
const queued = sql`
    queued as (
      insert into webhook_deliveries (id, webhook_id, type, event, at, next_attempt_at)
      select gen_random_uuid(), w.id::int, e.type, e.data, e.at, e.at
      from head h join logged e on e.user_id = h.user_id
        cross join lateral jsonb_array_elements_text(h.hooks -> e.type) w(id)
      returning 1
    )`
/**
 * Whether `queued` has rows. One delivery marks all events of the statement, because the mark only wakes the dispatcher.
 */
const hooked = sql`exists (select from queued)`

const appended = sql`
    select user_id as "userId", seq, type, data::text as data, ${rfc3339(sql`at`)} as at, ${hooked} as hooked from logged`

/** For events of one user, as in nearly all transactions. It costs the database a third of `append_to_many`. */
const appendToOne = preparedSql<AppendedRow>(
  'append_to_one',
  sql`
    with head as (
      insert into channels (user_id, last_seq) values (${sql.placeholder('userId')}, ${sql.placeholder('count')})
      on conflict (user_id) do update set last_seq = channels.last_seq + excluded.last_seq
      returning user_id, last_seq, hooks
    ), logged as (
      insert into events (user_id, seq, type, data, at)
      select h.user_id, h.last_seq - ${sql.placeholder('count')}::int + e.n, e.event->>'type', e.event->'data', clock_timestamp()
      from head h, json_array_elements(${sql.placeholder('events')}::text::json) with ordinality as e(event, n)
      returning *
    ), ${queued}
    ${appended}`,
)

const appendToMany = preparedSql<AppendedRow>(
  'append_to_many',
  sql`
    with incoming as (
      select * from json_to_recordset(${sql.placeholder('events')}::text::json) as x(n int, u int, t text, d json)
    ), counts as (
      select u, count(*) as n from incoming group by u order by u
    ), head as (
      insert into channels (user_id, last_seq) select u, n from counts order by u
      on conflict (user_id) do update set last_seq = channels.last_seq + excluded.last_seq
      returning user_id, last_seq, hooks
    ), logged as (
      insert into events (user_id, seq, type, data, at)
      select i.u, h.last_seq - c.n + row_number() over (partition by i.u order by i.n), i.t, i.d, clock_timestamp()
      from incoming i join head h on h.user_id = i.u join counts c on c.u = i.u
      returning *
    ), ${queued}
    ${appended}`,
)

/** In the data of an event: a number that only the statement knows. The statement writes the number in place of this text. */
export function numberInStatement(name: string): number {
  return { toJSON: () => `\0${name}` } as unknown as number
}

/**
 * In the data of an event that `withEvent` appends: the number that its statement gives the new row. A client cannot write
 * the same text, because PostgreSQL stores no U+0000.
 */
export const newId = numberInStatement('id')
const NEW_ID = sql.raw(`'${JSON.stringify(newId)}'`)

/**
 * The end of a statement that makes one row and appends one event: CTEs `head`, `logged`, `queued` and `event` after that of
 * the row. The statement returns `eventColumns`.
 * @param row the name of the CTE that returns the row, or nothing; its `user_id` is the owner of the channel, its `id` is
 * written where the data has `newId`
 */
export const withEvent = (row: string, type: SQLChunk, data: SQLChunk) => sql`
    head as (
      insert into channels (user_id, last_seq) select user_id, 1 from ${sql.raw(row)}
      on conflict (user_id) do update set last_seq = channels.last_seq + excluded.last_seq
      returning user_id, last_seq, hooks
    ), logged as (
      insert into events (user_id, seq, type, data, at)
      select r.user_id, h.last_seq, ${type}, replace(${data}, ${NEW_ID}, r.id::text)::json, clock_timestamp()
      from ${sql.raw(row)} r, head h
      returning *
    ), ${queued}, event as (
      select seq, data::text as data, ${rfc3339(sql`at`)} as at, ${hooked} as hooked from logged
    )`

/** All are null when the statement has made no row. */
export const eventColumns = sql`event.seq as "eventSeq", event.data as "eventData", event.at as "eventAt",
      event.hooked as "eventHooked"`
export interface EventColumns {
  eventSeq: string | null
  eventData: string | null
  eventAt: string | null
  eventHooked: boolean | null
}

/** Undefined when the statement has made no row. */
export const eventOf = (
  row: EventColumns,
  about: Pick<LoggedEvent, 'userId' | 'type'>,
): AppendedEvent | undefined =>
  row.eventSeq === null
    ? undefined
    : {
        ...about,
        seq: Number(row.eventSeq),
        data: row.eventData!,
        at: row.eventAt!,
        hooked: row.eventHooked!,
      }

/** The newest sequence number of a user's channel; 0 before its first event. */
export async function channelHead(ctx: Context, userId: number): Promise<number> {
  const [row] = await headOf(ctx.db).execute({ userId })
  return row?.lastSeq ?? 0
}

const headOf = prepared((db) =>
  db
    .select({ lastSeq: channels.lastSeq })
    .from(channels)
    .where(eq(channels.userId, sql.placeholder('userId')))
    .prepare('channel_head'),
)

/** The newest sequence numbers of many channels. A user without events is absent. */
export async function channelHeads(ctx: Context, userIds: number[]): Promise<Map<number, number>> {
  // One parameter for any number of users: a statement has at most 65,535, and each number would be a statement to prepare.
  const rows = await ctx.db.select().from(channels).where(isOneOf(channels.userId, userIds))
  return new Map(rows.map((row) => [row.userId, row.lastSeq]))
}

/** The events after `afterSeq`, oldest first, at most `limit`. */
export async function readEvents(
  ctx: Context,
  userId: number,
  afterSeq: number,
  limit: number,
): Promise<LoggedEvent[]> {
  return ctx.db
    .select({
      userId: events.userId,
      seq: events.seq,
      type: events.type,
      data: sql<string>`${events.data}::text`,
      at: rfc3339(events.at),
    })
    .from(events)
    .where(and(eq(events.userId, userId), gt(events.seq, afterSeq)))
    .orderBy(asc(events.seq))
    .limit(limit)
}

/** The oldest sequence number in the log; undefined when the log has no event of this user. */
export async function oldestEvent(ctx: Context, userId: number): Promise<number | undefined> {
  const [row] = await ctx.db
    .select({ seq: sql<number | null>`min(${events.seq})::int` })
    .from(events)
    .where(eq(events.userId, userId))
  return row?.seq ?? undefined
}

const KEEP_HOURS = 24
const KEEP_EVENTS = 1000

/** Deletes events older than 24 hours, but none of the last 1,000 events of a user. */
export function trimEvents(ctx: Context): Promise<number> {
  return trim(
    ctx.db,
    events,
    sql`select e.ctid from channels c join events e on e.user_id = c.user_id and e.seq <= c.last_seq - ${KEEP_EVENTS}
      where c.last_seq > ${KEEP_EVENTS} and e.at < now() - make_interval(hours => ${KEEP_HOURS})`,
    'e',
  )
}
