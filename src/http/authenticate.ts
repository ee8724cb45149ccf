import { Elysia } from 'elysia'
import { type Authenticated, userOfToken } from '../core/accounts/access-tokens.ts'
import { may, type Permission, permissionDenied } from '../core/accounts/permissions.ts'
import type { Principal } from '../core/accounts/principals.ts'
import type { Context } from '../core/context.ts'
import { AppError } from '../core/errors.ts'
import { AUTH } from './openapi/route.ts'

export type { Authenticated }

export const bearer = (request: Request): string | undefined =>
  /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]

/** @throws AppError AUTHENTICATION_REQUIRED, INVALID_TOKEN, TOKEN_EXPIRED, INACTIVE_USER */
export async function authenticate(ctx: Context, request: Request): Promise<Authenticated> {
  const token = bearer(request)
  if (!token) throw new AppError('AUTHENTICATION_REQUIRED')
  const user = await userOfToken(ctx, token)
  if (typeof user === 'string') throw new AppError(user)
  return user
}

/**
 * For routes that anybody may read: who it is, when a token came along. A token that is not good is an error, not an
 * anonymous reader.
 */
export const optionalPrincipal = async (ctx: Context, request: Request): Promise<Principal | undefined> =>
  bearer(request) ? (await authenticate(ctx, request)).principal : undefined

/**
 * Routes say what they need: `{ auth: true }`, or `{ auth: 'node.create' }` for a permission. The handler then has
 * `principal` and `claims`. Checked before the input is validated: a stranger learns nothing about it.
 */
export const guard = (ctx: Context) =>
  new Elysia({ name: 'guard' }).macro({
    auth: (need: true | Permission) => ({
      detail: { [AUTH]: need } as object,
      // Only `resolve` can add to the handler's context, and only `transform` runs before validation.
      transform: async ({ request }) => {
        admitted.set(request, await admit(ctx, request, need))
      },
      resolve: ({ request }) => {
        const { principal, claims } = admitted.get(request)!
        return { principal, claims }
      },
    }),
  })

const admitted = new WeakMap<Request, Authenticated>()

async function admit(ctx: Context, request: Request, need: true | Permission): Promise<Authenticated> {
  const authenticated = await authenticate(ctx, request)
  const { role } = authenticated.principal
  if (need !== true && !may(role, need)) throw permissionDenied(need, role)
  return authenticated
}
