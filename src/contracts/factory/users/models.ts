import { Type } from '@sinclair/typebox'
import { type Static, t } from 'elysia'
import { choice } from '../../../http/choice.ts'
import { nullable, optional, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'

export const Role = choice(['super_admin', 'admin', 'editor', 'user'])

export const Me = t.Object({
  id: t.String(),
  email: t.String(),
  username: t.String(),
  full_name: t.String(),
  role: Role,
  balance: t.Number(),
  available_balance: t.Number(),
  /** `balance.low` comes when the available balance falls below it; null: never. */
  low_balance_threshold: nullable(t.Number()),
  total_tasks: t.Integer(),
  created_at: Timestamp,
  last_login: nullable(Timestamp),
})
export type Me = Static<typeof Me>

export const UserStats = t.Object({
  total_tasks: t.Integer(),
  completed_tasks: t.Integer(),
  failed_tasks: t.Integer(),
  total_cost: t.Number(),
  current_balance: t.Number(),
  last_task_date: nullable(Timestamp),
})
export type UserStats = Static<typeof UserStats>

export const ProfileChange = t.Object({
  full_name: t.Optional(t.String({ minLength: 1, maxLength: 100, ...typed('name') })),
  username: t.Optional(t.String({ minLength: 3, maxLength: 30, ...typed('name') })),
  /** With two decimals at most; null for no warning. */
  low_balance_threshold: optional(Type.Number({ minimum: 0, maximum: 1_000_000_000 })),
})

named({ UserRole: Role, FactoryUser: Me, FactoryUserStats: UserStats })
