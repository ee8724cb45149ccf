import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import type { Actor } from '../core/accounts/principals.ts'
import type { Language } from '../core/messages.ts'
import type { Limit } from '../core/rate-limits/rate-limits.ts'

/** The HTTP request that carries a message of a client. */
export interface McpCall {
  who: Actor
  language: Language
  request: Request
}

/** The SDK hands a request's call to the handlers of its messages as information about its sign-in. */
export const authInfoOf = (call: McpCall): AuthInfo => ({
  // The handlers need no token.
  token: '',
  clientId: '',
  scopes: [],
  extra: { call },
})

export const callOf = ({ authInfo }: { authInfo?: AuthInfo }): McpCall => authInfo!.extra!.call as McpCall

/** Of one user. A request has several messages when it is a batch, which old versions of MCP have. */
export const limitOf = (what: 'requests' | 'messages', { userId }: Pick<Actor, 'userId'>): Limit => ({
  policy: `mcp-${what}`,
  key: String(userId),
  max: 300,
  windowMs: 60_000,
})
