import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { updateProfile } from '../../../src/core/accounts/accounts.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { users } from '../../../src/db/schema/index.ts'
import { actorOf } from '../../support/actors.ts'
import { describedApi } from '../../support/described.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import {
  expectAnswer,
  expectRuntimeError,
  expectWithout,
  NEVER_SHOWN,
  type Shape,
} from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)

const searcher = await makeUser(server)

/** docs/contracts/runtime.md, "Users". */
const PROFILE = {
  id: 'uuid',
  username: 'string',
  avatar_url: 'string|null',
  bio: 'string|null',
} satisfies Shape

describe('GET /api/v1/users/me', () => {
  test('shows oneself', async () => {
    const { user, token } = await makeUser(server)
    const answer = await ask('GET', '/api/v1/users/me', { token })
    expectAnswer(answer, 200, PROFILE)
    expect(answer.body).toEqual({ id: user.uuid, username: user.username, avatar_url: null, bio: null })
  })
})

describe('PATCH /api/v1/users/me', () => {
  const patch = ({ token }: TestUser, body: object) => ask('PATCH', '/api/v1/users/me', { token, body })

  test('changes what is given and nothing else; null takes away what may be missing', async () => {
    const owner = await makeUser(server)
    const username = unique('new')
    const first = await patch(owner, {
      username,
      avatar_url: 'https://example.com/a.png?b=c',
      bio: '你好 🦉',
    })
    expectAnswer(first, 200, PROFILE)
    const shown = {
      id: owner.user.uuid,
      username,
      avatar_url: 'https://example.com/a.png?b=c',
      bio: '你好 🦉',
    }
    expect(first.body).toEqual(shown)
    expect((await patch(owner, {})).body).toEqual(shown)
    expect((await patch(owner, { bio: 'x'.repeat(200) })).body.username).toBe(username)
    expect((await patch(owner, { username: null, bio: null, avatar_url: null })).body).toEqual({
      ...shown,
      bio: null,
      avatar_url: null,
    })
    expect((await ask('GET', '/api/v1/users/me', owner)).body.username).toBe(username)
  })

  test('a role, an email or an id in the body is not taken', async () => {
    const owner = await makeUser(server)
    await patch(owner, { role: 'super_admin', email: 'x@example.com', id: 'x', is_active: false, bio: 'b' })
    const [row] = await server.ctx.db.select().from(users).where(eq(users.id, owner.user.id))
    expect(row).toMatchObject({
      role: 'user',
      email: owner.user.email,
      uuid: owner.user.uuid,
      isActive: true,
    })
  })

  test('a taken username: 409', async () => {
    const [owner, other] = [await makeUser(server), await makeUser(server)]
    const answer = await patch(owner, { username: other.user.username.toUpperCase() })
    expectRuntimeError(answer, { status: 409, code: 'USERNAME_ALREADY_EXISTS' })
  })

  test.each<[string, object, string]>([
    ['a short username', { username: 'ab' }, 'username'],
    ['a username with markup', { username: '<b>x</b>' }, 'username'],
    ['a long bio', { bio: 'x'.repeat(201) }, 'bio'],
    ['a bio that is a number', { bio: 5 }, 'bio'],
    ['a picture that is no URL', { avatar_url: 'picture.png' }, 'avatar_url'],
    ['a picture that is a script', { avatar_url: 'javascript:alert(1)' }, 'avatar_url'],
    ['a picture in the URL itself', { avatar_url: 'data:image/png;base64,AAAA' }, 'avatar_url'],
    ['a long picture', { avatar_url: `https://example.com/${'a'.repeat(2000)}` }, 'avatar_url'],
  ])('%s: 422', async (_, body, field) => {
    const answer = await patch(await makeUser(server), body)
    expectRuntimeError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
  })
})

describe('GET /api/v1/auth/users', () => {
  const look = (token: string, email: string) =>
    ask('GET', `/api/v1/auth/users?email=${encodeURIComponent(email)}`, { token })

  test('shows oneself, in any case of the email', async () => {
    const { user, token } = await makeUser(server)
    const answer = await look(token, user.email.toUpperCase())
    expectAnswer(answer, 200, {
      id: 'uuid',
      email: 'string',
      created_at: 'instant',
      email_confirmed_at: 'instant|null',
    })
    expect(answer.body).toEqual({
      id: user.uuid,
      email: user.email,
      created_at: user.createdAt.toISOString(),
      email_confirmed_at: null,
    })
  })

  test('shows anybody to administrators, and 404 where there is nobody', async () => {
    const { user } = await makeUser(server)
    for (const role of ['admin', 'super_admin'] as const) {
      const { token } = await makeUser(server, { role })
      expect((await look(token, user.email)).body.id).toBe(user.uuid)
      const answer = await look(token, `${unique('no')}@example.com`)
      expectRuntimeError(answer, { status: 404, code: 'NOT_FOUND' })
    }
  })

  test('for others 403, whether there is such a user or not', async () => {
    const [owner, editor] = [await makeUser(server), await makeUser(server, { role: 'editor' })]
    const answers = [
      await look(editor.token, owner.user.email),
      await look(editor.token, `${unique('no')}@example.com`),
    ]
    for (const answer of answers) {
      expectRuntimeError(answer, { status: 403, code: 'FORBIDDEN' })
      expectWithout(answer, owner.user.uuid, owner.user.username)
    }
    expect(answers[0]!.text).toBe(answers[1]!.text)
  })

  test.each(['', '?email=', '?email=nonsense', '?email[]=a@example.com', '?mail=a@example.com'])(
    '%p: 422',
    async (text) => {
      const { token } = await makeUser(server)
      const answer = await ask('GET', `/api/v1/auth/users${text}`, { token })
      expectRuntimeError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: ['email'] })
    },
  )
})

describe('POST /api/v1/users/search', () => {
  const search = (text: unknown, by = searcher) =>
    ask('POST', '/api/v1/users/search', { token: by.token, body: { query: text } })
  /** The usernames that a search finds, in its order. */
  const found = async (text: string) => {
    const answer = await search(text)
    expectAnswer(answer, 200, [PROFILE])
    expectWithout(answer, '@', ...NEVER_SHOWN)
    return answer.body.map(({ username }: { username: string }) => username) as string[]
  }
  const named = async (displayName: string, username = unique('n')) => {
    await updateProfile(server.ctx, actorOf(await makeUser(server)), { displayName, username })
    return username
  }

  test('finds two Chinese characters in a display name, wherever they stand, and one', async () => {
    const night = await named('上海夜景')
    const scene = await named('夜景摄影师')
    const exact = await named('夜景')
    const other = await named('夜晚的风景')
    expect(await found('夜景')).toEqual([exact, scene, night])
    expect(await found('摄影')).toEqual([scene])
    expect((await found('夜')).sort()).toEqual([night, scene, exact, other].sort())
    expect(await found('夜色')).toEqual([])
  })

  test('ranks who is called so before whose name begins so before whose name contains it', async () => {
    const part = unique('q')
    const inside = await named('x', `a-${part}`)
    const prefix = await named('x', `${part}.b`)
    const exact = await named('x', part)
    const display = await named(part.toUpperCase(), `z${unique('z')}`)
    expect(await found(part.toUpperCase())).toEqual([exact, display, prefix, inside])
  })

  test('ranks also in a crowd: at most 20, and the exact one is the first of them', async () => {
    const part = unique('c').slice(0, 9)
    for (let i = 0; i < 25; i++) await named('x', `${i < 15 ? 'a-' : ''}${part}${i}`)
    const exact = await named('x', part)
    const names = await found(part)
    expect(names.length).toBe(20)
    expect(names[0]).toBe(exact)
    expect(names.slice(1, 11).every((name) => name.startsWith(part))).toBe(true)
    expect(new Set(names).size).toBe(20)
  })

  test.each(['%', '_', '%%', '___', '\\', "' or 1=1 --", '*', '\n', '🦉🦉'])(
    '%p is nothing but itself',
    async (text) => {
      expect(await found(text)).toEqual([])
    },
  )

  test('a percent sign, an underscore and a backslash are found where they are', async () => {
    const percent = await named('100% sure')
    const under = await named('x', `snake_${unique('x')}`)
    const back = await named('C:\\owl')
    expect(await found('0%')).toEqual([percent])
    expect(await found('snake_')).toEqual([under])
    expect(await found('\\owl')).toEqual([back])
  })

  test('an email finds exactly its user, without showing it; a part of one nobody', async () => {
    const { user } = await makeUser(server)
    expect(await found(user.email.toUpperCase())).toEqual([user.username])
    expect(await found(user.email.slice(1))).toEqual([])
    expect(await found(`${user.email}m`)).toEqual([])
    expect(await found('@example.com')).toEqual([])
    expect(await found('example.com')).toEqual([])
  })

  test('deactivated users are not found', async () => {
    const { user } = await makeUser(server, { isActive: false })
    expect(await found(user.username)).toEqual([])
    expect(await found(user.email)).toEqual([])
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty one', ''],
    ['a long one', 'x'.repeat(101)],
    ['a number', 5],
  ])('%s: 422', async (_, text) => {
    expectRuntimeError(await search(text), { status: 422, code: 'VALIDATION_ERROR', fields: ['query'] })
  })

  test('can be answered by the index', async () => {
    const plan = await transaction(server.ctx, async (tx) => {
      // Reading a table this small as a whole is quicker. An index that does not fit the condition would stay unused.
      await tx.db.execute(sql`set local enable_seqscan = off`)
      return tx.db.execute(
        sql`explain select id from users where name_grams(search_key, 1) @> name_grams('龙猫', 2)`,
      )
    })
    expect(JSON.stringify(plan)).toContain('users_search_idx')
  })
})
