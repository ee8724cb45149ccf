import { type Static, t } from 'elysia'
import { ROLES } from '../../../core/accounts/permissions.ts'
import { choice } from '../../../http/choice.ts'
import { Email, nullable, optional, Password, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'

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

export const ForgottenPassword = t.Object({
  email: Email,
  /** A page that reads the token from its fragment. */
  redirect_to: optional(t.String({ maxLength: 2000 })),
})

export const PasswordReset = t.Object({
  token: t.String({ minLength: 1, maxLength: 200, ...typed('login') }),
  new_password: Password,
})

named({ StudyToken: Token, StudyUser: Me })
