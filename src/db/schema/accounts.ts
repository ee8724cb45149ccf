import { sql } from 'drizzle-orm'
import { boolean, check, index, integer, pgTable, serial, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { nameGrams } from '../names.ts'
import { instant, minor } from './columns.ts'

export const users = pgTable(
  'users',
  {
    id: serial('id').primaryKey(),
    uuid: uuid('uuid').notNull().unique(),
    username: text('username').notNull(),
    displayName: text('display_name').notNull(),
    email: text('email').notNull(),
    /** Keys for uniqueness and search (`core/accounts/name-keys.ts`); null until a server has filled them. */
    emailKey: text('email_key'),
    usernameKey: text('username_key'),
    usernameLook: text('username_look'),
    usernameTypedLook: text('username_typed_look'),
    searchKey: text('search_key'),
    passwordHash: text('password_hash').notNull(),
    role: text('role', { enum: ['super_admin', 'admin', 'editor', 'user'] })
      .notNull()
      .default('user'),
    isActive: boolean('is_active').notNull().default(true),
    avatarUrl: text('avatar_url'),
    bio: text('bio'),
    /** When the owner proved, by a code from their mailbox, that the email is theirs. */
    emailConfirmedAt: instant('email_confirmed_at'),
    /** The user is warned when the available balance falls below it; null for no warning. */
    lowBalanceMinor: minor('low_balance_minor'),
    lastLoginAt: instant('last_login_at'),
    /** When the account was deleted. The row stays, without personal data, for the ledger. */
    deletedAt: instant('deleted_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('users_email_key_idx').on(t.emailKey),
    uniqueIndex('users_username_key_idx').on(t.usernameKey),
    uniqueIndex('users_username_look_idx').on(t.usernameLook),
    uniqueIndex('users_username_typed_look_idx').on(t.usernameTypedLook),
    index('users_unnamed_idx')
      .on(t.id)
      .where(sql`(${t.emailKey} is null or ${t.usernameKey} is null) and ${t.deletedAt} is null`),
    // Other servers poll for users that were changed in the last seconds.
    index('users_updated_idx').on(t.updatedAt),
    // Few users have another role than the lowest one, and events of the site go to them.
    index('users_staff_idx').on(t.role).where(sql`${t.role} <> 'user'`),
    // For the search for people.
    index('users_search_idx').using('gin', nameGrams(sql`${t.searchKey}`, 1)),
    index('users_deleted_idx').on(t.deletedAt).where(sql`${t.deletedAt} is not null`),
    // No query by a name, by a role or for active users can find a deleted account, so only queries by id and lists of all
    // accounts have to leave it out.
    check(
      'users_deleted_check',
      sql`${t.deletedAt} is null or (coalesce(${t.emailKey}, ${t.usernameKey}, ${t.usernameLook}, ${t.usernameTypedLook}, ${t.searchKey}) is null
        and ${t.role} = 'user' and not ${t.isActive})`,
    ),
  ],
)

export const sessions = pgTable(
  'sessions',
  {
    id: uuid('id').primaryKey(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    userAgent: text('user_agent'),
    ip: text('ip'),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** Of the last request, to a minute. */
    lastSeenAt: instant('last_seen_at').notNull().defaultNow(),
    /** When the newest refresh token expires; moves on with every rotation. */
    expiresAt: instant('expires_at').notNull(),
    revokedAt: instant('revoked_at'),
  },
  (t) => [
    index('sessions_user_idx').on(t.userId),
    index('sessions_expires_idx').on(t.expiresAt),
    // Other servers poll for sessions that were revoked in the last seconds.
    index('sessions_revoked_idx').on(t.revokedAt).where(sql`${t.revokedAt} is not null`),
  ],
)

export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    hash: text('hash').primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** Set when the token was rotated; a later use is a replay. */
    usedAt: instant('used_at'),
  },
  (t) => [index('refresh_tokens_session_idx').on(t.sessionId)],
)
