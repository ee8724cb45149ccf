import { hashPassword } from '../../src/core/accounts/passwords.ts'
import type { Role } from '../../src/core/accounts/permissions.ts'
import { openSession } from '../../src/core/accounts/sessions.ts'
import { nameKeys } from '../../src/db/name-keys.ts'
import { users } from '../../src/db/schema/index.ts'
import { type TestUser, unique } from './factories.ts'
import type { TestServer } from './server.ts'

export const PASSWORD = 'correct horse'
let hash: Promise<string> | undefined

export interface Person {
  role?: Role
  isActive?: boolean
  balanceMinor?: number
  /** Lifetime of the access token; a negative one has expired already. */
  minutes?: number
}

/** A signed-in user with PASSWORD, without the price of hashing it anew. */
export async function person(server: TestServer, input: Person = {}): Promise<TestUser> {
  const { ctx } = server
  hash ??= hashPassword(PASSWORD)
  const name = unique('p')
  const [user] = await ctx.db
    .insert(users)
    .values({
      uuid: Bun.randomUUIDv7(),
      username: name,
      displayName: `Person ${name}`,
      email: `${name}@example.com`,
      ...nameKeys({ username: name, displayName: `Person ${name}`, email: `${name}@example.com` }),
      passwordHash: await hash,
      role: input.role ?? 'user',
      isActive: input.isActive ?? true,
      balanceMinor: input.balanceMinor ?? 0,
    })
    .returning()
  const session = await openSession(ctx, user!, input.minutes ?? 30, { ip: '127.0.0.1', userAgent: 'test' })
  return { user: user!, password: PASSWORD, token: session.accessToken, refreshToken: session.refreshToken }
}
