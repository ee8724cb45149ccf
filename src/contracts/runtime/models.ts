/** Wire models of the runtime contract: docs/contracts/runtime.md. Ids are UUIDs. */
import { type Static, t } from 'elysia'
import { choice } from '../../http/choice.ts'
import { named } from '../../http/openapi/schemas.ts'
import { typed } from '../../http/typed.ts'

const Timestamp = t.String({ format: 'date-time' })
export const nullable = <T extends Parameters<typeof t.Optional>[0]>(schema: T) => t.Union([schema, t.Null()])
/** Many clients write null for what they leave out. */
export const optional = <T extends Parameters<typeof t.Optional>[0]>(schema: T) =>
  t.Optional(nullable(schema))

export const Email = t.String({ format: 'email', maxLength: 254, ...typed('email') })
/** The documented minimum; `PASSWORD_MIN_LENGTH` may ask for more. */
export const Password = t.String({ minLength: 6, maxLength: 200 })
export const Code = t.String({ pattern: '^[0-9]{6}$', ...typed('code') })
/** Only to pages of `ALLOWED_ORIGINS` and of `PUBLIC_URL`. */
export const RedirectTo = optional(t.String({ maxLength: 2000 }))
export const Username = t.String({ minLength: 3, maxLength: 30, ...typed('name') })

export const Session = t.Object({
  access_token: t.String(),
  refresh_token: t.String(),
  expires_in: t.Integer(),
  token_type: t.Literal('bearer'),
  user: t.Object({ id: t.String(), email: t.String() }),
})
export type Session = Static<typeof Session>

export const AuthUser = t.Object({
  id: t.String(),
  email: t.String(),
  created_at: Timestamp,
  email_confirmed_at: nullable(Timestamp),
})
export type AuthUser = Static<typeof AuthUser>

export const InviteCode = t.Object({
  code: t.String(),
  status: choice(['active', 'disabled', 'expired', 'exhausted']),
  max_uses: nullable(t.Integer()),
  used_count: t.Integer(),
  expires_at: nullable(Timestamp),
  created_at: Timestamp,
})
export type InviteCode = Static<typeof InviteCode>

export const Profile = t.Object({
  id: t.String(),
  username: t.String(),
  avatar_url: nullable(t.String()),
  bio: nullable(t.String()),
})
export type Profile = Static<typeof Profile>

export const Health = t.Object({ status: choice(['ok', 'unhealthy']) })

const status = choice(['healthy', 'unhealthy'])
const service = <K extends string>(kinds: readonly K[]) =>
  t.Object({ status, latency_ms: t.Number(), kind: choice(kinds) })
export const InfraHealth = t.Object({
  status,
  services: t.Object({
    redis: service(['embedded', 'redis']),
    database: service(['embedded', 'postgresql']),
    storage: service(['disk', 's3']),
    mail: service(['files', 'smtp']),
  }),
})
export type InfraHealth = Static<typeof InfraHealth>

named({
  RuntimeSession: Session,
  AuthUser,
  InviteCode,
  Profile,
  RuntimeHealth: Health,
  HealthStatus: status,
  InfraHealth,
})
