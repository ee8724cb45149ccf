import { eq } from 'drizzle-orm'
import { createAccount, type User } from '../../src/core/accounts/accounts.ts'
import type { Role } from '../../src/core/accounts/permissions.ts'
import { openSession } from '../../src/core/accounts/sessions.ts'
import { createNode } from '../../src/core/nodes/nodes.ts'
import { createTask, type NewTask, type TaskDetail } from '../../src/core/tasks/tasks.ts'
import { users } from '../../src/db/schema/index.ts'
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

const CLIENT = { ip: '127.0.0.1', userAgent: 'test' }

/** A signed-in user. */
export async function makeUser(
  server: TestServer,
  input: { role?: Role; minutes?: number } = {},
): Promise<TestUser> {
  const { ctx } = server
  const name = unique('u')
  const password = 'correct horse'
  const created = await createAccount(ctx, {
    email: `${name}@example.com`,
    username: name,
    password,
    role: input.role ?? 'user',
  })
  const session = await openSession(ctx, created, input.minutes ?? 30, CLIENT)
  return { user: session.user, password, token: session.accessToken, refreshToken: session.refreshToken }
}

/** One more session of the same user. */
export async function signInAgain(server: TestServer, { user }: TestUser): Promise<TestUser> {
  const session = await openSession(server.ctx, user, 30, CLIENT)
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
  return createNode(server.ctx, { name: unique('node-'), host: '10.0.0.1', maxConcurrentTasks })
}

export async function setBalance(
  server: TestServer,
  { user }: TestUser,
  balanceMinor: number,
): Promise<void> {
  await server.ctx.db.update(users).set({ balanceMinor }).where(eq(users.id, user.id))
}
