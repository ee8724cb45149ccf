import { jwt } from '@elysiajs/jwt'
import type { AccessClaims, TokenCodec } from '../core/context.ts'
import { UUID } from '../util/ids.ts'
import { Lru } from '../util/lru.ts'

const ISSUER = 'roost'
const REMEMBERED = 20_000

/**
 * Access tokens as JWTs, HS256 and nothing else. A verified token is remembered, so that a client's next request costs
 * a map look-up instead of a signature; whether its session still stands is asked elsewhere, every time.
 */
export function createTokenCodec(secret: string): TokenCodec {
  const codec = jwt({ secret, alg: 'HS256', iss: ISSUER }).decorator.jwt
  const remembered = new Lru<string, AccessClaims>(REMEMBERED)
  return {
    sign: ({ userId, sessionId, expiresAt }) =>
      codec.sign({ sub: String(userId), sid: sessionId, exp: expiresAt }),
    async verify(token) {
      const known = remembered.get(token)
      if (known) return known
      const payload = await codec.verify(token, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        // An expired token is returned too: callers tell it from a false one.
        currentDate: new Date(0),
      })
      if (!payload || !UUID.test(String(payload.sid)) || typeof payload.exp !== 'number') return undefined
      const claims = { userId: Number(payload.sub), sessionId: String(payload.sid), expiresAt: payload.exp }
      remembered.set(token, claims)
      return claims
    },
  }
}
