/** The client's session against a real server. */
import { afterAll, expect, spyOn, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { memoryStore, rest, Session, type SessionEnd, type SessionStore } from '../../src/client/index.ts'
import { makeUser, PASSWORD } from '../support/factories.ts'
import { query, startServer, write } from '../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())

/** A store that several sessions use, as tabs do. */
function sharedStore(): SessionStore {
  let last: Promise<unknown> = Promise.resolve()
  return {
    ...memoryStore(),
    exclusive<T>(work: () => Promise<T>) {
      const mine = last.then(work)
      last = mine.catch(() => {})
      return mine
    },
  }
}

async function signedIn(store: SessionStore = memoryStore(), url = server.url) {
  const made = await makeUser(server)
  const session = await Session.signIn({ url, store, login: made.user.username, password: PASSWORD })
  const ends: SessionEnd[] = []
  session.onEnd((reason) => ends.push(reason))
  return { ...made, session, store, ends }
}

const restored = (store: SessionStore) => Session.restore({ url: server.url, store })

/** As if an hour had passed, for whoever reads the store. */
async function expire(store: SessionStore) {
  await store.save({ ...(await store.load())!, expiresAt: Date.now() })
  return (await restored(store))!
}

const me = async (session: Session) =>
  (await rest({ url: server.url, token: session.token }).runtime.users.me.get()).status

const rotations = async (userId: number) => {
  const [row] = await query(
    server,
    sql`select count(*)::int as tokens from refresh_tokens join sessions on sessions.id = session_id
        where user_id = ${userId} and used_at is not null`,
  )
  return row!.tokens
}

test('signs in with a username or an email, and gives its token until that is about to expire', async () => {
  const { session, user } = await signedIn()
  expect(session.user).toMatchObject({ id: user.uuid, email: user.email })
  expect(await session.token()).toBe(await session.token())
  expect(await me(session)).toBe(200)
  const credentials = { url: server.url, login: user.email, password: PASSWORD }
  await Session.signIn(credentials)
  const wrong = Session.signIn({ ...credentials, password: 'a wrong one', language: 'en' })
  await expect(wrong).rejects.toMatchObject({ status: 401, message: expect.stringMatching(/^[\x20-\x7e]+$/) })
})

test('renews its token once for all who ask at the same time', async () => {
  const { user, store } = await signedIn()
  const old = (await store.load())!
  const session = await expire(store)
  const tokens = new Set(await Promise.all(Array.from({ length: 20 }, () => session.token())))
  expect(tokens.size).toBe(1)
  expect(await rotations(user.id)).toBe(1)
  expect((await store.load())!.refreshToken).not.toBe(old.refreshToken)
})

test('of several tabs one renews, and the others take what it has stored', async () => {
  const { user, store } = await signedIn(sharedStore())
  const tabs = await Promise.all(Array.from({ length: 5 }, () => expire(store)))
  const tokens = new Set(await Promise.all(tabs.map((tab) => tab.token())))
  expect(tokens.size).toBe(1)
  expect(await rotations(user.id)).toBe(1)
})

test('a refused token is renewed although it has not expired', async () => {
  const { session, user } = await signedIn()
  await session.token()
  await session.token(true)
  expect(await rotations(user.id)).toBe(1)
})

test('an answer that gets lost does not end the session', async () => {
  let lost = 0
  const proxy = Bun.serve({
    port: 0,
    async fetch(request) {
      const answer = await fetch(new URL(new URL(request.url).pathname, server.url), request)
      if (!request.url.endsWith('/refresh') || lost++ > 0) return answer
      // The server has rotated the token; the client does not learn the new one.
      return new Response(null, { status: 504 })
    },
  })
  try {
    const { session, user } = await signedIn(memoryStore(), proxy.url.href)
    expect(await session.token(true)).toBeString()
    expect([lost, await rotations(user.id)]).toEqual([2, 1])
    expect(await me(session)).toBe(200)
  } finally {
    await proxy.stop(true)
  }
})

test('a refresh token that a thief has used ends the session', async () => {
  const { store, session, ends } = await signedIn()
  const { refreshToken } = (await store.load())!
  await rest({ url: server.url }).runtime.auth.sessions.refresh.post({ refresh_token: refreshToken })
  await write(server, sql`update refresh_tokens set used_at = used_at - interval '11 seconds'`)
  expect(await session.token(true)).toBeUndefined()
  expect(ends).toEqual(['ended'])
  expect(await store.load()).toBeUndefined()
  expect(await restored(store)).toBeUndefined()
})

test('signing out ends the session on the server, and in the other tabs', async () => {
  const { store, session, ends } = await signedIn(sharedStore())
  const other = (await restored(store))!
  const others: SessionEnd[] = []
  other.onEnd((reason) => others.push(reason))
  const token = (await session.token())!
  await session.signOut()
  await session.signOut()
  expect(ends).toEqual(['signed_out'])
  expect((await rest({ url: server.url, token }).runtime.users.me.get()).status).toBe(401)
  expect(await me(other)).toBe(401)
  expect(others).toEqual(['signed_out'])
})

test('a tab does not act as another user who has signed in in the meantime', async () => {
  const { store, session, ends } = await signedIn(sharedStore())
  const other = await signedIn(store)
  expect(await session.token(true)).toBeUndefined()
  expect(ends).toEqual(['signed_out'])
  expect(await me(other.session)).toBe(200)
})

test('signing out leaves the session of another user who has signed in in the meantime', async () => {
  const { store, session, ends } = await signedIn(sharedStore())
  const token = (await session.token())!
  const other = await signedIn(store)
  await session.signOut()
  expect(ends).toEqual(['signed_out'])
  expect((await rest({ url: server.url, token }).runtime.users.me.get()).status).toBe(401)
  expect((await store.load())!.user.id).toBe(other.user.uuid)
  expect(await other.session.token(true)).toBeString()
})

test.each([
  ['renewed', 'stored'],
  ['refused', 'deleted'],
])('a session that is %s while another user signs in is not %s in the place of theirs', async (answer) => {
  const { store, session, ends } = await signedIn()
  let others: unknown
  const proxy = Bun.serve({
    port: 0,
    async fetch(request) {
      await signedIn(store)
      others = await store.load()
      if (answer === 'refused') return Response.json({}, { status: 401 })
      return fetch(new URL(new URL(request.url).pathname, server.url), request)
    },
  })
  try {
    const renewed = (await Session.restore({ url: proxy.url.href, store }))!
    renewed.onEnd((reason) => ends.push(reason))
    expect(await renewed.token(true)).toBeUndefined()
    expect(ends).toEqual(['signed_out'])
    expect(await store.load()).toEqual(others as never)
    expect(await me(session)).toBe(200)
  } finally {
    await proxy.stop(true)
  }
})

test.each([
  ['cannot be read', { load: () => Promise.reject(new Error('no permission')) }],
  ['cannot be locked', { exclusive: () => Promise.reject(new Error('no permission')) }],
])(
  'a store that %s is reported when the user signs out, which ends the session all the same',
  async (_, fault) => {
    const { session, store, ends } = await signedIn()
    const token = (await session.token())!
    Object.assign(store, fault)
    const reported = spyOn(globalThis, 'reportError').mockImplementation(() => {})
    try {
      await session.signOut()
      expect(reported.mock.calls).toEqual([[new Error('no permission')]])
    } finally {
      reported.mockRestore()
    }
    expect(ends).toEqual(['signed_out'])
    expect((await rest({ url: server.url, token }).runtime.users.me.get()).status).toBe(401)
  },
)

test('a deactivated account ends it with its reason', async () => {
  const { session, user, ends } = await signedIn()
  await write(server, sql`update users set is_active = false where id = ${user.id}`)
  expect(await session.token(true)).toBeUndefined()
  expect(ends).toEqual(['inactive'])
})

test('a store that fails ends no session, and a handler that throws keeps no other from its turn', async () => {
  const working = memoryStore()
  let isFull = false
  const store: SessionStore = {
    ...working,
    save(session) {
      if (isFull) throw new Error('the disk is full')
      return working.save(session)
    },
    clear() {
      throw new Error('the disk is full')
    },
  }
  const { session } = await signedIn(store)
  const reported = spyOn(globalThis, 'reportError').mockImplementation(() => {})
  try {
    isFull = true
    await session.token(true)
    await write(server, sql`update refresh_tokens set used_at = used_at - interval '11 seconds'`)
    // The store still has the refresh token that has been used.
    expect(await session.token(true)).toBeString()
    expect(await me(session)).toBe(200)
    expect(reported).toHaveBeenCalledTimes(2)
    const ends: SessionEnd[] = []
    session.onEnd(() => {
      throw new Error('thrown by a handler')
    })
    session.onEnd((reason) => ends.push(reason))
    const token = (await session.token())!
    await session.signOut()
    expect(ends).toEqual(['signed_out'])
    expect((await rest({ url: server.url, token }).runtime.users.me.get()).status).toBe(401)
  } finally {
    reported.mockRestore()
  }
})

test('the page of a proxy in place of an answer is no session, and ends none', async () => {
  const { store, user } = await signedIn()
  const kept = (await store.load())!
  await store.save({ ...kept, expiresAt: Date.now() + 60_000 })
  const proxy = Bun.serve({
    port: 0,
    fetch: () => new Response('<p>Sign in to this network', { headers: { 'content-type': 'text/html' } }),
  })
  const url = proxy.url.href
  try {
    const session = (await Session.restore({ url, store }))!
    expect(await session.token()).toBe(kept.accessToken)
    const notJson = { status: 200, code: 'NOT_JSON' }
    await expect(session.token(true)).rejects.toMatchObject(notJson)
    expect(session.ended).toBeUndefined()
    await expect(Session.signIn({ url, login: user.username, password: PASSWORD })).rejects.toMatchObject(
      notJson,
    )
  } finally {
    await proxy.stop(true)
  }
})

test('a server that does not answer ends nothing: a later call may succeed', async () => {
  const { store } = await signedIn()
  const kept = (await store.load())!
  await store.save({ ...kept, expiresAt: Date.now() + 60_000 })
  const session = (await Session.restore({ url: 'http://127.0.0.1:9', store }))!
  expect(await session.token()).toBe(kept.accessToken)
  await expect(session.token(true)).rejects.toMatchObject({ status: 0, code: 'UNREACHABLE' })
  expect(session.ended).toBeUndefined()
  await session.signOut()
  expect(await store.load()).toBeUndefined()
})
