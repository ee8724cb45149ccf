import { boolean, index, integer, pgTable, serial, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant } from './columns.ts'

/** A request that a mailed code confirms. The code is made when its mail is written; until then it is null. */
const coded = {
  email: text('email').notNull(),
  /** `foldCase` of the email; empty where a server of an older version wrote it. */
  emailKey: text('email_key').notNull().default(''),
  language: text('language', { enum: ['zh', 'en'] }).notNull(),
  /** The target of the mail's link. */
  redirectTo: text('redirect_to'),
  codeHash: text('code_hash'),
  codeExpiresAt: instant('code_expires_at'),
  wrongTries: integer('wrong_tries').notNull().default(0),
  /** Of the request: until then it may be sent another code. */
  expiresAt: instant('expires_at').notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
}

/** A sign-up whose email is not verified. It becomes an account with the code. One email may have several sign-ups. */
export const signups = pgTable(
  'signups',
  {
    id: uuid('id').primaryKey(),
    username: text('username').notNull(),
    passwordHash: text('password_hash').notNull(),
    inviteCode: text('invite_code'),
    ...coded,
  },
  (t) => [index('signups_email_key_idx').on(t.emailKey, t.id), index('signups_expires_idx').on(t.expiresAt)],
)

/** Anybody may request one for any email. `userId` is looked up when the mail is written. */
export const passwordResets = pgTable(
  'password_resets',
  {
    id: uuid('id').primaryKey(),
    userId: integer('user_id').references(() => users.id, { onDelete: 'cascade' }),
    ...coded,
  },
  (t) => [
    index('password_resets_user_idx').on(t.userId),
    index('password_resets_email_key_idx').on(t.emailKey, t.id),
    index('password_resets_expires_idx').on(t.expiresAt),
    // A mailed token names no email.
    index('password_resets_hash_idx').on(t.codeHash),
  ],
)

export const inviteCodes = pgTable(
  'invite_codes',
  {
    id: serial('id').primaryKey(),
    code: text('code').notNull(),
    createdBy: integer('created_by').references(() => users.id, { onDelete: 'set null' }),
    isActive: boolean('is_active').notNull().default(true),
    /** Null: any number. */
    maxUses: integer('max_uses'),
    usedCount: integer('used_count').notNull().default(0),
    expiresAt: instant('expires_at'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [uniqueIndex('invite_codes_code_key').on(t.code)],
)

/** Which user signed up with which invite code. */
export const invitations = pgTable(
  'invitations',
  {
    userId: integer('user_id')
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    inviteCodeId: integer('invite_code_id')
      .notNull()
      .references(() => inviteCodes.id, { onDelete: 'cascade' }),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (t) => [index('invitations_code_idx').on(t.inviteCodeId)],
)
