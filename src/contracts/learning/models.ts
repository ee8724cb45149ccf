/** Wire models of the learning contract: learning.md. Ids are integers. */
import { type Static, t } from 'elysia'

export const User = t.Object({
  id: t.Integer(),
  email: t.String(),
  name: t.String(),
  avatar_url: t.Union([t.String(), t.Null()]),
  is_active: t.Boolean(),
  created_at: t.String({ format: 'date-time' }),
})
export type User = Static<typeof User>

const tokens = {
  access_token: t.String(),
  refresh_token: t.String(),
  token_type: t.Literal('bearer'),
  expires_in: t.Integer(),
}
export const Refreshed = t.Object(tokens)
export type Refreshed = Static<typeof Refreshed>
export const Session = t.Object({ ...tokens, user: User })
export type Session = Static<typeof Session>
