import { eq } from 'drizzle-orm'
import { nameKeys } from '../../src/core/accounts/name-keys.ts'
import { hashPassword } from '../../src/core/accounts/passwords.ts'
import type { Role } from '../../src/core/accounts/permissions.ts'
import type { User } from '../../src/core/accounts/rows.ts'
import { addSession, issueTokens, type SignedIn } from '../../src/core/accounts/sessions.ts'
import { SERVER } from '../../src/core/audit/audit.ts'
import { createNode } from '../../src/core/nodes/nodes.ts'
import { createTask, type NewTask } from '../../src/core/tasks/create.ts'
import type { TaskDetail } from '../../src/core/tasks/tasks.ts'
import { transaction } from '../../src/core/transaction.ts'
import { users } from '../../src/db/schema/index.ts'
import { addMoney } from './ledger.ts'
import type { TestServer } from './server.ts'

/** Unique in every process, so that no test meets another's rows. */
export const unique = (prefix: string): string =>
  `${prefix}${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`

export interface TestUser {
  user: User
  password: string
  token: string
  refreshToken: string
}

const CLIENT = { ip: '127.0.0.1', userAgent: 'test', requestId: 'test' }

/** The password of every user that `makeUser` makes. */
export const PASSWORD = 'correct horse'
/** Of PASSWORD, made once in a process: a hash takes longer than everything else about a user. */
let passwordHash: Promise<string> | undefined

export interface NewUser {
  role?: Role
  isActive?: boolean
  balanceMinor?: number
  /** Lifetime of the access token; a negative one has expired already. */
  minutes?: number
}

/** A signed-in user. */
export async function makeUser(server: TestServer, input: NewUser = {}): Promise<TestUser> {
  const { ctx } = server
  passwordHash ??= hashPassword(PASSWORD)
  const name = unique('u')
  const names = { username: name, displayName: `Person ${name}`, email: `${name}@example.com` }
  const [user] = await ctx.db
    .insert(users)
    .values({
      uuid: Bun.randomUUIDv7(),
      ...names,
      ...nameKeys(names),
      passwordHash: await passwordHash,
      role: input.role ?? 'user',
    })
    .returning()
  await addMoney(server, user!.id, input.balanceMinor ?? 0)
  const session = await openSession(server, user!, input.minutes ?? 30)
  // An inactive user could not have opened the session.
  if (input.isActive === false)
    await ctx.db.update(users).set({ isActive: false }).where(eq(users.id, user!.id))
  return { user: user!, password: PASSWORD, token: session.accessToken, refreshToken: session.refreshToken }
}

/** Without the event of a sign-in, so that a test's channel begins empty. */
async function openSession({ ctx }: TestServer, user: User, minutes: number): Promise<SignedIn> {
  const { sessionId, refreshToken } = await transaction(ctx, (tx) => addSession(tx, user, CLIENT))
  return issueTokens(ctx, user, sessionId, refreshToken, minutes)
}

/** One more session of the same user. */
export async function signInAgain(server: TestServer, { user }: TestUser): Promise<TestUser> {
  const session = await openSession(server, user, 30)
  return { user, password: '', token: session.accessToken, refreshToken: session.refreshToken }
}

export async function makeTask(
  server: TestServer,
  owner: TestUser,
  input: Partial<NewTask> = {},
): Promise<TaskDetail> {
  return createTask(server.ctx, owner.user.id, {
    kind: 'gpu',
    title: unique('task '),
    taskType: 'test',
    ...input,
  } as NewTask)
}

export async function makeNode(server: TestServer, maxConcurrentTasks = 2) {
  return createNode(server.ctx, SERVER, { name: unique('node-'), host: '10.0.0.1', maxConcurrentTasks })
}
