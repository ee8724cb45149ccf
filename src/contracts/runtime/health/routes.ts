import type { Context } from '../../../core/context.ts'
import { toMajor } from '../../../core/money/amounts.ts'
import {
  allHealthy,
  COMPONENTS,
  type ComponentHealth,
  canServe,
  checkHealth,
} from '../../../core/system/health.ts'
import { type LedgerHealth, ledgerHealth } from '../../../core/system/ledger-health.ts'
import { systemConfig } from '../../../core/system/settings.ts'
import { type Call, chapter } from '../../../http/chapter.ts'
import { waitAtMost } from '../../../util/wait-at-most.ts'
import { runtime } from '../contract.ts'
import { Health, InfraHealth } from './models.ts'

const { routes, route } = chapter(runtime, 'infra')

const LEDGER_WAIT_MS = 3000

/** An unhealthy server answers 503, so that a load balancer sends requests to another server. */
export const healthRoutes = (ctx: Context) =>
  routes(ctx)
    .get(
      '/health',
      showHealth,
      route({
        summary: 'Say whether the API works',
        response: Health,
        answers: { 503: { description: 'Unhealthy', response: Health } },
      }),
    )
    .get(
      '/infra/health',
      showInfraHealth,
      route({
        summary: 'Say whether every part in use answers, and how fast',
        response: InfraHealth,
        answers: { 503: { description: 'Unhealthy', response: InfraHealth } },
      }),
    )

async function showHealth({ ctx, set }: Call): Promise<Health> {
  if (!(await canServe(ctx))) {
    set.status = 503
    return { status: 'unhealthy' }
  }
  const { maintenanceMode } = await systemConfig(ctx)
  return { status: 'ok', ...(maintenanceMode && { maintenance: true as const }) }
}

async function showInfraHealth({ ctx, set }: Call): Promise<InfraHealth> {
  const [components, ledger] = await Promise.all([
    checkHealth(ctx, COMPONENTS),
    waitAtMost(LEDGER_WAIT_MS, ledgerHealth(ctx)).catch(() => undefined),
  ])
  const { database, bus, storage, mail } = components
  const healthy = allHealthy(components) && ledger?.healthy === true
  if (!healthy) set.status = 503
  return {
    status: healthy ? 'healthy' : 'unhealthy',
    services: {
      redis: { ...presentPart(bus), kind: ctx.bus.kind },
      database: { ...presentPart(database), kind: ctx.config.databaseUrl ? 'postgresql' : 'embedded' },
      storage: { ...presentPart(storage), kind: ctx.storage.kind },
      mail: { ...presentPart(mail), kind: ctx.mailer.kind },
    },
    ledger: presentLedger(ledger),
  }
}

/** Without the sums, because everybody may read it. A database that does not answer leaves it unknown, which is not healthy. */
const presentLedger = (ledger: LedgerHealth | undefined) => ({
  status: ledger?.healthy ? ('healthy' as const) : ('unhealthy' as const),
  checked_at: ledger?.checkedAt?.toISOString() ?? null,
  trial_balance: toMajor(ledger?.trialBalanceMinor ?? 0),
  differences: ledger?.differences ?? 0,
})

const presentPart = ({ healthy, latencyMs }: ComponentHealth) => ({
  status: healthy ? ('healthy' as const) : ('unhealthy' as const),
  latency_ms: Math.round(latencyMs * 100) / 100,
})
