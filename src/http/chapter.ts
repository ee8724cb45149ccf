/**
 * How a contract declares its routes. A chapter is a table: each route has a path, a named handler, and options from which
 * its checks and its documentation follow.
 */
import type { StaticDecode, TOptional, TSchema } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import type { Permission } from '../core/accounts/permissions.ts'
import type { Actor } from '../core/accounts/principals.ts'
import type { AccessClaims, Context } from '../core/context.ts'
import { ERRORS, type ErrorCode } from '../core/errors/catalogue.ts'
import type { Node } from '../core/nodes/rows.ts'
import type { LimitClass } from '../core/rate-limits/request-limits.ts'
import { guard, type NodeAuth } from './authenticate.ts'
import type { Contract } from './contract.ts'
import type { Access, RouteDescription, RouteDetail } from './openapi/route.ts'
import { asTyped, hasTyped } from './typed.ts'

/** The parts of a request that a handler can use. */
export interface Call<C extends Context = Context> {
  ctx: C
  request: Request
  server: Bun.Server<unknown> | null
  set: { status?: number | string; headers: Record<string, string | number | undefined> }
}

/** The call of a route that has `auth`. */
export interface SignedCall<C extends Context = Context> extends Call<C> {
  principal: Actor
  claims: AccessClaims
}

/** The call of a route that has `nodeAuth`. */
export interface NodeCall<C extends Context = Context> extends Call<C> {
  node: Node
}

export type Params<T extends TSchema> = { params: StaticDecode<T> }
export type Query<T extends TSchema> = { query: StaticDecode<T> }
/** `body` is null when its model is optional and the client sends no body. */
export type Body<T extends TSchema> = {
  body: StaticDecode<T> | (T extends TOptional<TSchema> ? null : never)
}

/** Errors of every route with `auth`, of every route with a body, of every write, or of every route. No route names them. */
type ImpliedError =
  | 'AUTHENTICATION_REQUIRED'
  | 'INVALID_TOKEN'
  | 'TOKEN_EXPIRED'
  | 'PAYLOAD_TOO_LARGE'
  | 'MAINTENANCE'
  | 'DATABASE_UNAVAILABLE'
  | 'INTERNAL'

export interface RouteOptions extends Omit<RouteDescription, 'tag' | 'sharedWith' | 'errors'> {
  /** `true` admits every signed-in user, a permission the users whose role has it. Without `auth`, anybody may call. */
  auth?: true | Permission
  /** In place of `auth`: admits the node itself, or a user who may act for it. */
  nodeAuth?: NodeAuth
  params?: TSchema
  query?: TSchema
  body?: TSchema
  /** The errors of the route that do not follow from its other options. */
  errors?: readonly Exclude<ErrorCode, ImpliedError>[]
}

interface ChapterOptions {
  limit?: LimitClass | undefined
  sharedWith?: Contract
}

type Hook<O> = Pick<O, Extract<keyof O, 'auth' | 'nodeAuth' | 'params' | 'query' | 'body'>> & {
  detail: RouteDetail
}

/**
 * The routes of one chapter of a contract.
 * @param tag the name of the chapter in the documentation
 * @param limit the class of its routes, unless a route has another one; by default that of the contract
 * @param sharedWith another contract that has these routes too
 */
export function chapter(
  contract: Contract,
  tag: string,
  { limit = contract.limit, sharedWith }: ChapterOptions = {},
) {
  return {
    /** An empty table of routes under `prefix`. Its handlers get `ctx`, and `principal` where the route has `auth`. */
    routes: <C extends Context, const P extends string = ''>(ctx: C, prefix: P = '' as P) =>
      new Elysia({ prefix }).use(guard(ctx)).decorate('ctx', ctx),

    /** The third argument of a route: what it asks of a request, and its documentation. */
    route<const O extends RouteOptions>(options: O): Hook<O> {
      const { auth, nodeAuth, params, query, body, ...description }: RouteOptions = options
      const { status } = description
      const limited = { limit, ...(sharedWith && { sharedWith: sharedWith.name }), ...description }
      const errors = [...impliedErrors(limited.limit, options), ...(options.errors ?? [])]
      const access: Access[] | undefined = nodeAuth && ['user', 'node']
      const hook = {
        auth,
        nodeAuth,
        params,
        query,
        body,
        parse: (description.multipart || description.bytes) && leaveUnread,
        transform: query && hasTyped(query) ? typedQuery(query) : undefined,
        beforeHandle: status && successStatus(status),
        detail: contract.describe({ ...(access && { access }), ...limited, tag, errors }),
      }
      return Object.fromEntries(Object.entries(hook).filter(([, value]) => value !== undefined)) as Hook<O>
    },
  }
}

/**
 * Leaves the body of a request to its handler, which reads it as a stream. Elysia's parser would hold a video in memory
 * several times. The option `'none'` does not do this, because Elysia takes it for a parser's name where the server has a
 * parser for all routes.
 */
const leaveUnread = () => null

/** Sets the status that a handler's answer has unless the handler sets another one. Elysia gives errors their own status. */
const successStatus =
  (status: number) =>
  ({ set }: Pick<Call, 'set'>) => {
    set.status = status
  }

/** Brings a query into the forms that its model names. The server does the same with a body when it parses it. */
const typedQuery =
  (model: TSchema) =>
  ({ query }: { query: unknown }) =>
    void asTyped(model, query)

/**
 * The errors that follow from a route's options. The row that a path names may not exist: then a route answers with the
 * not-found error that it names, or with NOT_FOUND.
 */
function impliedErrors(
  limit: LimitClass | undefined,
  { nodeAuth, params, errors = [] }: RouteOptions,
): ErrorCode[] {
  const implied: ErrorCode[] = nodeAuth ? ['PERMISSION_DENIED'] : []
  if (limit) implied.push('RATE_LIMITED')
  const hasNotFound = errors.some((code) => ERRORS[code].kind === 'not_found')
  return params && !hasNotFound ? [...implied, 'NOT_FOUND'] : implied
}
