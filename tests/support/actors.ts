import type { Actor } from '../../src/core/accounts/principals.ts'
import type { TestUser } from './factories.ts'

/** The user as the sender of a request, for functions of core. */
export const actorOf = ({ user }: Pick<TestUser, 'user'>): Actor => ({
  userId: user.id,
  userUuid: user.uuid,
  username: user.username,
  role: user.role,
  sessionId: '',
  client: { ip: '127.0.0.1', userAgent: 'test', requestId: 'test' },
})
