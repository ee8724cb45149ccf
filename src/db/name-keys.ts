/** What an account is unique by and found by: keys that the application makes, so that no locale of the database counts. */
import { asc, inArray, isNull, or, sql } from 'drizzle-orm'
import { skeletonOf } from '../util/confusables.ts'
import { foldCase } from '../util/fold.ts'
import type { Logger } from '../util/logger.ts'
import type { Db } from './client.ts'
import { violatedConstraint } from './errors.ts'
import { users } from './schema/index.ts'

type User = typeof users.$inferSelect

/** Of a username: by itself, and by what it looks like, in any case of its letters and in the case that it was typed in. */
export const usernameKeys = (username: string) => ({
  usernameKey: foldCase(username),
  usernameLook: skeletonOf(foldCase(username)),
  usernameTypedLook: foldCase(skeletonOf(username)),
})

/** Both names, on lines of their own: so a line break before a text means "begins with", one after it "ends with". */
export const searchKey = ({ username, displayName }: Pick<User, 'username' | 'displayName'>): string =>
  `\n${foldCase(username)}\n${foldCase(displayName)}\n`

export const nameKeys = (user: Pick<User, 'username' | 'displayName' | 'email'>) => ({
  emailKey: foldCase(user.email),
  ...usernameKeys(user.username),
  searchKey: searchKey(user),
})

/** The key of a name that an older account has, too, for an account from before names were compared so: by its spelling. */
const spelled = (name: string): string => `${foldCase(name)}\n${name}`

/** The keys that the name may have which somebody signs in with: of any spelling, and of the exact one. */
export const keysOf = (name: string): [any: string, exact: string] => [foldCase(name), spelled(name)]

const BATCH = 500
const TRIES = 5

/**
 * Gives their keys to accounts that have none: those of before there were keys, and those that a server of an older
 * version makes while this one is rolled out. Two of them that have the same key now stay two accounts: the newer one is
 * found by the exact spelling of its name.
 */
export async function fillNameKeys(db: Db, log: Logger): Promise<void> {
  for (let tries = 1; ; ) {
    try {
      if (await fillBatch(db, log)) return
      tries = 1
    } catch (error) {
      // Somebody has just taken one of the names.
      if (!violatedConstraint(error)?.startsWith('users_') || tries++ === TRIES) throw error
    }
  }
}

/** @returns whether none is left */
async function fillBatch(db: Db, log: Logger): Promise<boolean> {
  const { id, username, displayName, email } = users
  const rows = await db
    .select({ id, username, displayName, email })
    .from(users)
    .where(or(isNull(users.emailKey), isNull(users.usernameKey)))
    .orderBy(asc(id))
    .limit(BATCH)
  if (rows.length === 0) return true
  const made = rows.map((row) => ({ ...row, ...nameKeys(row) }))
  const taken = await takenAmong(db, made)
  const filled = made.map((row) => {
    const free = (column: Unique) => !taken[column].has(row[column]) && taken[column].add(row[column])
    const keys = {
      id: row.id,
      searchKey: row.searchKey,
      emailKey: free('emailKey') ? row.emailKey : spelled(row.email),
      usernameKey: free('usernameKey') ? row.usernameKey : spelled(row.username),
      usernameLook: free('usernameLook') ? row.usernameLook : null,
      usernameTypedLook: free('usernameTypedLook') ? row.usernameTypedLook : null,
    }
    if (keys.emailKey !== row.emailKey || keys.usernameKey !== row.usernameKey) {
      log.warn(
        { userId: row.id },
        'an account shares its name with an older one: it signs in by the exact one',
      )
    }
    return keys
  })
  await db.execute(sql`
    update users u set email_key = x."emailKey", username_key = x."usernameKey", username_look = x."usernameLook",
      username_typed_look = x."usernameTypedLook", search_key = x."searchKey"
    from json_to_recordset(${JSON.stringify(filled)}::text::json) as x(id integer, "emailKey" text, "usernameKey" text,
      "usernameLook" text, "usernameTypedLook" text, "searchKey" text)
    where u.id = x.id`)
  return rows.length < BATCH
}

const UNIQUE = ['emailKey', 'usernameKey', 'usernameLook', 'usernameTypedLook'] as const
type Unique = (typeof UNIQUE)[number]

/** Which of these keys other accounts have already. */
async function takenAmong(db: Db, made: Record<Unique, string>[]): Promise<Record<Unique, Set<string>>> {
  const { emailKey, usernameKey, usernameLook, usernameTypedLook } = users
  const conditions = UNIQUE.map((column) =>
    inArray(
      users[column],
      made.map((row) => row[column]),
    ),
  )
  const rows = await db
    .select({ emailKey, usernameKey, usernameLook, usernameTypedLook })
    .from(users)
    .where(or(...conditions))
  const setOf = (column: Unique) => new Set(rows.flatMap((row) => row[column] ?? []))
  return {
    emailKey: setOf('emailKey'),
    usernameKey: setOf('usernameKey'),
    usernameLook: setOf('usernameLook'),
    usernameTypedLook: setOf('usernameTypedLook'),
  }
}
