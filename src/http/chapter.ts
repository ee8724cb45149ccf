/**
 * How a contract's routes are declared. A chapter is a table: each route has its path, a named handler, and all that
 * its documentation needs.
 */
import type { StaticDecode, TOptional, TSchema } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import type { Permission } from '../core/accounts/permissions.ts'
import type { Principal } from '../core/accounts/principals.ts'
import type { AccessClaims, Context } from '../core/context.ts'
import { ERRORS, type ErrorCode } from '../core/errors/catalogue.ts'
import type { Node } from '../core/nodes/nodes.ts'
import { guard, type NodeAuth } from './authenticate.ts'
import type { Contract } from './contract.ts'
import type { Access, RouteDescription, RouteDetail } from './openapi/route.ts'
import { asTyped, hasTyped } from './typed.ts'

/** What a handler can use of its request. */
export interface Call<C extends Context = Context> {
  ctx: C
  request: Request
  server: Bun.Server<unknown> | null
  set: { status?: number | string; headers: Record<string, string | number | undefined> }
}

/** The call of a route that has `auth`. */
export interface SignedCall<C extends Context = Context> extends Call<C> {
  principal: Principal
  claims: AccessClaims
}

/** The call of a route that has `nodeAuth`. */
export interface NodeCall<C extends Context = Context> extends Call<C> {
  node: Node
}

export type Params<T extends TSchema> = { params: StaticDecode<T> }
export type Query<T extends TSchema> = { query: StaticDecode<T> }
/** The body is null when the model is optional and the client sent none. */
export type Body<T extends TSchema> = {
  body: StaticDecode<T> | (T extends TOptional<TSchema> ? null : never)
}

/** Every route with `auth`, with a body or at all can answer these, so no route names them. */
type ImpliedError =
  | 'AUTHENTICATION_REQUIRED'
  | 'INVALID_TOKEN'
  | 'TOKEN_EXPIRED'
  | 'PAYLOAD_TOO_LARGE'
  | 'DATABASE_UNAVAILABLE'
  | 'INTERNAL'

export interface RouteOptions extends Omit<RouteDescription, 'tag' | 'errors'> {
  /** `true`: any signed-in user; a permission: users whose role has it. Without it, anybody may call the route. */
  auth?: true | Permission
  /** The node itself, or a user who may act for it, in place of `auth`. */
  nodeAuth?: NodeAuth
  params?: TSchema
  query?: TSchema
  body?: TSchema
  /** What the route answers beside the implied errors. */
  errors?: readonly Exclude<ErrorCode, ImpliedError>[]
}

type Hook<O> = Pick<O, Extract<keyof O, 'auth' | 'nodeAuth' | 'params' | 'query' | 'body'>> & {
  detail: RouteDetail
}

/**
 * The routes of one chapter of a contract.
 * @param tag of the chapter in the documentation
 */
export function chapter(contract: Contract, tag: string) {
  return {
    /** An empty table for routes under `prefix`. Its handlers have `ctx`, and `principal` where the route has `auth`. */
    routes: <C extends Context, const P extends string = ''>(ctx: C, prefix: P = '' as P) =>
      new Elysia({ prefix }).use(guard(ctx)).decorate('ctx', ctx),

    /** What stands behind a path and its handler. */
    route<const O extends RouteOptions>(options: O): Hook<O> {
      const { auth, nodeAuth, params, query, body, ...description }: RouteOptions = options
      const errors = [...impliedErrors(options), ...(options.errors ?? [])]
      const access: Access[] | undefined = nodeAuth && ['user', 'node']
      const hook = {
        auth,
        nodeAuth,
        params,
        query,
        body,
        parse: description.multipart && leaveUnread,
        transform: query && hasTyped(query) ? typedQuery(query) : undefined,
        detail: contract.describe({ ...(access && { access }), ...description, tag, errors }),
      }
      return Object.fromEntries(Object.entries(hook).filter(([, value]) => value !== undefined)) as Hook<O>
    },
  }
}

/**
 * Leaves the body of a request to its handler, which reads it as a stream: parsed before, a video would be in memory several
 * times over. The option `'none'` does not do this, because Elysia takes it for a parser's name where the server has a parser
 * for all routes.
 */
const leaveUnread = () => null

/** Brings a query into the forms that its model names. The server does the same with a body when it parses it. */
const typedQuery =
  (model: TSchema) =>
  ({ query }: { query: unknown }) =>
    void asTyped(model, query)

/**
 * The errors that follow from a route's options. The row that a path names may not exist; a route with a not-found error of
 * its own answers with that one.
 */
function impliedErrors({ nodeAuth, params, errors = [] }: RouteOptions): ErrorCode[] {
  const implied: ErrorCode[] = nodeAuth ? ['PERMISSION_DENIED'] : []
  const hasNotFound = errors.some((code) => ERRORS[code].kind === 'not_found')
  return params && !hasNotFound ? [...implied, 'NOT_FOUND'] : implied
}
