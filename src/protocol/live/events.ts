/**
 * Events of the live channel: what happened, with the `data` of each type. An event is a frame `{type, cursor, at, data}`;
 * `cursor` is its position in the user's channel, `at` its time (RFC 3339 in UTC).
 */
import { type Static, type TObject, Type } from '@sinclair/typebox'
import { Instant, nullable, oneOf, Percent, Uuid } from '../schemas.ts'

/** A number with two decimals, of the currency's major unit. */
const Money = Type.Number()
const Params = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]))

const task = {
  task_id: Uuid,
  id: Type.Integer(),
  status: oneOf('pending', 'running', 'paused', 'completed', 'failed', 'cancelled'),
  progress: Percent,
  title: Type.String(),
  attempt: Type.Integer({ minimum: 0 }),
}
/** An upload has `material_id` when it makes a material, and `file_id` when it is a photo; `title` is its file name then. */
const upload = {
  material_id: Type.Optional(Type.Integer()),
  file_id: Type.Optional(Type.String()),
  title: Type.String(),
  type: oneOf('video', 'pdf', 'photo'),
  file_format: Type.String(),
}
const photo = {
  photo_id: Type.Integer(),
  file_id: Type.String(),
  title: Type.String(),
  slug: Type.String(),
  status: oneOf('published', 'draft', 'archived'),
  visibility: oneOf('public', 'private'),
}
/** Of a session. Unknown texts are empty. */
const device = {
  browser: Type.String(),
  browser_version: Type.String(),
  os: Type.String(),
  os_version: Type.String(),
  type: oneOf('desktop', 'mobile', 'tablet', 'tv', 'bot', 'unknown'),
}
const category = {
  category_id: Type.Integer(),
  name: Type.String(),
  slug: Type.String(),
  parent_id: nullable(Type.Integer()),
  is_active: Type.Boolean(),
}
const gpuServer = { server_id: Uuid, name: Type.String() }
const material = { material_id: Type.Integer() }
/** A recurring item as a whole: its start and end are those of the first occurrence. */
const schedule = {
  item_id: Uuid,
  title: Type.String(),
  start_at: Instant,
  end_at: nullable(Instant),
  timezone: Type.String(),
  status: oneOf('active', 'completed', 'cancelled'),
  rrule: nullable(Type.String()),
}

/** A text in the reader's language, with its code. */
const reason = {
  reason: Type.Optional(Type.String()),
  reason_code: Type.Optional(Type.String()),
  reason_params: Type.Optional(Params),
}

/** The schema of the `data` of every event type. */
export const EVENTS = {
  'task.created': Type.Object(task),
  /** A study task has no `gpu_server_id`. */
  'task.started': Type.Object({ ...task, gpu_server_id: Type.Optional(Uuid) }),
  'task.paused': Type.Object(task),
  'task.resumed': Type.Object(task),
  /** `result_omitted`: the result is too large for an event; REST has it. */
  'task.completed': Type.Object({
    ...task,
    result: Type.Record(Type.String(), Type.Unknown()),
    result_omitted: Type.Optional(Type.Literal(true)),
    cost: Money,
  }),
  /** `error_message` is in the reader's language; with the code and its parameters a client can make a text of its own. */
  'task.failed': Type.Object({
    ...task,
    error_message: Type.String(),
    failure_code: Type.String(),
    failure_params: Params,
    exit_code: nullable(Type.Number()),
    cost: Money,
  }),
  /** The reason is there when an administrator stopped the task. */
  'task.cancelled': Type.Object({ ...task, cost: Money, ...reason }),
  /** `reason` is `retry` when the owner asked for it; otherwise it is a text in the reader's language, with its code. */
  'task.requeued': Type.Object({
    ...task,
    ...reason,
    reason: Type.String(),
  }),
  /** No node has offered the task's type for a time. `available_types`: those that nodes offer, at most 100. */
  'task.unplaceable': Type.Object({
    ...task,
    task_type: Type.String(),
    available_types: Type.Array(Type.String()),
  }),
  'task.deleted': Type.Object(task),
  'upload.started': Type.Object(upload),
  'upload.completed': Type.Object({ ...upload, file_size: Type.Integer({ minimum: 0 }) }),
  /** The material no longer exists. `reason` is an error code. */
  'upload.failed': Type.Object({ ...upload, reason: Type.String() }),
  'thumbnail.completed': Type.Object({ ...material, thumbnail_path: Type.String() }),
  /** The thumbnail is a placeholder. `reason` is a code. */
  'thumbnail.failed': Type.Object({ ...material, thumbnail_path: Type.String(), reason: Type.String() }),
  'photo.created': Type.Object(photo),
  'photo.updated': Type.Object(photo),
  'photo.deleted': Type.Object({ photo_id: Type.Integer() }),
  /** The file has its renditions, or can have none. `reason` is a code when it failed. */
  'photo.processed': Type.Object({
    file_id: Type.String(),
    photo_id: nullable(Type.Integer()),
    status: oneOf('completed', 'failed'),
    reason: nullable(Type.String()),
  }),
  'category.created': Type.Object(category),
  'category.updated': Type.Object(category),
  'category.deleted': Type.Object({ category_id: Type.Integer() }),
  'material.hidden': Type.Object(material),
  'material.removed': Type.Object(material),
  /** `error` is a code when the run failed. */
  'agent.run_finished': Type.Object({
    session_id: Uuid,
    run_id: Type.String(),
    status: oneOf('completed', 'failed', 'cancelled'),
    error: nullable(Type.String()),
  }),
  'schedule.created': Type.Object(schedule),
  'schedule.updated': Type.Object(schedule),
  'schedule.deleted': Type.Object({ item_id: Uuid }),
  /** An item, or one of its occurrences, begins in `reminder_minutes`, or sooner when the reminder is late. */
  'schedule.reminder': Type.Object({
    item_id: Uuid,
    title: Type.String(),
    start_at: Instant,
    end_at: nullable(Instant),
    timezone: Type.String(),
    reminder_minutes: Type.Integer({ minimum: 0 }),
  }),
  'balance.changed': Type.Object({ balance: Money, available_balance: Money, reason: Type.String() }),
  /** The available balance has fallen below the user's threshold. */
  'balance.low': Type.Object({ balance: Money, available_balance: Money, threshold: Money }),
  /** The hourly check has found differences that the check before had not found. */
  'ledger.unbalanced': Type.Object({ checked_at: Instant, differences: Type.Integer({ minimum: 1 }) }),
  'session.revoked': Type.Object({ session_id: Uuid, reason: Type.String() }),
  /** A user has signed in. Administrators with webhooks get it of every user. */
  'user.login': Type.Object({
    id: Type.Integer(),
    username: Type.String(),
    email: Type.String(),
    role: oneOf('super_admin', 'admin', 'editor', 'user'),
    display_name: Type.String(),
    avatar_url: nullable(Type.String()),
    session_id: Uuid,
    ip: Type.String(),
    device: Type.Object(device),
  }),
  'user.updated': Type.Object({ fields: Type.Array(Type.String()) }),
  /** A backup has ended. `error` says why it failed, or what a complete one lacks. */
  'system.backup': Type.Object({
    backup_id: Type.Integer(),
    status: oneOf('completed', 'failed'),
    file_name: Type.String(),
    size: nullable(Type.Integer()),
    started_at: Instant,
    ended_at: Instant,
    error: nullable(Type.String()),
  }),
  'gpu.online': Type.Object(gpuServer),
  /** The server has heard nothing of it for three heartbeats, or an administrator has removed it. */
  'gpu.offline': Type.Object(gpuServer),
  /** `reason` is a code. */
  'webhook.disabled': Type.Object({ webhook_id: Type.Integer(), reason: Type.String() }),
} satisfies Record<string, TObject>

export type EventType = keyof typeof EVENTS
export type EventData<T extends EventType> = Static<(typeof EVENTS)[T]>
export type EventFrame = {
  [T in EventType]: { type: T; cursor: string; at: string; data: EventData<T> }
}[EventType]
