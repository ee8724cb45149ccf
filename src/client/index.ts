/** Roost's client for browsers, Bun and Node: docs/client.md. */
export type { RestOptions } from './authorized.ts'
export { connect } from './connect.ts'
export { RoostError } from './error.ts'
export type * from './live-client.ts'
export type { ConnectOptions, CursorStore } from './options.ts'
export { dataOf, type Rest, rest } from './rest.ts'
export type { Answer } from './tree.ts'
