import { type Static, t } from 'elysia'
import { Password } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'

export const SignIn = t.Object({
  email: t.String({ minLength: 1, maxLength: 254, ...typed('login') }),
  password: Password,
})

export const RefreshToken = t.Object({ refresh_token: t.String({ minLength: 1, maxLength: 500 }) })
export const refreshTokenExample = { refresh_token: 'the refresh_token of your last sign-in or refresh' }

export const Session = t.Object({
  access_token: t.String(),
  refresh_token: t.String(),
  expires_in: t.Integer(),
  token_type: t.Literal('bearer'),
  user: t.Object({ id: t.String(), email: t.String() }),
})
export type Session = Static<typeof Session>

named({ RuntimeSession: Session })
