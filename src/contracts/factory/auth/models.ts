import { type Static, t } from 'elysia'
import { named } from '../../../http/openapi/schemas.ts'
import { Role } from '../users/models.ts'

export const SessionUser = t.Object({ id: t.String(), email: t.String(), username: t.String(), role: Role })
export type SessionUser = Static<typeof SessionUser>

export const Session = t.Object({
  access_token: t.String(),
  refresh_token: t.String(),
  token_type: t.Literal('bearer'),
  /** Seconds. */
  expires_in: t.Integer(),
  user: SessionUser,
})
export type Session = Static<typeof Session>

named({ FactorySessionUser: SessionUser, FactorySession: Session })
