import { Elysia } from 'elysia'
import { type Authenticated, userOfSession, userOfToken } from '../core/accounts/access-tokens.ts'
import { assertMay, may, type Permission } from '../core/accounts/permissions.ts'
import type { Actor } from '../core/accounts/principals.ts'
import type { Context } from '../core/context.ts'
import { AppError } from '../core/errors.ts'
import { authenticateNode, getNode } from '../core/nodes/nodes.ts'
import type { Node } from '../core/nodes/rows.ts'
import { clientOf } from './client.ts'
import { AUTH, NODE_AUTH } from './openapi/route.ts'

export const bearer = (request: Request): string | undefined =>
  /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]

/** A user who calls with a valid access token. */
interface Caller extends Authenticated {
  principal: Actor
}

/**
 * The caller as they are now: a session may end while the body of its request arrives, so nothing is remembered here.
 * @throws AppError AUTHENTICATION_REQUIRED, INVALID_TOKEN, TOKEN_EXPIRED, INACTIVE_USER
 */
export async function authenticate(ctx: Context, request: Request): Promise<Caller> {
  const token = bearer(request)
  if (!token) throw new AppError('AUTHENTICATION_REQUIRED')
  const user = await userOfToken(ctx, token)
  if (typeof user === 'string') throw new AppError(user)
  return { claims: user.claims, principal: { ...user.principal, client: clientOf(ctx, request) } }
}

/**
 * The principal of a route that anybody may call: undefined without a token. A token that is not valid is an error, not
 * an anonymous call.
 * @throws AppError INVALID_TOKEN, TOKEN_EXPIRED, INACTIVE_USER
 */
export const optionalPrincipal = async (ctx: Context, request: Request): Promise<Actor | undefined> =>
  bearer(request) ? (await authenticate(ctx, request)).principal : undefined

/** A route that a node calls for itself. */
export interface NodeAuth {
  /** The name of the path parameter that holds the node's id. */
  param: string
  /** Users with this permission may call the route for any node. */
  permission: Permission
}

/**
 * What a route declares about its callers. `auth: true` admits every signed-in user, `auth: 'node.create'` users with that
 * permission; the handler gets `principal` and `claims`. `nodeAuth` admits a node, or a user who may act for it; the handler
 * gets `node`.
 */
export const guard = (ctx: Context) =>
  new Elysia({ name: 'guard' }).macro({
    auth: (need: true | Permission) => ({
      detail: { [AUTH]: need } as object,
      ...admission(async ({ request }) => {
        const { principal, claims } = await admitUser(ctx, request, need)
        return { principal, claims }
      }),
    }),
    nodeAuth: ({ param, permission }: NodeAuth) => ({
      detail: { [NODE_AUTH]: permission } as object,
      ...admission(async ({ request, params }) => ({
        node: await admitNode(ctx, request, params[param] ?? '', permission),
      })),
    }),
  })

interface Admitting {
  request: Request
  /** Before they are validated. */
  params: Record<string, string>
}

/**
 * Checks the caller before the input is validated, so that a caller without access learns nothing about the input. Elysia
 * runs only `transform` before it validates, and adds only what `resolve` returns to the handler's call, so the map takes
 * the result from one to the other.
 */
function admission<T extends Record<string, unknown>>(admit: (call: Admitting) => Promise<T>) {
  const admitted = new WeakMap<Request, T>()
  return {
    transform: async ({ request, params }: Admitting) => {
      admitted.set(request, await admit({ request, params }))
    },
    resolve: ({ request }: { request: Request }) => {
      const result = admitted.get(request)
      if (!result) throw new Error('a guarded route runs without its guard')
      return result
    },
  }
}

async function admitUser(ctx: Context, request: Request, need: true | Permission): Promise<Caller> {
  const authenticated = await authenticate(ctx, request)
  if (need !== true) assertMay(authenticated.principal.role, need)
  const { principal } = authenticated
  goingOn.set(request, {
    check: () => assertStillMay(ctx, principal, need),
    watch: (wake) => ctx.services.principals.watch(principal, wake),
  })
  return authenticated
}

/** By request of a signed-in user. */
const goingOn = new WeakMap<
  Request,
  { check: () => Promise<void>; watch: (wake: () => void) => Disposable }
>()

/**
 * Call it while a request takes long, because its session may end, or its user may get another role, after it has begun. The
 * access token may expire meanwhile.
 * @throws AppError INVALID_TOKEN, PERMISSION_DENIED
 */
export const mayGoOn = async (request: Request): Promise<void> => goingOn.get(request)?.check()

/**
 * Waits for something that may take long, such as the client's next bytes, and no longer than the request may go on.
 * @throws AppError as `mayGoOn`, as soon as it is so; the error of `wait`
 */
export async function whileMayGoOn<T>(request: Request, wait: Promise<T>): Promise<T> {
  const going = goingOn.get(request)
  if (!going) return wait
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  wait.then(resolve, reject)
  using _ = going.watch(() => void going.check().catch(reject))
  const result = await promise
  await going.check()
  return result
}

async function assertStillMay(ctx: Context, principal: Actor, need: true | Permission): Promise<void> {
  // A failing database ends no upload: what the upload changes needs the database again.
  const user = await userOfSession(ctx, principal.sessionId).catch(() => principal)
  if (!user) throw new AppError('INVALID_TOKEN')
  if (need !== true) assertMay(user.role, need)
}

async function admitNode(ctx: Context, request: Request, id: string, need: Permission): Promise<Node> {
  const token = bearer(request)
  const node = token ? await authenticateNode(ctx, token) : undefined
  if (node) {
    if (node.uuid !== id.toLowerCase()) throw new AppError('PERMISSION_DENIED')
    return node
  }
  const { principal } = await authenticate(ctx, request)
  if (!may(principal.role, need)) throw new AppError('PERMISSION_DENIED')
  return getNode(ctx, id)
}
