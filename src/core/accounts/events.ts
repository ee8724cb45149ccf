import type { User } from './rows.ts'

/** Fields of an account that `user.updated` names when they change, in the order in which it names them. */
export const ACCOUNT_FIELDS = [
  'username',
  'email',
  'displayName',
  'avatarUrl',
  'bio',
  'lowBalanceMinor',
  'role',
  'isActive',
] as const
export type AccountField = (typeof ACCOUNT_FIELDS)[number]

export interface AccountEvents {
  'session.revoked': { sessionId: string; reason: string }
  /** A user has signed in. Administrators with webhooks get it of every user. */
  'user.login': {
    user: Pick<User, 'id' | 'username' | 'email' | 'role' | 'displayName' | 'avatarUrl'>
    sessionId: string
    ip: string
    userAgent: string | undefined
  }
  'user.updated': { fields: string[] }
}
