import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js'
import type { Actor } from '../core/accounts/principals.ts'
import type { Language } from '../core/messages.ts'

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
