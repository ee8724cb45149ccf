import { type Static, t } from 'elysia'
import { choice } from '../../../http/choice.ts'
import { nullable, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

export const Health = t.Object({
  status: choice(['ok', 'unhealthy']),
  maintenance: t.Optional(
    t.Literal(true, { description: 'Only while administrators alone may change anything.' }),
  ),
})
export type Health = Static<typeof Health>

const HealthStatus = choice(['healthy', 'unhealthy'])
const service = <K extends string>(kinds: readonly K[]) =>
  t.Object({ status: HealthStatus, latency_ms: t.Number(), kind: choice(kinds) })

/** Each part of this server, with the kind that it has here. */
export const InfraHealth = t.Object({
  status: HealthStatus,
  services: t.Object({
    redis: service(['embedded', 'redis']),
    database: service(['embedded', 'postgresql']),
    storage: service(['disk', 's3']),
    mail: service(['files', 'smtp']),
  }),
  /** The newest check of the ledger: `trial_balance` is all credits less all debits. */
  ledger: t.Object({
    status: HealthStatus,
    checked_at: nullable(Timestamp),
    trial_balance: t.Number(),
    differences: t.Integer(),
  }),
})
export type InfraHealth = Static<typeof InfraHealth>

named({ RuntimeHealth: Health, HealthStatus, InfraHealth })
