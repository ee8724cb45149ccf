import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/index.ts'
import type { LiveContext } from '../../src/live/context.ts'
import { createLogger } from '../../src/util/logger.ts'

/**
 * The app with nothing behind it: enough for what is answered before any part is asked, such as which routes there
 * are, and without the price of a database.
 */
export function hollowApp(env: Record<string, string> = {}) {
  // biome-ignore lint/suspicious/noExplicitAny: stands for every part alike
  const nothing: any = new Proxy(() => {}, { get: () => nothing, apply: () => nothing })
  const real = { config: readConfig(env), log: createLogger('silent') }
  const ctx = new Proxy(real, { get: (parts, name) => (name in parts ? Reflect.get(parts, name) : nothing) })
  return createApp(ctx as unknown as LiveContext)
}
