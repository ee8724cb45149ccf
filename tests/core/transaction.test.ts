/** A change, its events and its hooks: all of them with the outermost commit, or none of them. */
import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { eventsHint } from '../../src/core/channel/hints.ts'
import { type AppendedEvent, type LoggedEvent, readEvents } from '../../src/core/channel/log.ts'
import type { Context, Tx } from '../../src/core/context.ts'
import { CACHED_DOMAINS } from '../../src/core/generations/generations.ts'
import { singleStatement, transaction } from '../../src/core/transaction.ts'
import { users } from '../../src/db/schema/index.ts'
import { makeUser, type TestUser } from '../support/factories.ts'
import { startServer } from '../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server

const rename = async (tx: Tx, { user }: TestUser, displayName: string) => {
  await tx.db.update(users).set({ displayName }).where(eq(users.id, user.id))
  tx.emit(user.id, 'user.updated', { fields: [displayName] })
}
const nameOf = async ({ user }: TestUser) => {
  const [row] = await ctx.db.select().from(users).where(eq(users.id, user.id))
  return row!.displayName
}
const fieldsOf = (events: LoggedEvent[]) => events.flatMap(({ data }) => JSON.parse(data).fields as string[])
const logOf = async ({ user }: TestUser) => fieldsOf(await readEvents(ctx, user.id, 0, 100))

/** A user, and the hints about that user on the bus. */
async function scene(stack: DisposableStack) {
  const owner = await makeUser(server)
  const hints: string[][] = []
  const publish = stack.use(spyOn(ctx.bus, 'publish'))
  publish.mockImplementation((channel, hint) => {
    if ((channel as unknown) !== eventsHint) return
    hints.push(fieldsOf((hint as LoggedEvent[]).filter(({ userId }) => userId === owner.user.id)))
  })
  const hooks: string[] = []
  return { owner, hints, hooks }
}

describe('a transaction inside a transaction', () => {
  test('is committed with the outermost: events in the order of their emits, one hint, then the hooks', async () => {
    using stack = new DisposableStack()
    const { owner, hints, hooks } = await scene(stack)
    await transaction(ctx, async (outer) => {
      await rename(outer, owner, 'one')
      outer.afterCommit(() => hooks.push('outer'))
      const answer = await transaction(outer, async (inner) => {
        await rename(inner, owner, 'two')
        inner.afterCommit(() => hooks.push('inner'))
        await transaction(inner, (innermost) => rename(innermost, owner, 'three'))
        return 'the answer of the inner change'
      })
      expect(answer).toBe('the answer of the inner change')
      expect({ hints, hooks }).toEqual({ hints: [], hooks: [] })
      await rename(outer, owner, 'four')
    })
    expect(await nameOf(owner)).toBe('four')
    expect(await logOf(owner)).toEqual(['one', 'two', 'three', 'four'])
    expect({ hints, hooks }).toEqual({ hints: [['one', 'two', 'three', 'four']], hooks: ['outer', 'inner'] })
  })

  test('is rolled back with the outermost: no change, no event, no hint, no hook', async () => {
    using stack = new DisposableStack()
    const { owner, hints, hooks } = await scene(stack)
    const before = await nameOf(owner)
    const undone = transaction(ctx, async (outer) => {
      await transaction(outer, async (inner) => {
        await rename(inner, owner, 'undone')
        inner.afterCommit(() => hooks.push('inner'))
      })
      throw new Error('the end of the outer change')
    })
    await expect(undone).rejects.toThrow('the end of the outer change')
    expect(await nameOf(owner)).toBe(before)
    expect(await logOf(owner)).toEqual([])
    expect({ hints, hooks }).toEqual({ hints: [], hooks: [] })
  })

  test('fails the outermost also when its error is caught', async () => {
    using stack = new DisposableStack()
    const { owner, hints, hooks } = await scene(stack)
    const before = await nameOf(owner)
    const undone = transaction(ctx, async (outer) => {
      await rename(outer, owner, 'first half')
      await transaction(outer, async (inner) => {
        await rename(inner, owner, 'second half')
        inner.afterCommit(() => hooks.push('inner'))
        throw new Error('the end of the inner change')
      }).catch(() => {})
    })
    await expect(undone).rejects.toThrow('the end of the inner change')
    expect(await nameOf(owner)).toBe(before)
    expect(await logOf(owner)).toEqual([])
    expect({ hints, hooks }).toEqual({ hints: [], hooks: [] })
  })

  test('runs again as a part of the outermost when the database undid that', async () => {
    using stack = new DisposableStack()
    const { owner, hints } = await scene(stack)
    const runs = { outer: 0, inner: 0 }
    await transaction(ctx, async (outer) => {
      runs.outer++
      await transaction(outer, async (inner) => {
        await rename(inner, owner, `run ${runs.outer}`)
        if (++runs.inner === 1) throw Object.assign(new Error('deadlock detected'), { code: '40P01' })
      })
    })
    expect(runs).toEqual({ outer: 2, inner: 2 })
    expect(await logOf(owner)).toEqual(['run 2'])
    expect(hints).toEqual([['run 2']])
  })

  test('opens no savepoint and uses no other connection', async () => {
    const statements: Context['db'][] = []
    await transaction(ctx, async (outer) => {
      const opened = spyOn(outer.db, 'transaction')
      await transaction(outer, async (inner) => void statements.push(outer.db, inner.db))
      expect(opened).not.toHaveBeenCalled()
    })
    expect(statements[1]).toBe(statements[0]!)
  })

  test('refuses a lock timeout, which would outlast it', async () => {
    const refused = transaction(ctx, (outer) => transaction(outer, async () => {}, { lockMs: 100 }))
    await expect(refused).rejects.toThrow('Set it on the outermost transaction')
  })
})

describe('a single statement', () => {
  const event = ({ user }: TestUser): AppendedEvent => ({
    userId: user.id,
    seq: 1,
    type: 'user.updated',
    data: '{"fields":["one"]}',
    at: '2026-01-01T00:00:00.000Z',
    hooked: false,
  })

  test('runs again when the database undid it, and tells the bus once', async () => {
    using stack = new DisposableStack()
    const { owner, hints } = await scene(stack)
    let runs = 0
    const answer = await singleStatement(ctx, async () => {
      if (++runs < 3) throw Object.assign(new Error('deadlock detected'), { code: '40P01' })
      return { result: 'the answer', event: event(owner) }
    })
    expect({ answer, runs, hints }).toEqual({ answer: 'the answer', runs: 3, hints: [['one']] })
  })

  test('that fails or changes nothing tells the bus nothing', async () => {
    using stack = new DisposableStack()
    const { hints } = await scene(stack)
    const failed = singleStatement(ctx, () => Promise.reject(new Error('no')))
    await expect(failed).rejects.toThrow('no')
    await singleStatement(ctx, async () => ({ result: undefined, event: undefined }))
    expect(hints.flat()).toEqual([])
  })

  test('is refused inside a transaction, before it runs', async () => {
    let ran = false
    const refused = transaction(ctx, (tx) =>
      singleStatement(tx, async () => {
        ran = true
        return { result: undefined, event: undefined }
      }),
    )
    await expect(refused).rejects.toThrow('Call it after the commit')
    expect(ran).toBe(false)
  })
})

describe('the generations of what a transaction changes', () => {
  /** The domains whose generations differ after the transaction. */
  const raisedBy = async (run: (tx: Tx) => Promise<unknown>) => {
    const before = await ctx.services.generations.read()
    await transaction(ctx, run).catch(() => {})
    const after = await ctx.services.generations.read()
    return CACHED_DOMAINS.filter((domain) => after(domain) !== before(domain))
  }

  test('rise with the commit, with and without events', async () => {
    const owner = await makeUser(server)
    expect(await raisedBy(async (tx) => tx.changed('tags', 'photos'))).toEqual(['photos', 'tags'])
    const nested = await raisedBy(async (outer) => {
      outer.changed('settings')
      await transaction(outer, async (inner) => {
        inner.changed('categories', 'settings')
        inner.emit(owner.user.id, 'user.updated', { fields: [] })
      })
    })
    expect(nested).toEqual(['categories', 'settings'])
    expect(await raisedBy(async () => {})).toEqual([])
  })

  test('do not rise with a change that fails', async () => {
    const raised = await raisedBy(async (tx) => {
      tx.changed('photos')
      throw new Error('no')
    })
    expect(raised).toEqual([])
  })

  test('do not keep the events from being refused: then nothing is committed', async () => {
    const owner = await makeUser(server)
    const before = await nameOf(owner)
    const refused = transaction(ctx, async (tx) => {
      tx.changed('photos')
      await rename(tx, owner, 'undone')
      tx.emit(-1, 'user.updated', { fields: [] })
    })
    await expect(refused).rejects.toThrow()
    expect(await nameOf(owner)).toBe(before)
  })

  test('transactions that change everything at once, in any order and with events, do not deadlock', async () => {
    const owners = await Promise.all([makeUser(server), makeUser(server)])
    const before = await ctx.services.generations.read()
    let runs = 0
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        transaction(ctx, async (tx) => {
          runs++
          const domains = n % 2 ? CACHED_DOMAINS : CACHED_DOMAINS.toReversed()
          for (const domain of domains) tx.changed(domain)
          for (const { user } of n % 3 ? owners : owners.toReversed())
            tx.emit(user.id, 'user.updated', { fields: [] })
        }),
      ),
    )
    // A deadlock would have run one of them again.
    expect(runs).toBe(40)
    const after = await ctx.services.generations.read()
    const risen = CACHED_DOMAINS.map((domain) => numberOf(after(domain)) - numberOf(before(domain)))
    expect(risen).toEqual([40, 40, 40, 40])
  })

  const numberOf = (generation: string) => Number(generation.split('-').at(-1))
})
