import { type Static, t } from 'elysia'
import { ROLES } from '../../../core/accounts/permissions.ts'
import { choice } from '../../../http/choice.ts'
import { nullable, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

export const Token = t.Object({ access_token: t.String(), token_type: t.Literal('bearer') })
export type Token = Static<typeof Token>

export const Me = t.Object({
  id: t.Integer(),
  username: t.String(),
  email: t.String(),
  full_name: t.String(),
  role: choice(ROLES),
  is_active: t.Boolean(),
  created_at: Timestamp,
  last_login: nullable(Timestamp),
})
export type Me = Static<typeof Me>

named({ StudyToken: Token, StudyUser: Me })
