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
import { guard } from './authenticate.ts'
import type { Contract } from './contract.ts'
import type { RouteDescription, RouteDetail } from './openapi/route.ts'
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

export type Params<T extends TSchema> = { params: StaticDecode<T> }
export type Query<T extends TSchema> = { query: StaticDecode<T> }
/** The body is null when the model is optional and the client sent none. */
export type Body<T extends TSchema> = {
  body: StaticDecode<T> | (T extends TOptional<TSchema> ? null : never)
}

/** Errors that follow from `auth`, from the schemas, or from having a server at all. A route does not name them. */
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
  params?: TSchema
  query?: TSchema
  body?: TSchema
  /** What the route answers beside the implied errors. */
  errors?: readonly Exclude<ErrorCode, ImpliedError>[]
}

type Hook<O> = Pick<O, Extract<keyof O, 'auth' | 'params' | 'query' | 'body'>> & {
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
      const { auth, params, query, body, errors = [], ...description }: RouteOptions = options
      const hook = {
        auth,
        params,
        query,
        body,
        parse: description.multipart && leaveUnread,
        transform: query && hasTyped(query) ? typedQuery(query) : undefined,
        detail: contract.describe({ ...description, tag, errors: [...impliedBy(params, errors), ...errors] }),
      }
      return Object.fromEntries(Object.entries(hook).filter(([, value]) => value !== undefined)) as Hook<O>
    },
  }
}

/**
 * The parser of a body that its handler reads as a stream: parsed here, a video would be in memory several times over.
 * The option `'none'` does not do: where a server has a parser for all routes, Elysia takes it for a parser's name.
 */
const leaveUnread = () => null

/** The body of a request is brought into the forms that its model names when it is parsed; a query has no parser. */
const typedQuery =
  (model: TSchema) =>
  ({ query }: { query: unknown }) =>
    void asTyped(model, query)

/** What a path names may not exist. A route with a not-found error of its own answers with that one. */
function impliedBy(params: TSchema | undefined, errors: readonly ErrorCode[]): ErrorCode[] {
  const isOwn = errors.some((code) => ERRORS[code].kind === 'not_found')
  return params && !isOwn ? ['NOT_FOUND'] : []
}
