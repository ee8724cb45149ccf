import { userOfSession, userOfToken } from '../../core/accounts/access-tokens.ts'
import type { Principal } from '../../core/accounts/principals.ts'
import type { Context } from '../../core/context.ts'

/** Who reads a channel, and until when. */
export interface SignIn {
  principal: Principal
  /** When the access token ends, in ms since the epoch. Clients see this one. */
  expiresAt: number
  /** The same on the monotonic clock. The server ends the socket by this one. */
  endsAt: number
}

/** @param expiresAt when the access token ends, in ms since the epoch */
export const signInUntil = (principal: Principal, expiresAt: number): SignIn => ({
  principal,
  expiresAt,
  endsAt: performance.now() + expiresAt - Date.now(),
})

/** @returns undefined when the access token is not valid or its session has ended */
export async function signInByToken(ctx: Context, token: string): Promise<SignIn | undefined> {
  const user = await userOfToken(ctx, token)
  return typeof user === 'string' ? undefined : signInUntil(user.principal, user.claims.expiresAt * 1000)
}

/**
 * @param expiresAt when the access token ends, in ms since the epoch
 * @returns undefined when the session has ended
 */
export async function signInToSession(
  ctx: Context,
  sessionId: string,
  expiresAt: number,
): Promise<SignIn | undefined> {
  const principal = await userOfSession(ctx, sessionId)
  return principal && signInUntil(principal, expiresAt)
}

/** The same sign-in with the newest data of its user; undefined when the session has ended. */
export async function renewSignIn(ctx: Context, old: SignIn): Promise<SignIn | undefined> {
  const principal = await userOfSession(ctx, old.principal.sessionId)
  return principal && { ...old, principal }
}
