import type { TSchema } from '@sinclair/typebox'
import type { Permission } from '../../core/accounts/permissions.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { LimitClass } from '../../core/rate-limits/request-limits.ts'
import type { DescribedContract } from '../contract.ts'
import type { AnswerHeaders } from './headers.ts'
import type { RequestHeaders } from './request-headers.ts'

/** Who may call a route. `feed`: whoever knows the secret in the address; `node`: a GPU server, for itself. */
export type Access = 'anyone' | 'user' | 'node' | 'feed'

export interface RouteAnswer {
  description: string
  response?: TSchema | undefined
  /** JSON by default. */
  contentType?: string | undefined
  headers?: AnswerHeaders | undefined
  /** Errors of the contract have this status too. Without it the answer stands in place of them. */
  besideErrors?: true
}

/** A body of multipart/form-data, which the handler reads as a stream: text fields and files, in any order. */
export interface MultipartBody {
  /** The name of the file's field. */
  file: string
  /** Whether there may be several files. */
  many?: boolean
  /** The text fields, by name. Only the documentation uses these models; the handler validates the fields. */
  fields: Record<string, TSchema>
}

/** The part of a route's documentation that does not follow from its `auth`, its models and its contract. */
export interface RouteDescription {
  summary: string
  tag: string
  /** Another contract that has the route too. */
  sharedWith?: string
  /** The name of the operation, where the one derived from method and path reads badly. */
  id?: string
  /** The status of success, 200 by default. */
  status?: number
  response?: TSchema
  /** Of the answer of success, JSON by default. */
  contentType?: string
  /** Header fields of the request that the handler reads and that do not follow from the other options. */
  requestHeaders?: RequestHeaders
  /** Header fields of the answer of success that do not follow from the other options. */
  headers?: AnswerHeaders
  /** Answers below 400 have an ETag. To a GET whose If-None-Match names it, the server answers 304. */
  etag?: true
  /** Header fields of the answers to errors that do not follow from their status. */
  errorHeaders?: AnswerHeaders
  /** The answer of success may also come without a body. */
  mayBeEmpty?: true
  /** With `Accept: text/event-stream`, the route answers with a stream of server-sent events. */
  streams?: boolean
  /** A body that the server accepts. By default one is made from the model. */
  example?: Record<string, unknown>
  multipart?: MultipartBody
  /** The media type of a body of plain bytes, which the handler reads as a stream. */
  bytes?: string
  /** By default `user` where the route has `auth`, else `anyone`. */
  access?: Access[]
  /** The class that says how often the route may be called. */
  limit?: LimitClass | undefined
  /** Users who are no administrators may call it in maintenance mode too, although its method is no read. */
  inMaintenance?: true
  /** The errors of this route, besides those that follow from its options. */
  errors?: readonly ErrorCode[]
  /** Messages that the server sends to addresses which a client names by this route: their bodies, by type. */
  sends?: Record<string, TSchema>
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

/** What a mounted route declares; undefined for a route of no contract. */
export const descriptionOf = ({ detail }: { detail?: object }): RouteDescription | undefined =>
  (detail as RouteDetail | undefined)?.[ROUTE]?.description

export interface DescribedRoute {
  method: string
  /** With the base URL, and `:name` for parameters: `/api/tasks/:id`. */
  path: string
  contract: DescribedContract
  description: RouteDescription
  /** What the guard asks of a user. */
  auth: true | Permission | undefined
  /** Whether it takes an `Idempotency-Key`. */
  takesKey: boolean
  body: TSchema | undefined
  query: TSchema | undefined
  params: TSchema | undefined
}
