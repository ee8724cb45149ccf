import { LRUCache } from 'lru-cache'
import type { Context } from '../core/context.ts'
import { authInfoOf, type McpCall } from './call.ts'
import type { openServer } from './server.ts'

type Open = Awaited<ReturnType<typeof openServer>>

interface McpSession extends Open {
  userId: number
}

const MAX_SESSIONS = 5000
const MAX_SESSIONS_PER_USER = 20
/** A client that comes later has to begin a new session. */
const IDLE_MS = 30 * 60_000

/**
 * The sessions of this server, in its memory, because a question to the user and its answer are two requests. A session belongs
 * to a user, and every request to it signs in.
 */
export class McpSessions {
  private readonly sessions: LRUCache<string, McpSession>

  constructor(
    private readonly ctx: Context,
    idleMs = IDLE_MS,
  ) {
    this.sessions = new LRUCache({
      max: MAX_SESSIONS,
      ttl: idleMs,
      // Otherwise an idle session stays in memory, with its streams, until many others have begun.
      ttlAutopurge: true,
      updateAgeOnGet: true,
      dispose: ({ server }) => void server.close(),
    })
  }

  /** Answers a request of a client. */
  async handle(call: McpCall): Promise<Response> {
    const { request, who } = call
    const id = request.headers.get('mcp-session-id')
    const known = id === null ? undefined : this.sessions.get(id)
    // As the SDK says it of a session that has ended.
    if (id !== null && known?.userId !== who.userId) return sessionNotFound()
    const { transport } = known ?? (await this.open(who.userId))
    return transport.handleRequest(request, { authInfo: authInfoOf(call) })
  }

  /** A server that becomes a session when the request initializes it. */
  private async open(userId: number): Promise<Open> {
    // The SDK's schema libraries take 0.2 s and 27 MB, which a server without such clients saves.
    const { openServer } = await import('./server.ts')
    const opened: Open = await openServer(this.ctx, {
      opened: (id) => {
        const ofUser = [...this.sessions.entries()].filter(([, session]) => session.userId === userId)
        // The most recently used first.
        for (const [old] of ofUser.slice(MAX_SESSIONS_PER_USER - 1)) this.sessions.delete(old)
        this.sessions.set(id, { ...opened, userId })
      },
      closed: (id) => void this.sessions.delete(id),
    })
    return opened
  }
}

const sessionNotFound = () =>
  Response.json(
    { jsonrpc: '2.0', error: { code: -32001, message: 'Session not found' }, id: null },
    { status: 404 },
  )
