import type { TSchema } from '@sinclair/typebox'
import type { Permission } from '../../core/accounts/permissions.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { DescribedContract } from '../contract.ts'

/** Who may call a route: `feed` by the secret in its address, `node` a GPU server for itself. */
export type Access = 'anyone' | 'user' | 'node' | 'feed'

export interface RouteAnswer {
  description: string
  response?: TSchema
  /** JSON unless given. */
  contentType?: string
}

/** A body of multipart/form-data, which its handler reads as a stream: text fields and one file, in any order. */
export interface MultipartBody {
  /** Name of the field of the file. */
  file: string
  /** The text fields, by name. They are documented; the handler checks them. */
  fields: Record<string, TSchema>
}

/** What only the author of a route knows; all else follows from its `auth`, its models and its contract. */
export interface RouteDescription {
  summary: string
  tag: string
  /** Name of a client's function, where the one derived from method and path reads badly. */
  id?: string
  /** Status of success, 200 unless given. */
  status?: number
  response?: TSchema
  /** Of success, JSON unless given. */
  contentType?: string
  /** With "Accept: text/event-stream", success is a stream of server-sent events. */
  streams?: boolean
  /** A body that the server accepts. Unless given, one is made from the model. */
  example?: Record<string, unknown>
  multipart?: MultipartBody
  /** Unless given, users where the route has `auth`, else anyone. */
  access?: Access[]
  /** The codes that this route answers with, besides those that follow. */
  errors?: readonly ErrorCode[]
  /** Answers that are neither the success nor an error of the contract, by status. */
  answers?: Record<number, RouteAnswer>
}

/** Keys of `detail` that hold what the guard and the route declare. The document does not show them as they are. */
export const ROUTE = 'x-route'
export const AUTH = 'x-auth'
export const NODE_AUTH = 'x-node-auth'

export interface RouteDetail {
  summary: string
  tags: string[]
  [ROUTE]: { contract: DescribedContract; description: RouteDescription }
}

export interface DescribedRoute {
  method: string
  /** As it was mounted: `/api/tasks/:id`. */
  path: string
  contract: DescribedContract
  description: RouteDescription
  /** What the guard asks for. */
  auth: true | Permission | undefined
  body: TSchema | undefined
  query: TSchema | undefined
  params: TSchema | undefined
}
