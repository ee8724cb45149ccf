import type { Context } from '../../core/context.ts'
import { randomSecret, sha256 } from '../../util/secrets.ts'
import type { SignedInSocket } from './connection.ts'
import type { Hub } from './hub.ts'

export const TICKET_SECONDS = 30

/** A one-use credential for opening a socket, so that no long-lived token stands in a URL. */
export async function issueTicket(ctx: Context, sessionId: string, expiresAt: number): Promise<string> {
  const ticket = randomSecret('wst')
  await ctx.bus.put(key(ticket), JSON.stringify({ sessionId, expiresAt }), TICKET_SECONDS * 1000)
  return ticket
}

export async function takeTicket(hub: Hub, ticket: string): Promise<SignedInSocket | undefined> {
  const value = await hub.ctx.bus.take(key(ticket))
  if (!value) return undefined
  const { sessionId, expiresAt } = JSON.parse(value) as { sessionId: string; expiresAt: number }
  return hub.forSession(sessionId, expiresAt)
}

const key = (ticket: string) => `ticket:${sha256(ticket)}`
