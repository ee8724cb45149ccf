import { type Static, t } from 'elysia'
import { Email, nullable, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'

export const User = t.Object({
  id: t.Integer(),
  email: t.String(),
  name: t.String(),
  avatar_url: nullable(t.String()),
  is_active: t.Boolean(),
  created_at: Timestamp,
})
export type User = Static<typeof User>

const tokens = {
  access_token: t.String(),
  refresh_token: t.String(),
  token_type: t.Literal('bearer'),
  expires_in: t.Integer(),
}
export const Tokens = t.Object(tokens)
export type Tokens = Static<typeof Tokens>

export const Session = t.Object({ ...tokens, user: User })
export type Session = Static<typeof Session>

export const Registration = t.Object({
  email: Email,
  name: t.String({ minLength: 1, maxLength: 100, ...typed('name') }),
  password: t.String({ minLength: 8, maxLength: 200 }),
})

export const Login = t.Object({
  email: t.String({ minLength: 1, maxLength: 254, ...typed('login') }),
  password: t.String({ minLength: 1, maxLength: 200 }),
})

export const RefreshToken = t.Object({ refresh_token: t.String({ minLength: 1, maxLength: 500 }) })

export const SignedOut = t.Object({ message: t.String(), detail: t.String() })

named({ LearningUser: User, LearningTokens: Tokens, LearningSession: Session })
