import type { User } from '../../../core/accounts/rows.ts'
import type { Session } from '../../../core/accounts/session-list.ts'
import { presentDevice } from '../../../live/events/accounts.ts'
import { presentUser } from '../auth/presenters.ts'
import type { ListedUser, UserSession } from './models.ts'

export const presentListedUser = (user: User): ListedUser => ({
  ...presentUser(user),
  bio: user.bio ?? '',
  is_active: user.isActive,
  email_confirmed: user.emailConfirmedAt !== null,
  last_login_at: user.lastLoginAt?.toISOString() ?? null,
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
})

/** @param current the id of the caller's own session */
export const presentUserSession = (session: Session, current: string): UserSession => ({
  id: session.id,
  device: presentDevice(session.userAgent),
  user_agent: session.userAgent ?? '',
  ip: session.ip ?? '',
  created_at: session.createdAt.toISOString(),
  last_seen_at: session.lastSeenAt.toISOString(),
  expires_at: session.expiresAt.toISOString(),
  is_current: session.id === current,
})
