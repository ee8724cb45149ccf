import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/index.ts'
import { Metrics } from '../../src/core/metrics.ts'
import type { Deprecation } from '../../src/http/deprecations.ts'
import type { LiveContext } from '../../src/live/context.ts'
import { createLogger } from '../../src/util/logger.ts'

/**
 * The app without parts, for tests that need only its routes or answers that use no part. It starts no database, which
 * would take time.
 */
export function hollowApp(env: Record<string, string> = {}, deprecations: readonly Deprecation[] = []) {
  // biome-ignore lint/suspicious/noExplicitAny: stands for every part alike
  const nothing: any = new Proxy(() => {}, { get: () => nothing, apply: () => nothing })
  const real = {
    config: readConfig({ RATE_LIMITS: 'off', ...env }),
    log: createLogger('silent'),
    metrics: new Metrics(),
  }
  const ctx = new Proxy(real, { get: (parts, name) => (name in parts ? Reflect.get(parts, name) : nothing) })
  return createApp(ctx as unknown as LiveContext, deprecations)
}
