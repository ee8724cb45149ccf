import { type Static, t } from 'elysia'
import { Email, nullable, optional, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'

export const Username = t.String({ minLength: 3, maxLength: 30, ...typed('name') })

export const EmailQuery = t.Object({ email: Email })

/** What administrators, and the user, see of an account. */
export const AuthUser = t.Object({
  id: t.String(),
  email: t.String(),
  created_at: Timestamp,
  email_confirmed_at: nullable(Timestamp),
})
export type AuthUser = Static<typeof AuthUser>

/** What every user sees of a user. */
export const Profile = t.Object({
  id: t.String(),
  username: t.String(),
  avatar_url: nullable(t.String()),
  bio: nullable(t.String()),
})
export type Profile = Static<typeof Profile>

export const ProfileChange = t.Object({
  username: optional(Username),
  avatar_url: optional(t.String({ format: 'uri', pattern: '^https?://', maxLength: 2000 })),
  bio: optional(t.String({ maxLength: 200 })),
})

export const UserSearch = t.Object({ query: t.String({ minLength: 1, maxLength: 100 }) })

named({ AuthUser, Profile })
