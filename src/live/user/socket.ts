import { Elysia } from 'elysia'
import { preferredLanguage } from '../../core/language.ts'
import { MAX_POSITION } from '../../protocol/live/client-frames.ts'
import type { Origins } from '../../util/origins.ts'
import { urlOf } from '../../util/url-of.ts'
import type { LiveContext } from '../context.ts'
import { refuse, refuseUpgrade } from '../upgrade.ts'
import { Connection } from './connection.ts'
import { signInByToken } from './sign-in.ts'
import { takeTicket } from './tickets.ts'

const MAX_TOPICS_IN_URL = 500

/** The address of the client, also behind trusted proxies. */
type AddressOf = (request: Request) => string

/**
 * `GET /ws/connect` and `/api/ws/connect`: the live channel. A client with an invalid credential gets a socket that closes with
 * 4401, because a page in a browser cannot see the status of a refused upgrade.
 */
export function userSocket({ live: { hub } }: LiveContext, origins: Origins, addressOf: AddressOf) {
  const connect = async ({ request, server }: { request: Request; server: Bun.Server<unknown> | null }) => {
    const refusal = refuseUpgrade(request, origins, hub.draining)
    if (refusal) return refusal
    const query = urlOf(request).searchParams
    const ticket = query.get('ticket')
    const token = query.get('token') ?? request.headers.get('authorization')?.replace(/^Bearer /i, '')
    const signedIn = ticket
      ? await takeTicket(hub.ctx, ticket)
      : token
        ? await signInByToken(hub.ctx, token)
        : undefined
    const data = new Connection(hub, {
      signedIn,
      address: addressOf(request),
      refused: !signedIn && Boolean(ticket ?? token),
      cursor: query.get('cursor') ?? undefined,
      from: {
        agentSeq: parseNumber(query.get('agent_seq'), Number.MAX_SAFE_INTEGER),
        logPosition: parseNumber(query.get('log_position'), MAX_POSITION),
      },
      // English, as in error frames, for a client that does not name a language.
      language: preferredLanguage(query.get('language') ?? request.headers.get('accept-language'), 'en'),
      topics: (query.get('topics') ?? '').split(',').filter(Boolean).slice(0, MAX_TOPICS_IN_URL),
    })
    if (server!.upgrade(request, { data })) return
    return refuse(400, 'Upgrade failed')
  }
  const hide = { detail: { hide: true } }
  return new Elysia({ name: 'user-socket' })
    .get('/ws/connect', connect, hide)
    .get('/api/ws/connect', connect, hide)
}

/** Undefined for what is no number up to `max`. */
const parseNumber = (text: string | null, max: number): number | undefined =>
  text !== null && /^\d{1,15}$/.test(text) && Number(text) <= max ? Number(text) : undefined
