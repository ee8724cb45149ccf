import type { Context } from '../../core/context.ts'
import { randomSecret, sha256 } from '../../util/secrets.ts'
import { type SignIn, signInToSession } from './sign-in.ts'

export const TICKET_SECONDS = 30

/** A credential that opens one socket, so that no long-lived token appears in a URL. */
export async function issueTicket(ctx: Context, sessionId: string, expiresAt: number): Promise<string> {
  const ticket = randomSecret('wst')
  await ctx.bus.put(key(ticket), JSON.stringify({ sessionId, expiresAt }), TICKET_SECONDS * 1000)
  return ticket
}

export async function takeTicket(ctx: Context, ticket: string): Promise<SignIn | undefined> {
  const value = await ctx.bus.take(key(ticket))
  if (!value) return undefined
  const { sessionId, expiresAt } = JSON.parse(value) as { sessionId: string; expiresAt: number }
  return signInToSession(ctx, sessionId, expiresAt)
}

const key = (ticket: string) => `ticket:${sha256(ticket)}`
