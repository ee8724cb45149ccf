/** The keys by which an account is unique and found. The server makes them, so that the database's locale does not matter. */
import { and, asc, inArray, isNull, or, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { violatedConstraint } from '../../db/errors.ts'
import { users } from '../../db/schema/index.ts'
import { skeletonOf } from '../../util/confusables.ts'
import { foldCase } from '../../util/fold.ts'
import type { Logger } from '../../util/logger.ts'
import type { User } from './rows.ts'

/** The keys of a username: its folded form, and what it looks like, with folded letters and with the letters as typed. */
export const usernameKeys = (username: string) => ({
  usernameKey: foldCase(username),
  usernameLook: skeletonOf(foldCase(username)),
  usernameTypedLook: foldCase(skeletonOf(username)),
})

/** Each name has a line of its own, so that a line break before a text means "begins with", and one after it "ends with". */
export const searchKey = ({ username, displayName }: Pick<User, 'username' | 'displayName'>): string =>
  `\n${foldCase(username)}\n${foldCase(displayName)}\n`

export const nameKeys = (user: Pick<User, 'username' | 'displayName' | 'email'>) => ({
  emailKey: foldCase(user.email),
  ...usernameKeys(user.username),
  searchKey: searchKey(user),
})

/** The key of an account that is older than these keys and whose folded name is the key of another account. */
const spelled = (name: string): string => `${foldCase(name)}\n${name}`

/** The keys of a name that a user signs in with: `any` for all spellings, `exact` for this one. */
export const keysOf = (name: string): [any: string, exact: string] => [foldCase(name), spelled(name)]

const BATCH = 500
const TRIES = 5

/**
 * Fills the keys of accounts that have none: accounts from before these keys, and accounts that a server of an older
 * version creates during a rolling upgrade. Two accounts whose keys would be the same stay apart: the newer one is found
 * by the exact spelling of its name.
 */
export async function fillNameKeys(db: Db, log: Logger): Promise<void> {
  for (let tries = 1; ; ) {
    try {
      if (await fillBatch(db, log)) return
      tries = 1
    } catch (error) {
      // A sign-up has just taken one of the names.
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
    // A deleted account has no keys, so that its names are free.
    .where(and(or(isNull(users.emailKey), isNull(users.usernameKey)), isNull(users.deletedAt)))
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
        'an account shares its name with an older one; its user signs in with the exact spelling',
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
