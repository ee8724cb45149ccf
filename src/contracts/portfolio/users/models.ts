/** Wire models of users and sessions: docs/contracts/portfolio.md, "Users and sessions". */
import { type Static, t } from 'elysia'
import { ROLES } from '../../../core/accounts/permissions.ts'
import { choice } from '../../../http/choice.ts'
import { integerText } from '../../../http/integer-text.ts'
import { Email, nullable, Timestamp, Uuid } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'
import { DEVICE_TYPES } from '../../../util/device.ts'
import { User } from '../auth/models.ts'
import { pageQuery } from '../contract.ts'
import { IdText } from '../ids.ts'

export const UsersQuery = t.Object({
  ...pageQuery,
  role: choice(['all', ...ROLES], { default: 'all' }),
  status: choice(['all', 'active', 'inactive'], { default: 'all' }),
  /** A part of the username, the display name or the email. */
  search: t.Optional(t.String({ maxLength: 100 })),
  sort_by: choice(['created_at', 'username', 'email', 'last_login_at'], { default: 'created_at' }),
  sort_order: choice(['asc', 'desc'], { default: 'desc' }),
})

const account = {
  username: t.String({ minLength: 3, maxLength: 30, ...typed('name') }),
  email: Email,
  display_name: t.String({ minLength: 1, maxLength: 100, ...typed('name') }),
  /** The documented minimum; `PASSWORD_MIN_LENGTH` may ask for more. */
  password: t.String({ minLength: 8, maxLength: 200 }),
  role: choice(ROLES),
  is_active: t.Boolean(),
}
export const NewUser = t.Object({
  username: t.Optional(account.username),
  email: account.email,
  password: account.password,
  role: t.Optional(account.role),
  display_name: t.Optional(account.display_name),
  is_active: t.Optional(account.is_active),
})
export const UserChange = t.Partial(t.Object(account))

export const ListedUser = t.Object({
  ...User.properties,
  bio: t.String(),
  is_active: t.Boolean(),
  email_confirmed: t.Boolean(),
  last_login_at: nullable(Timestamp),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type ListedUser = Static<typeof ListedUser>

export const SessionId = t.Object({ id: IdText, session_id: Uuid })
export const SessionsQuery = t.Object({
  ...pageQuery,
  limit: integerText({ minimum: 1, maximum: 100, default: 100 }),
})
export const SessionsEnd = t.Object({ except_current: t.Boolean({ default: false }) })

/** What the User-Agent says. Unknown texts are empty. */
export const Device = t.Object({
  browser: t.String(),
  browser_version: t.String(),
  os: t.String(),
  os_version: t.String(),
  type: choice(DEVICE_TYPES),
})

export const UserSession = t.Object({
  id: t.String({ format: 'uuid' }),
  device: Device,
  user_agent: t.String(),
  ip: t.String(),
  created_at: Timestamp,
  /** To a minute. */
  last_seen_at: Timestamp,
  /** Each refresh moves it on. */
  expires_at: Timestamp,
  is_current: t.Boolean(),
})
export type UserSession = Static<typeof UserSession>

named({ PortfolioListedUser: ListedUser, PortfolioDevice: Device, PortfolioUserSession: UserSession })
