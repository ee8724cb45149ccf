/**
 * What the audit log records: the name of each action, and its details. A name is `noun.verb`, and the noun is the type of the
 * action's target. An action without a target names its objects in its details. Details hold ids and short values that tell
 * what changed, never a whole object.
 */
export interface AuditActions {
  // Accounts and their security
  'user.registered': Nothing
  'user.signed_in': { session: string }
  /** `name` is a hash of what was typed, because people type passwords into the wrong field. */
  'user.sign_in_failed': { reason: 'unknown_name' | 'wrong_password' | 'inactive'; name: string }
  'user.signed_out': { session: string }
  'user.renamed': { before: string; after: string }
  'user.password_changed': Nothing
  /** The current password was wrong. */
  'user.password_change_failed': Nothing
  'user.password_reset': { by: 'code' | 'token' | 'operator' }
  'user.created': { role: string }
  /** `before` and `after` have what changed of what matters most. */
  'user.updated': { fields: string[]; before?: AccountState; after?: AccountState }
  'user.deleted': Nothing
  /** In minor units. */
  'user.balance_set': { before: number; after: number }
  /** By somebody else than its user, or because a refresh token was used again. */
  'session.ended': { reason: string }
  'signup.requested': { email: string }
  'signup.code_requested': { email: string }
  /** The code was wrong. */
  'signup.failed': { email: string }
  'password_reset.requested': { email: string }
  /** The code was wrong, or the token, which names no email. */
  'password_reset.failed': { email?: string }
  'invite_code.created': InviteCode
  'invite_code.updated': InviteCode
  'calendar_feed.created': Nothing
  'calendar_feed.deleted': Nothing

  // Photos and what orders them
  'photo.created': { title: string }
  'photo.updated': { fields: string[] }
  'photo.deleted': { title: string }
  'photo.batch_changed': { change: string; photos: number[]; values?: (string | number)[] }
  /** Bytes. */
  'photo_file.uploaded': { name: string; size: number }
  'photo_file.reprocessed': Nothing
  'photo_file.deleted': { name: string }
  'category.created': { name: string }
  'category.updated': { fields: string[] }
  'category.deleted': { name: string }
  'tag.created': { name: string }
  'tag.updated': { fields: string[] }
  'tag.deleted': { name: string }
  'timeline_event.created': { title: string }
  'timeline_event.updated': { fields: string[] }
  'timeline_event.deleted': { title: string }

  // Other users' materials and tasks
  'material.hidden': { title: string }
  'material.deleted': { title: string }
  'task.started': Nothing
  'task.paused': Nothing
  'task.resumed': Nothing
  'task.cancelled': Nothing
  /** By an administrator who monitors tasks; empty without a reason. */
  'task.force_stopped': { reason: string }
  'task.retried': Nothing
  'task.deleted': { title: string }

  // Money
  /** `codes`: how many. Amounts in minor units. */
  'recharge_code.created': { codes: number; amountMinor: number; maxUses: number; expiresAt: string | null }
  'recharge_code.updated': { fields: string[]; isDisabled?: boolean; expiresAt?: string | null }

  // Courses and how people study
  'course.created': { name: string }
  'course.updated': { fields: string[] }
  'course.deleted': { name: string }
  'study_settings.updated': { fields: string[] }

  // The server
  'node.created': { name: string }
  'node.updated': { fields: string[] }
  'node.token_rotated': { name: string }
  'node.deleted': { name: string }
  /** `before` and `after`: of the system configuration. */
  'settings.updated': { fields: string[]; before?: object; after?: object }
  'settings.reset': { categories: string[] }
  'cache.cleared': { types: string[] }
  'cache.warmed': { types: string[] }
  'cleanup.started': { processing: boolean; orphans: boolean; maxAgeMinutes: number }
  'schedule.paused': Nothing
  'schedule.resumed': Nothing
  'backup.created': { fileName: string; size: number }
  'backup.failed': { fileName: string }
  'backup.restored': { fileName: string }

  // Webhooks. A URL may hold a secret in its path or query: only its host is recorded
  'webhook.created': { host: string; events: string[] }
  'webhook.updated': { fields: string[]; host?: string }
  'webhook.deleted': { host: string }
  'webhook.secret_rotated': Nothing
  'webhook.tested': Nothing
  'webhook.redelivered': { deliveries: number }
}

export type AuditAction = keyof AuditActions

type Nothing = Record<never, never>

interface AccountState {
  role?: string
  isActive?: boolean
  username?: string
  email?: string
}

interface InviteCode {
  isActive?: boolean
  /** Null for no limit. */
  maxUses?: number | null
  /** RFC 3339; null for never. */
  expiresAt?: string | null
}
