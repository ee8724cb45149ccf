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
  const credentials = new Credentials(options.token, core.report)
  const http = new Http(core, options, credentials, timing.openMs)
  return clientOf(core, http, () => new Connection(core, options, credentials, http, timing))
}

/** What connects a core: a connection of its own, or a tab of several. */
interface Connected {
  retry(): void
  stop(): void
}

/** What the application sees of a core and of whatever connects it. */
export function clientOf(core: Core, http: Http, open: () => Connected): LiveClient {
  let connected = open()
  return {
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
    retry: () => connected.retry(),
    setLanguage(language) {
      if (language === core.language) return
      core.language = language
      if (core.isOver) return
      connected.stop()
      connected = open()
    },
    close() {
      if (core.status === 'closed') return
      connected.stop()
      http.stop()
      core.stop()
    },
  }
}
