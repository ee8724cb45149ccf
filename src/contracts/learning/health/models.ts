import { type Static, t } from 'elysia'
import { choice } from '../../../http/choice.ts'

export const Health = t.Object({
  status: choice(['healthy', 'unhealthy']),
  version: t.String(),
  environment: choice(['production', 'development']),
})
export type Health = Static<typeof Health>

export const DatabaseHealth = t.Object({ status: t.Literal('healthy'), database: t.Literal('connected') })
export type DatabaseHealth = Static<typeof DatabaseHealth>
