/** Fields of an account that `user.updated` names when they change, in the order in which it names them. */
export const ACCOUNT_FIELDS = ['username', 'displayName', 'avatarUrl', 'bio', 'role', 'isActive'] as const
export type AccountField = (typeof ACCOUNT_FIELDS)[number]

export interface AccountEvents {
  'session.revoked': { sessionId: string; reason: string }
  'user.updated': { fields: string[] }
}
