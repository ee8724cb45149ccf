import { type Static, t } from 'elysia'
import { ROLES } from '../../../core/accounts/permissions.ts'
import { choice } from '../../../http/choice.ts'
import { nullable } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'

export const Login = t.Object({
  /** Or the email. */
  username: t.String({ minLength: 1, maxLength: 254, ...typed('login') }),
  password: t.String({ minLength: 1, maxLength: 200 }),
})

export const RefreshToken = t.Object({ refresh_token: t.String({ minLength: 1, maxLength: 500 }) })

export const User = t.Object({
  id: t.Integer(),
  username: t.String(),
  email: t.String(),
  role: choice(ROLES),
  display_name: t.String(),
  avatar_url: nullable(t.String()),
})
export type User = Static<typeof User>

export const Session = t.Object({
  access_token: t.String(),
  refresh_token: t.String(),
  token_type: t.Literal('Bearer'),
  /** Seconds. */
  expires_in: t.Integer(),
  user: User,
})
export type Session = Static<typeof Session>

named({ PortfolioUser: User, PortfolioSession: Session })
