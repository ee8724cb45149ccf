import { jwt } from '@elysiajs/jwt'
import { LRUCache } from 'lru-cache'
import type { AccessClaims, TokenCodec } from '../core/context.ts'
import { UUID } from '../util/ids.ts'

const ISSUER = 'roost'
const REMEMBERED = 20_000

/**
 * Access tokens as JWTs, signed with HS256. The codec remembers verified tokens, so that a client's next request costs a
 * look-up in a map instead of a signature. It does not know whether the session still exists; `userOfToken` checks that for
 * every request.
 */
export function createTokenCodec(secret: string): TokenCodec {
  const codec = jwt({ secret, alg: 'HS256', iss: ISSUER }).decorator.jwt
  const remembered = new LRUCache<string, AccessClaims>({ max: REMEMBERED })
  return {
    // Without `jti`, two tokens that a session gets within one second could be equal (RFC 7519, 4.1.7). A client whose token
    // is refused asks for another one, and would get the same again.
    sign: ({ userId, sessionId, expiresAt }) =>
      codec.sign({ sub: String(userId), sid: sessionId, exp: expiresAt, jti: crypto.randomUUID() }),
    async verify(token) {
      const known = remembered.get(token)
      if (known) return known
      const payload = await codec.verify(token, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        // Also verifies an expired token, so that callers can tell it from a forged one.
        currentDate: new Date(0),
      })
      if (!payload || !UUID.test(String(payload.sid)) || typeof payload.exp !== 'number') return undefined
      const claims = { userId: Number(payload.sub), sessionId: String(payload.sid), expiresAt: payload.exp }
      remembered.set(token, claims)
      return claims
    },
  }
}
