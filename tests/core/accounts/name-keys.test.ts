/** What accounts are unique by does not depend on the database, nor on how old they are. */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq, inArray } from 'drizzle-orm'
import postgres from 'postgres'
import { createAccount, findAccount, insertAccount } from '../../../src/core/accounts/accounts.ts'
import { fillNameKeys } from '../../../src/core/accounts/name-keys.ts'
import { searchUsers } from '../../../src/core/accounts/search.ts'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { fillNodeKeys } from '../../../src/core/nodes/name-keys.ts'
import { createNode, listNodes, updateNode } from '../../../src/core/nodes/nodes.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { nodes, users } from '../../../src/db/schema/index.ts'
import { createLogger } from '../../../src/util/logger.ts'
import { PASSWORD, unique } from '../../support/factories.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const URL_OF_POSTGRES = process.env.TEST_DATABASE_URL
const log = createLogger('silent')

/** A database whose `lower` differs from `foldCase`. */
async function inLocale(locale: string): Promise<{ server: TestServer; stop: () => Promise<void> }> {
  const admin = postgres(URL_OF_POSTGRES!, { max: 1, onnotice: () => {} })
  const name = unique('roost_locale_')
  await admin.unsafe(`create database ${name} template template0 encoding 'UTF8' ${locale}`)
  const url = new URL(URL_OF_POSTGRES!)
  url.pathname = `/${name}`
  const server = await startServer({ DATABASE_URL: url.href })
  return {
    server,
    async stop() {
      await server.stop()
      await admin.unsafe(`drop database ${name} with (force)`)
      await admin.end()
    },
  }
}

const LOCALES = ["lc_collate 'C' lc_ctype 'C'", "locale_provider icu icu_locale 'tr' locale 'C'"]

describe.skipIf(!URL_OF_POSTGRES)('on PostgreSQL', () => {
  test.each(LOCALES)(
    'with %s names are the same as everywhere',
    async (locale) => {
      const { server, stop } = await inLocale(locale)
      try {
        const { ctx } = server
        const make = (username: string, email = `${unique('l')}@example.com`) =>
          createAccount(ctx, SERVER, { email, username, password: PASSWORD })
        const { id } = await make('МАРИЯ', 'MAIL.I@EXAMPLE.COM')
        for (const name of ['МАРИЯ', 'мария', 'Мария', 'mail.i@example.com', 'Mail.I@Example.com']) {
          expect((await findAccount(ctx, name))?.id).toBe(id)
        }
        await expect(make('мария')).rejects.toMatchObject({ code: 'USERNAME_TAKEN' })
        await expect(make('other', 'mail.i@example.com')).rejects.toMatchObject({ code: 'EMAIL_TAKEN' })
        expect((await searchUsers(ctx, id, 'мари')).map((user) => user.id)).toEqual([id])
      } finally {
        await stop()
      }
    },
    60_000,
  )
})

describe('accounts from before there were keys', () => {
  let server: TestServer
  afterAll(() => server.stop())

  /** As an older version wrote them: without keys, unique by the database's `lower`. */
  async function old(username: string, email = `${unique('o')}@example.com`): Promise<number> {
    const row = {
      username: unique('x'),
      displayName: username,
      email: `${unique('x')}@example.com`,
      passwordHash: '-',
    }
    const { id } = await transaction(server.ctx, (tx) => insertAccount(tx, SERVER, row))
    const none = { emailKey: null, usernameKey: null, usernameLook: null, usernameTypedLook: null }
    await server.ctx.db
      .update(users)
      .set({ username, email, ...none, searchKey: null })
      .where(eq(users.id, id))
    return id
  }

  test('get theirs; those that are the same now stay apart, each found by its own spelling', async () => {
    server = await startServer()
    const { ctx } = server
    const decomposed = '김민수'.normalize('NFD')
    const email = `${unique('o')}@example.com`
    const older = await old('김민수', email)
    const newer = await old(decomposed, email.toUpperCase())
    const look = await old('김мин')
    const alike = await old('김mиh')
    const plain = await old(unique('Plain'))
    await fillNameKeys(ctx.db, log)
    const found = async (name: string) => (await findAccount(ctx, name))?.id
    expect(await found('김민수')).toBe(older)
    expect(await found(decomposed)).toBe(newer)
    expect(await found(email)).toBe(older)
    expect(await found(email.toUpperCase())).toBe(newer)
    for (const id of [look, alike, plain]) {
      const [user] = await ctx.db.select().from(users).where(eq(users.id, id))
      expect(await found(user!.username.toUpperCase())).toBe(id)
    }
    const make = createAccount(ctx, SERVER, {
      email: email.replace('@', '2@'),
      username: decomposed,
      password: PASSWORD,
    })
    await expect(make).rejects.toMatchObject({ code: 'USERNAME_TAKEN' })
    // And again, which changes nothing.
    const rows = () =>
      ctx.db
        .select()
        .from(users)
        .where(inArray(users.id, [older, newer, look, alike]))
    const before = await rows()
    await fillNameKeys(ctx.db, log)
    expect(await rows()).toEqual(before)
  })

  test('get theirs in batches, also where a newer account has taken one', async () => {
    const { ctx } = server
    const name = unique('taken')
    const owner = await createAccount(ctx, SERVER, {
      email: `${name}@example.com`,
      username: name,
      password: PASSWORD,
    })
    const late = await old(name.toUpperCase())
    const rows = Array.from({ length: 1200 }, () => {
      const username = unique('many')
      return {
        uuid: Bun.randomUUIDv7(),
        username,
        displayName: 'n',
        email: `${username}@example.com`,
        passwordHash: '-',
      }
    })
    await ctx.db.insert(users).values(rows)
    await fillNameKeys(ctx.db, log)
    expect((await findAccount(ctx, name))!.id).toBe(owner.id)
    expect((await findAccount(ctx, name.toUpperCase()))!.id).toBe(late)
    expect((await findAccount(ctx, rows.at(-1)!.email.toUpperCase()))!.username).toBe(rows.at(-1)!.username)
  }, 60_000)
})

test('names of nodes are compared so, too, also of those from before', async () => {
  const server = await startServer()
  try {
    const { ctx } = server
    const make = (name: string) => createNode(ctx, SERVER, { name, host: 'h', maxConcurrentTasks: 1 })
    const older = await make('УЗЕЛ Straße')
    await expect(make('узел STRASSE')).rejects.toMatchObject({ code: 'NAME_TAKEN' })
    const newer = await make('other')
    await expect(updateNode(ctx, SERVER, newer.node.uuid, { name: 'Узел strasse' })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
    await ctx.db.update(nodes).set({ nameKey: null })
    await ctx.db.update(nodes).set({ name: 'узел strasse' }).where(eq(nodes.id, newer.node.id))
    await fillNodeKeys(ctx.db)
    const names = (await listNodes(ctx)).map(({ name }) => name)
    expect(names).toEqual([older.node.name, 'узел strasse'])
    await expect(make('УЗЕЛ STRASSE')).rejects.toMatchObject({ code: 'NAME_TAKEN' })
  } finally {
    await server.stop()
  }
})
