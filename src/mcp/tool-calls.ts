import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import {
  type CallToolRequest,
  type CallToolResult,
  ErrorCode,
  McpError,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js'
import { userOfSession } from '../core/accounts/access-tokens.ts'
import type { Actor } from '../core/accounts/principals.ts'
import { findTool } from '../core/agent/tools/index.ts'
import { type Tool, toolErrorText } from '../core/agent/tools/tool.ts'
import type { Context } from '../core/context.ts'
import { AppError } from '../core/errors.ts'
import { message } from '../core/messages.ts'
import { whileMayGoOn } from '../http/authenticate.ts'
import { isTooDeep, storable } from '../util/storable.ts'
import { callOf } from './call.ts'

/** How long a question may wait for the user. */
const ANSWER_MS = 5 * 60_000

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

/** What a session has under way. */
interface Session {
  /** Whether a question waits for the user. */
  isAsking: boolean
}

/** Errors that a model can do something about are results, as MCP says; the others are errors of the protocol. */
export async function callTool(
  ctx: Context,
  server: Server,
  session: Session,
  { name, arguments: given = {} }: CallToolRequest['params'],
  extra: Extra,
): Promise<CallToolResult> {
  const { who, language } = callOf(extra)
  const tool = findTool(name)
  if (!tool) throw new McpError(ErrorCode.InvalidParams, `There is no tool ${name}.`)
  if (isTooDeep(given)) return failure('The input is nested too deep.')
  const read = tool.read(storable(given))
  if ('problem' in read) return failure(`The input does not fit: ${read.problem}`)
  try {
    const consent = tool.question ? await confirm(ctx, server, session, tool, read.input, extra) : { who }
    if ('refusal' in consent) return failure(consent.refusal)
    const result = await tool.run(ctx, consent.who, read.input, language)
    return {
      content: [{ type: 'text', text: JSON.stringify(result) }],
      structuredContent: result as Record<string, unknown>,
    }
  } catch (error) {
    if (error instanceof AppError) return failure(toolErrorText(error, language))
    ctx.log.error({ err: error, tool: name }, 'a tool failed')
    // The SDK would send the text of the error.
    throw new McpError(ErrorCode.InternalError, message('INTERNAL', language))
  }
}

const failure = (text: string): CallToolResult => ({ content: [{ type: 'text', text }], isError: true })

/** Asks the user before a destructive tool. @returns the user as they are after the answer, or why nothing is done */
async function confirm(
  ctx: Context,
  server: Server,
  session: Session,
  tool: Tool,
  input: unknown,
  { requestId, signal, ...extra }: Extra,
): Promise<{ who: Actor } | { refusal: string }> {
  const { who, language, request } = callOf(extra)
  if (!server.getClientCapabilities()?.elicitation?.form) {
    return {
      refusal: `${tool.name} needs the user's confirmation, and this client cannot ask for it: it does not support elicitation. Nothing was done.`,
    }
  }
  if (session.isAsking) return { refusal: 'Another question waits for the user. Ask again later.' }
  session.isAsking = true
  try {
    const question = await tool.question!(ctx, who, input, language)
    const asked = server.elicitInput(
      { message: question, requestedSchema: { type: 'object', properties: {} } },
      {
        relatedRequestId: requestId,
        timeout: ANSWER_MS,
        signal: AbortSignal.any([signal, request.signal]),
      },
    )
    // The question rejects when the time is over, when the client or its session has gone, and when the answer is malformed.
    const answer = await whileMayGoOn(
      request,
      asked.catch(() => undefined),
    )
    if (!answer) return { refusal: 'The user did not answer. Nothing was done.' }
    if (answer.action !== 'accept') return { refusal: 'The user did not confirm. Nothing was done.' }
  } finally {
    session.isAsking = false
  }
  const now = await userOfSession(ctx, who.sessionId)
  return now ? { who: { ...now, client: who.client } } : { refusal: message('INVALID_TOKEN', language) }
}
