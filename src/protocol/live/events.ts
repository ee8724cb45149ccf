/**
 * Events of the live channel: what happened, with the `data` of each type. An event is a frame `{type, cursor, at, data}`;
 * `cursor` is its position in the user's channel, `at` its time (RFC 3339 in UTC).
 */
import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox'
import { frame } from '../frame.ts'
import { described, Instant, nullable, oneOf, Percent, Uuid } from '../schemas.ts'

const Money = Type.Number({ description: 'With two decimals, of the currency’s major unit.' })
const Params = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]), {
  description: 'The values of the text that the code stands for.',
})
/** @param meaning of the text behind the code */
const Code = (meaning: string) => Type.String({ description: `${meaning} A code.` })

const task = {
  task_id: Uuid,
  id: Type.Integer({ description: 'The number of the task.' }),
  status: oneOf('pending', 'running', 'paused', 'completed', 'failed', 'cancelled'),
  progress: described(Percent, 'Percent.'),
  title: Type.String(),
  attempt: Type.Integer({ minimum: 0, description: 'Grows with every try of the task.' }),
}
const upload = {
  material_id: Type.Optional(Type.Integer({ description: 'Of an upload that makes a material.' })),
  file_id: Type.Optional(Type.String({ description: 'Of a photo, whose title is its file name.' })),
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
const schedule = {
  item_id: Uuid,
  title: Type.String(),
  start_at: described(Instant, 'Of a recurring item: that of its first occurrence. RFC 3339 in UTC.'),
  end_at: nullable(Instant),
  timezone: Type.String({ description: 'A name of the IANA database.' }),
  status: oneOf('active', 'completed', 'cancelled'),
  rrule: described(nullable(Type.String()), 'How the item recurs, as in RFC 5545; null when it does not.'),
}

const reason = {
  reason: Type.Optional(Type.String({ description: 'In the reader’s language.' })),
  reason_code: Type.Optional(Type.String()),
  reason_params: Type.Optional(Params),
}

/** @param description when it happens, for readers of the documentation */
const event = <P extends Record<string, TSchema>>(description: string, data: P) =>
  Type.Object(data, { description })

/** The schema of the `data` of every event type. */
export const EVENTS = {
  'task.created': event('The user has created a task.', task),
  'task.started': event('A node has taken the task, or its owner has started a study task.', {
    ...task,
    gpu_server_id: Type.Optional(described(Uuid, 'The node. A study task has none.')),
  }),
  'task.paused': event('The owner has paused a study task.', task),
  'task.resumed': event('The owner has resumed a study task. Its attempt has grown.', task),
  'task.completed': event('A task has ended well.', {
    ...task,
    result: Type.Record(Type.String(), Type.Unknown(), { description: 'The result of the task.' }),
    result_omitted: Type.Optional(
      Type.Literal(true, { description: 'The result is over 16 KB. Fetch it over REST.' }),
    ),
    cost: Money,
  }),
  'task.failed': event('A task has failed.', {
    ...task,
    error_message: Type.String({ description: 'In the reader’s language.' }),
    failure_code: Type.String({
      description: 'For clients with texts of their own: docs/contracts/factory.md, "Task failures".',
    }),
    failure_params: Params,
    exit_code: described(nullable(Type.Number()), 'Of the program; null when there is none.'),
    cost: Money,
  }),
  'task.cancelled': event('A task has been cancelled. It has a reason when an administrator stopped it.', {
    ...task,
    cost: Money,
    ...reason,
  }),
  'task.requeued': event('A task waits again for a node.', {
    ...task,
    ...reason,
    reason: Type.String({
      description: 'retry when the owner asked for it, otherwise a text in the reader’s language.',
    }),
  }),
  'task.unplaceable': event('No node has offered the type of the task for a time.', {
    ...task,
    task_type: Type.String(),
    available_types: Type.Array(Type.String(), { description: 'Those that nodes offer, at most 100.' }),
  }),
  'task.deleted': event('A task has been deleted.', task),
  'upload.started': event('The server receives a file.', upload),
  'upload.completed': event('The server has the whole file.', {
    ...upload,
    file_size: Type.Integer({ minimum: 0, description: 'Bytes.' }),
  }),
  'upload.failed': event('An upload has failed. Its material does not exist any more.', {
    ...upload,
    reason: Code('Why it failed.'),
  }),
  'thumbnail.completed': event('A material has its thumbnail.', {
    ...material,
    thumbnail_path: Type.String(),
  }),
  'thumbnail.failed': event('The server can make no thumbnail of a material, which has a placeholder.', {
    ...material,
    thumbnail_path: Type.String(),
    reason: Code('Why there is none.'),
  }),
  'photo.created': event('A photo has been created. Also to every user with photo.*.', photo),
  'photo.updated': event('A photo has been changed. Also to every user with photo.*.', photo),
  'photo.deleted': event('A photo has been deleted. Also to every user with photo.*.', {
    photo_id: Type.Integer(),
  }),
  'photo.processed': event(
    'The file of a photo has its renditions, or can have none. Also to every user with photo.*.',
    {
      file_id: Type.String(),
      photo_id: nullable(Type.Integer()),
      status: oneOf('completed', 'failed'),
      reason: described(nullable(Type.String()), 'Why it failed. A code.'),
    },
  ),
  'category.created': event('To every user with category.*: a category has been created.', category),
  'category.updated': event('To every user with category.*: a category has been changed.', category),
  'category.deleted': event('To every user with category.*: a category has been deleted.', {
    category_id: Type.Integer(),
  }),
  'material.hidden': event('A material has been hidden.', material),
  'material.removed': event('A material has been deleted.', material),
  'agent.run_finished': event('An answer of the agent has ended.', {
    session_id: Uuid,
    run_id: Type.String(),
    status: oneOf('completed', 'failed', 'cancelled'),
    error: described(nullable(Type.String()), 'Why it failed. A code.'),
  }),
  'schedule.created': event('A schedule item has been created.', schedule),
  'schedule.updated': event('A schedule item has been changed.', schedule),
  'schedule.deleted': event('A schedule item has been deleted.', { item_id: Uuid }),
  'schedule.reminder': event(
    'An item, or one of its occurrences, begins in reminder_minutes, or sooner when the reminder is late.',
    {
      item_id: Uuid,
      title: Type.String(),
      start_at: Instant,
      end_at: nullable(Instant),
      timezone: schedule.timezone,
      reminder_minutes: Type.Integer({ minimum: 0 }),
    },
  ),
  'balance.changed': event('The balance has changed, or what of it is available.', {
    balance: Money,
    available_balance: Money,
    reason: Type.String({ description: 'hold, release, capture, redemption or adjustment.' }),
  }),
  'balance.low': event('The available balance has fallen below the threshold of the user.', {
    balance: Money,
    available_balance: Money,
    threshold: Money,
  }),
  'ledger.unbalanced': event(
    'To administrators: the hourly check of the ledger has found differences that the check before had not found.',
    { checked_at: Instant, differences: Type.Integer({ minimum: 1 }) },
  ),
  'session.revoked': event('A session of the user has ended.', {
    session_id: Uuid,
    reason: Code('Such as signed_out or password_changed.'),
  }),
  'user.login': event('A user has signed in. Administrators with webhooks get it of every user.', {
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
  'user.updated': event('The account of the user has been changed.', {
    fields: Type.Array(Type.String(), { description: 'The names of the fields.' }),
  }),
  'system.backup': event('To administrators: a backup has ended.', {
    backup_id: Type.Integer(),
    status: oneOf('completed', 'failed'),
    file_name: Type.String(),
    size: described(nullable(Type.Integer()), 'Bytes.'),
    started_at: Instant,
    ended_at: Instant,
    error: described(nullable(Type.String()), 'Why it failed, or what a complete one lacks.'),
  }),
  'gpu.online': event('To every user with node.*: a GPU server is connected.', gpuServer),
  'gpu.offline': event(
    'To every user with node.*: the server has heard nothing of a GPU server for three heartbeats, or an administrator has removed it.',
    gpuServer,
  ),
  'webhook.disabled': event('The server has switched a webhook of the user off.', {
    webhook_id: Type.Integer(),
    reason: Code('Why.'),
  }),
} satisfies Record<string, TObject>

export type EventType = keyof typeof EVENTS
export type EventData<T extends EventType> = Static<(typeof EVENTS)[T]>
export type EventFrame = {
  [T in EventType]: { type: T; cursor: string; at: string; data: EventData<T> }
}[EventType]

const Cursor = Type.String({ description: 'The position of the event in the user’s channel. Opaque.' })

/** The schema of the frame of an event. */
export function eventFrame(type: EventType) {
  const { description = '', ...data } = EVENTS[type]
  return frame(type, description, { cursor: Cursor, at: described(Instant, 'When. RFC 3339 in UTC.'), data })
}
