/** A user's session: docs/contracts/runtime.md, "Sessions". */
import { RoostError } from './error.ts'
import type { Stop } from './live-client.ts'
import { guarded, report } from './report.ts'
import { dataOf, rest } from './rest.ts'
import { memoryStore, type SessionStore, type StoredSession } from './session-store.ts'

/**
 * - `signed_out`: `signOut()` was called, here or in another tab.
 * - `ended`: the server has ended the session, or nobody has used it for seven days. An event `session.revoked` has a reason.
 * - `inactive`: an administrator has deactivated the account.
 */
export type SessionEnd = 'signed_out' | 'ended' | 'inactive'

export interface SessionOptions {
  /** Where the server is: `https://roost.example.org`. */
  url: string
  /** In memory unless given. */
  store?: SessionStore
}

/** What the server answers to a sign-in, and to the code that completes a sign-up. */
export interface SignedIn {
  access_token: string
  refresh_token: string
  /** Seconds. */
  expires_in: number
  user: { id: string; email: string }
}

export interface Credentials extends SessionOptions {
  /** Email or username. */
  login: string
  password: string
  /** Language of the error's text. */
  language?: 'en' | 'zh'
}

/** A token is renewed so long before it expires: earlier than the live channel asks for another one. */
const RENEW_BEFORE_MS = 90_000

/** Of a request to renew. Two take less than the ten seconds in which the server accepts a refresh token once more. */
const RENEW_TIMEOUT_MS = 4_500

export class Session {
  readonly user: StoredSession['user']
  /** Why the session is over; undefined while it is not. */
  ended: SessionEnd | undefined
  private readonly handlers = new Set<(reason: SessionEnd) => void>()
  /** The store has refused what would have replaced the session that it has. */
  private isUnsaved = false
  private renewal: Promise<string | undefined> | undefined
  private readonly sessions

  private constructor(
    url: string,
    private readonly store: SessionStore,
    private current: StoredSession,
  ) {
    this.user = current.user
    this.sessions = rest({ url }).runtime.auth.sessions
  }

  /**
   * Signs in.
   * @throws RoostError INVALID_CREDENTIALS, INACTIVE_USER, RATE_LIMIT_EXCEEDED
   */
  static async signIn({ login, password, language, ...options }: Credentials): Promise<Session> {
    const { runtime } = rest({ url: options.url, ...(language && { language }) })
    return Session.of(await dataOf(runtime.auth.sessions.post({ email: login, password })), options)
  }

  /** The session of an answer that signs in, such as that to the code of a sign-up. */
  static async of(answer: SignedIn, { url, store = memoryStore() }: SessionOptions): Promise<Session> {
    const session = new Session(url, store, stored(answer, Date.now()))
    await store.save(session.current)
    return session
  }

  /** The session that the store has. It may have ended in the meantime, which the first token tells. */
  static async restore({ url, store }: Required<SessionOptions>): Promise<Session | undefined> {
    const kept = await store.load()
    return kept && new Session(url, store, kept)
  }

  /**
   * A valid access token; renewed when it is about to expire, or the server has `refused` the last one. Undefined when the
   * session has ended.
   * @throws RoostError when the server does not renew the token now, and a later call may succeed
   */
  readonly token = async (refused = false): Promise<string | undefined> => {
    if (this.ended) return undefined
    if (!refused && isFresh(this.current)) return this.current.accessToken
    this.renewal ??= this.exclusive(() => this.renew(refused)).finally(() => {
      this.renewal = undefined
    })
    return this.renewal
  }

  /** Calls the handler once, when the session is over. */
  readonly onEnd = (handler: (reason: SessionEnd) => void): Stop => {
    this.handlers.add(handler)
    return () => void this.handlers.delete(handler)
  }

  /** Ends the session here at once, and on the server. Nothing happens when that can't be reached: the session expires there. */
  readonly signOut = async (): Promise<void> => {
    if (this.ended) return
    this.end('signed_out')
    try {
      await this.exclusive(() =>
        this.keep((kept) => {
          // Another tab may have renewed the session, or the user may have signed in again.
          if (kept && !this.isUnsaved) this.current = kept
          return this.store.clear()
        }),
      )
    } catch (error) {
      // Without its lock this session may not change the store.
      report(error)
    }
    await this.sessions.delete({ refresh_token: this.current.refreshToken })
  }

  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.store.exclusive ? this.store.exclusive(work) : work()
  }

  private async renew(refused: boolean): Promise<string | undefined> {
    const kept = await this.kept()
    // Another tab has signed out, and perhaps signed another user in.
    if (kept?.user.id !== this.user.id) return this.end('signed_out')
    const isRenewed = kept.refreshToken !== this.current.refreshToken
    this.current = kept
    // Another tab has renewed it.
    if (isRenewed && isFresh(kept)) return kept.accessToken
    const sentAt = Date.now()
    try {
      this.current = stored(await dataOf(this.refresh(kept.refreshToken)), sentAt)
    } catch (error) {
      const { status, code } = error as RoostError
      if (status === 401 || status === 403) {
        await this.keep(() => this.store.clear())
        return this.end(code === 'INACTIVE_USER' ? 'inactive' : 'ended')
      }
      if (!refused && kept.expiresAt > Date.now()) return kept.accessToken
      throw error
    }
    await this.keep(() => {
      if (!this.ended) return this.store.save(this.current)
    })
    return this.ended ? undefined : this.current.accessToken
  }

  private kept() {
    return this.isUnsaved ? this.current : this.store.load()
  }

  /**
   * Changes the store, unless another user has signed in meanwhile: then it has their session. A store that fails does not end
   * this session. What it has is older, so that the next start has to sign in.
   */
  private async keep(change: (kept: StoredSession | undefined) => Promise<void> | void): Promise<void> {
    try {
      const kept = await this.store.load()
      if (kept && kept.user.id !== this.user.id) return this.end('signed_out')
      await change(kept)
      this.isUnsaved = false
    } catch (error) {
      this.isUnsaved = true
      report(error)
    }
  }

  /**
   * Sends the request once more when its answer was lost. The server has rotated the token then, and accepts the old one for ten
   * seconds only; a later use of it ends the session.
   */
  private async refresh(token: string) {
    const send = () =>
      this.sessions.refresh.post({ refresh_token: token }, { signal: AbortSignal.timeout(RENEW_TIMEOUT_MS) })
    const first = await send()
    return first.status === 0 || first.status >= 500 ? send() : first
  }

  private end(reason: SessionEnd): undefined {
    if (this.ended) return
    this.ended = reason
    for (const handler of this.handlers) guarded(() => handler(reason), report)
  }
}

/**
 * @param sentAt when the request went out: the token may live less long than the answer took, never longer
 * @throws RoostError NOT_JSON when a proxy has answered with a page of its own
 */
function stored(answer: SignedIn | undefined, sentAt: number): StoredSession {
  if (!answer?.user) throw new RoostError(200, 'NOT_JSON', 'Another server than Roost has answered')
  return {
    accessToken: answer.access_token,
    expiresAt: sentAt + answer.expires_in * 1000,
    refreshToken: answer.refresh_token,
    user: { id: answer.user.id, email: answer.user.email },
  }
}

const isFresh = ({ expiresAt }: StoredSession) => expiresAt - Date.now() > RENEW_BEFORE_MS
