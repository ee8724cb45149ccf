import { Elysia } from 'elysia'
import type { Context } from '../core/context.ts'
import { AppError } from '../core/errors.ts'
import { preferredLanguage } from '../core/language.ts'
import { enforceLimits } from '../core/rate-limits/rate-limits.ts'
import { guard } from '../http/authenticate.ts'
import type { SignedCall } from '../http/chapter.ts'
import { withHeaders } from '../http/openapi/headers.ts'
import { headerParameters } from '../http/openapi/request-headers.ts'
import { PROBLEM_JSON } from '../http/problem.ts'
import type { Origins } from '../util/origins.ts'
import { limitOf } from './call.ts'
import { McpSessions } from './sessions.ts'

const problemOf = (description: string) => ({
  description,
  content: { [PROBLEM_JSON]: { schema: { type: 'object' as const } } },
})

/** An error of MCP itself, as JSON-RPC. */
const errorOf = (description: string) => ({
  description,
  content: { 'application/json': { schema: { type: 'object' as const } } },
})

const COMMON = {
  tags: ['operations'],
  security: [{ bearerAuth: [] }],
}

const ERRORS = {
  400: errorOf('No message of MCP, or no session'),
  401: problemOf('No valid access token'),
  403: problemOf('A page of another origin, or a deactivated user'),
  404: errorOf('The session has ended'),
  429: problemOf('Too many requests'),
  500: problemOf('An error of the server'),
  503: problemOf('The database is away, or maintenance'),
}

const SEND = {
  ...COMMON,
  summary: 'Send a message of MCP: the tools of the agent, for assistants',
  parameters: headerParameters({ 'MCP-Session-Id': 'optional', 'MCP-Protocol-Version': 'optional' }),
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: { type: 'object' as const },
        example: {
          jsonrpc: '2.0',
          id: 1,
          method: 'initialize',
          params: {
            protocolVersion: '2025-11-25',
            capabilities: { elicitation: {} },
            clientInfo: { name: 'my-assistant', version: '1.0' },
          },
        },
      },
    },
  },
  responses: {
    200: withHeaders(
      {
        description: 'The answer, and before it questions to the user, as server-sent events',
        content: { 'text/event-stream': { schema: { type: 'string' as const } } },
      },
      { 'MCP-Session-Id': 'sometimes' },
    ),
    202: { description: 'The message needs no answer' },
    ...ERRORS,
    406: errorOf('The client does not accept JSON and server-sent events'),
    413: errorOf('A message of more than 1 MB'),
    415: errorOf('A message that is no JSON'),
  },
}

const END = {
  ...COMMON,
  summary: 'End a session of MCP',
  parameters: headerParameters({ 'MCP-Session-Id': 'required', 'MCP-Protocol-Version': 'optional' }),
  responses: { 200: { description: 'It has ended' }, ...ERRORS },
}

/** `/mcp`: the agent's tools for assistants, over MCP's streamable HTTP (docs/mcp.md). */
export function mcpRoutes(ctx: Context, origins: Origins) {
  const sessions = new McpSessions(ctx)
  const handle = async ({ request, principal }: Pick<SignedCall, 'request' | 'principal'>) => {
    // Pages of other origins, as on the sockets: MCP asks for it.
    if (!origins.allows(request)) throw new AppError('PERMISSION_DENIED')
    await enforceLimits(ctx, [limitOf('requests', principal)])
    const language = preferredLanguage(request.headers.get('accept-language'), 'en')
    return sessions.handle({ who: principal, language, request })
  }
  return new Elysia({ name: 'mcp' })
    .use(guard(ctx))
    .post('/mcp', handle, { auth: true, detail: SEND })
    .delete('/mcp', handle, { auth: true, detail: END })
}
