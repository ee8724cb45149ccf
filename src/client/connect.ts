import { Connection } from './connection.ts'
import { Core } from './core.ts'
import { Credentials } from './credentials.ts'
import { Http } from './http.ts'
import type { LiveClient } from './live-client.ts'
import { type ConnectOptions, TIMING, type Timing } from './options.ts'

/**
 * Opens the live channel and keeps it open. Register handlers at once, without an `await` before: events may come at any time.
 * @param timing for tests
 */
export function connect(options: ConnectOptions, timing: Timing = TIMING): LiveClient {
  const core = new Core(options, timing)
  const credentials = new Credentials(options.token)
  const http = new Http(options, credentials, timing.openMs)
  const connection = new Connection(core, options, credentials, http, timing)
  return clientOf(core, {
    retry: () => connection.retry(),
    close() {
      connection.stop()
      http.stop()
    },
  })
}

/** What the application sees of a core and of whatever connects it. */
export const clientOf = (core: Core, connection: { retry(): void; close(): void }): LiveClient => ({
  get status() {
    return core.status
  },
  get cursor() {
    return core.delivery.cursor
  },
  get retryAt() {
    return core.retryAt
  },
  onStatus: (handler) => core.onStatus(handler),
  on: (type: never, handler: never) => core.on(type, handler),
  onResync: (handler) => core.onResync(handler),
  watch: (topic, handler, options) => core.watch(topic, handler, options),
  view: (options) => core.view(options),
  retry: () => connection.retry(),
  close() {
    if (core.status === 'closed') return
    connection.close()
    core.stop()
  },
})
