/** Roost's client for browsers, Bun and Node: docs/client.md. */
export type { EventData, EventType } from '../protocol/live/events.ts'
export type { ResyncReason } from '../protocol/live/server-frames.ts'
export type {
  ClusterUpdateData,
  GpuUsage,
  NodeUpdateData,
  PhotoUploadUpdateData,
  SystemLogFrame,
  SystemUpdateData,
  TaskLogFrame,
  TaskStatusData,
  TaskUpdateData,
  UploadUpdateData,
  WatermarkUpdateData,
} from '../protocol/live/topics.ts'
export type { RestOptions } from './authorized.ts'
export { connect } from './connect.ts'
export { errorOf, RoostError, unanswered } from './error.ts'
export type * from './live-client.ts'
export type { ConnectOptions, CursorStore } from './options.ts'
export { dataOf, type Rest, rest } from './rest.ts'
export { type Credentials, Session, type SessionEnd, type SessionOptions, type SignedIn } from './session.ts'
export {
  localStorageStore,
  memoryStore,
  type SessionStore,
  type StoredSession,
} from './session-store.ts'
export { connectTabs } from './tabs.ts'
export type { Answer } from './tree.ts'
