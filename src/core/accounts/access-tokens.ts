import type { AccessClaims, Context } from '../context.ts'
import type { Principal } from './principals.ts'

/** A user with a valid access token. */
export interface Authenticated {
  principal: Principal
  claims: AccessClaims
}

/**
 * Finds the user of an access token.
 * @returns the code of an error when the token or its session is not valid
 */
export async function userOfToken(
  { tokens, services: { principals, lastSeen } }: Context,
  token: string,
): Promise<Authenticated | 'INVALID_TOKEN' | 'TOKEN_EXPIRED' | 'INACTIVE_USER'> {
  const claims = await tokens.verify(token)
  if (!claims) return 'INVALID_TOKEN'
  if (claims.expiresAt * 1000 <= Date.now()) return 'TOKEN_EXPIRED'
  const session = principals.peek(claims.sessionId) ?? (await principals.load(claims.sessionId))
  if (session.status === 'active') {
    lastSeen.mark(claims.sessionId)
    return { principal: session.principal, claims }
  }
  return session.status === 'inactive' ? 'INACTIVE_USER' : 'INVALID_TOKEN'
}

/** @returns the user of a session as they are now; undefined when the session has ended */
export async function userOfSession(
  { services }: Context,
  sessionId: string,
): Promise<Principal | undefined> {
  const session = await services.principals.load(sessionId)
  return session.status === 'active' ? session.principal : undefined
}
