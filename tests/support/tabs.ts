/** Tabs of one browser: Web Locks as the standard has them, and a BroadcastChannel. Both end when a tab vanishes. */
import type { TabPlatform } from '../../src/client/tab-channel.ts'

interface Request {
  tab: object
  grant(): void
  /** Ends the request, or takes the lock away. */
  revoke(): void
}

interface Lock {
  holder: Request | undefined
  queue: Request[]
}

export interface Tab extends TabPlatform {
  /** As a tab that is killed: it holds no lock any more, and says nothing. */
  vanish(): void
  /** As a tab that the browser freezes: it keeps its locks, and hears nothing. */
  freeze(): void
}

export class Browser {
  private readonly locks = new Map<string, Lock>()

  tab(): Tab {
    const tab = {}
    let isSilent = false
    class Channel {
      onmessage: ((event: unknown) => void) | null = null
      private readonly channel: BroadcastChannel

      constructor(name: string) {
        this.channel = new BroadcastChannel(name)
        this.channel.onmessage = (event) => {
          if (!isSilent) this.onmessage?.(event)
        }
      }

      postMessage(message: unknown): void {
        if (!isSilent) this.channel.postMessage(message)
      }

      close(): void {
        this.channel.close()
      }
    }
    return {
      Channel,
      locks: { request: (name, options, work) => this.request(tab, name, options, work) },
      vanish: () => {
        isSilent = true
        this.release(tab)
      },
      freeze: () => {
        isSilent = true
      },
    }
  }

  private request<T>(
    tab: object,
    name: string,
    { signal, steal = false }: { signal?: AbortSignal; steal?: boolean },
    work: () => Promise<T>,
  ): Promise<T> {
    const lock = this.locks.get(name) ?? { holder: undefined, queue: [] }
    this.locks.set(name, lock)
    return new Promise<T>((resolve, reject) => {
      const request: Request = {
        tab,
        grant: () => {
          lock.holder = request
          queueMicrotask(() => {
            const done = () => {
              if (lock.holder === request) this.next(lock)
            }
            work().then(resolve, reject).finally(done)
          })
        },
        revoke: () => reject(new DOMException('The lock is gone', 'AbortError')),
      }
      signal?.addEventListener('abort', () => {
        if (lock.holder === request) return
        lock.queue = lock.queue.filter((other) => other !== request)
        request.revoke()
      })
      if (signal?.aborted) return request.revoke()
      if (steal) {
        lock.holder?.revoke()
        request.grant()
      } else if (lock.holder) lock.queue.push(request)
      else request.grant()
    })
  }

  private next(lock: Lock): void {
    lock.holder = undefined
    lock.queue.shift()?.grant()
  }

  private release(tab: object): void {
    for (const lock of this.locks.values()) {
      lock.queue = lock.queue.filter((request) => request.tab !== tab)
      if (lock.holder?.tab === tab) this.next(lock)
    }
  }
}
