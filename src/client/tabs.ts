import { connect } from './connect.ts'
import type { LiveClient } from './live-client.ts'
import type { ConnectOptions } from './options.ts'

/** As `connect`, with one socket for all tabs of a browser. */
export const connectTabs = (options: ConnectOptions): LiveClient => connect(options)
