/** Where a session is kept between two runs of a program. */

export interface StoredSession {
  accessToken: string
  /** Milliseconds since the epoch, by the clock of this device. */
  expiresAt: number
  refreshToken: string
  user: { id: string; email: string }
}

/** What this file uses of a browser, because the server's types have no browser. */
const browser = globalThis as unknown as {
  localStorage: {
    getItem(key: string): string | null
    setItem(key: string, text: string): void
    removeItem(key: string): void
  }
  navigator: { locks?: { request<T>(name: string, work: () => Promise<T>): Promise<T> } }
}

type Eventually<T> = T | Promise<T>

export interface SessionStore {
  load(): Eventually<StoredSession | undefined>
  save(session: StoredSession): Eventually<void>
  clear(): Eventually<void>
  /** Runs `work` while no other program that uses the same store runs its own. Without it a store has one user. */
  exclusive?<T>(work: () => Promise<T>): Promise<T>
}

/** Forgets the session when the program ends. */
export function memoryStore(): SessionStore {
  let kept: StoredSession | undefined
  return {
    load: () => kept,
    save(session) {
      kept = session
    },
    clear() {
      kept = undefined
    },
  }
}

/** One session for all tabs of a browser. Where the browser refuses to store it, the session lasts as long as the page. */
export function localStorageStore(key = 'roost.session'): SessionStore {
  const memory = memoryStore()
  return {
    load: () => memory.load() ?? readSession(key),
    save(session) {
      try {
        browser.localStorage.setItem(key, JSON.stringify(session))
        memory.clear()
      } catch {
        // A private window, or full. What is stored there is older.
        memory.save(session)
      }
    },
    clear() {
      memory.clear()
      try {
        browser.localStorage.removeItem(key)
      } catch {
        // Nothing has been stored.
      }
    },
    // Pages that are not secure (http and not localhost) have no locks, and a browser that stores nothing may refuse one. There
    // two tabs may refresh at the same time, which the server allows within ten seconds.
    async exclusive(work) {
      const { locks } = browser.navigator
      let isHeld = false
      const locked = () => {
        isHeld = true
        return work()
      }
      try {
        if (locks) return await locks.request(key, locked)
      } catch (error) {
        if (isHeld) throw error
      }
      return work()
    },
  }
}

function readSession(key: string): StoredSession | undefined {
  try {
    const session = JSON.parse(browser.localStorage.getItem(key) ?? 'null')
    return session?.refreshToken && session.user ? session : undefined
  } catch {
    // Refused, or something else has written it.
    return undefined
  }
}
