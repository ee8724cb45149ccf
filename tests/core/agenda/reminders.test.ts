/** Reminders: one for each occurrence, also with several servers and when a server is killed. */
import { afterAll, describe, expect, test } from 'bun:test'
import { and, asc, eq } from 'drizzle-orm'
import type postgres from 'postgres'
import { createItem, deleteItem, type NewItem, updateItem } from '../../../src/core/agenda/items.ts'
import { sendReminders } from '../../../src/core/agenda/reminders.ts'
import type { Item } from '../../../src/core/agenda/rows.ts'
import type { Context } from '../../../src/core/context.ts'
import { type Db, openDatabase } from '../../../src/db/client.ts'
import { events, scheduleItems } from '../../../src/db/schema/index.ts'
import { createLogger } from '../../../src/util/logger.ts'
import { makeUser } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import { openLive } from '../../support/sockets.ts'

const server = await startServer()
const { ctx } = server
/** A second server on the same database; the embedded one has only one connection, which both use. */
const second = ctx.config.databaseUrl ? await openDatabase(ctx.config, createLogger('silent')) : undefined
const other: Context = second ? { ...ctx, db: second.db } : ctx
afterAll(async () => {
  await second?.close()
  await server.stop()
})

/** In a year so far away that the server's own schedule sends nothing. */
const at = (text: string) => new Date(`2090-${text}Z`)
const add = async (input: Partial<NewItem> = {}) => {
  const { user } = await makeUser(server)
  const item = await createItem(
    ctx,
    user.id,
    { title: 't', startAt: '2090-03-01T09:00:00Z', reminderMinutes: 15, ...input },
    'manual',
  )
  return { user, item, change: (change: object) => updateItem(ctx, user.id, item.id, change) }
}
const told = async ({ userId }: Pick<Item, 'userId'>) => {
  const rows = await ctx.db
    .select({ data: events.data })
    .from(events)
    .where(and(eq(events.userId, userId), eq(events.type, 'schedule.reminder')))
    .orderBy(asc(events.seq))
  return rows.map(({ data }) => data as Record<string, unknown>)
}
const startsTold = async (item: Item) =>
  (await told(item)).map(({ start_at }) => String(start_at).slice(5, 16))

test('comes when it is due, not before, and once', async () => {
  const { item } = await add({ endAt: '2090-03-01T10:00:00Z', timezone: 'Europe/Berlin' })
  await sendReminders(ctx, at('03-01T08:44:59'))
  expect(await told(item)).toEqual([])
  for (const time of ['08:45:00', '08:45:10', '09:00:00']) await sendReminders(ctx, at(`03-01T${time}`))
  expect(await told(item)).toEqual([
    {
      item_id: item.id,
      title: 't',
      timezone: 'Europe/Berlin',
      reminder_minutes: 15,
      start_at: '2090-03-01T09:00:00.000Z',
      end_at: '2090-03-01T10:00:00.000Z',
    },
  ])
})

test('comes before each occurrence, at the time on the clock, but not before an exception', async () => {
  const { item } = await add({
    // Clocks go forward on the 26th.
    startAt: '2090-03-24T09:00',
    timezone: 'Europe/Berlin',
    rrule: 'FREQ=DAILY;COUNT=4',
    exceptions: ['2090-03-25T09:00'],
  })
  for (let minute = 0; minute < 7 * 24 * 60; minute += 60) {
    await sendReminders(ctx, new Date(at('03-23T00:00').getTime() + minute * 60_000))
  }
  expect(await startsTold(item)).toEqual(['03-24T08:00', '03-26T07:00', '03-27T07:00'])
})

test('comes once from several servers', async () => {
  const items = await Promise.all(Array.from({ length: 12 }, () => add({ rrule: 'FREQ=DAILY;COUNT=3' })))
  for (const day of ['01', '02', '03', '04']) {
    await Promise.all([ctx, other, ctx, other].map((one) => sendReminders(one, at(`03-${day}T08:50`))))
  }
  for (const { item } of items) {
    expect(await startsTold(item)).toEqual(['03-01T09:00', '03-02T09:00', '03-03T09:00'])
  }
})

/** A transaction whose server is killed before the last statement, which carries the commit. */
function mortal(db: Db): Db {
  const { client } = (db as unknown as { session: { client: postgres.Sql & { commitNext?: boolean } } })
    .session
  const { unsafe } = client
  client.unsafe = (...statement) => {
    if (client.commitNext) throw new Error('killed')
    return unsafe(...statement)
  }
  return db
}

test('comes once although a server was killed before its commit', async () => {
  const { item } = await add()
  const killed = Object.create(ctx.db, {
    transaction: { value: (run: (db: Db) => unknown) => ctx.db.transaction(async (db) => run(mortal(db))) },
  })
  const cut = sendReminders({ ...ctx, db: killed }, at('03-01T08:50'))
  await expect(cut).rejects.toMatchObject({ cause: { message: 'killed' } })
  expect(await told(item)).toEqual([])
  await sendReminders(other, at('03-01T08:51'))
  await sendReminders(ctx, at('03-01T08:51'))
  expect(await told(item)).toHaveLength(1)
})

test('an item whose occurrences cannot be computed does not delay other reminders', async () => {
  const [broken, fine] = [await add({ rrule: 'FREQ=DAILY' }), await add({ rrule: 'FREQ=DAILY' })]
  const inNoZone = { timezone: 'Mars/Olympus_Mons', rrule: 'FREQ=NONSENSE' }
  await ctx.db.update(scheduleItems).set(inNoZone).where(eq(scheduleItems.id, broken.item.id))
  for (const day of ['01', '02']) await sendReminders(ctx, at(`03-${day}T08:45`))
  expect(await startsTold(fine.item)).toEqual(['03-01T09:00', '03-02T09:00'])
  expect(await startsTold(broken.item)).toEqual(['03-01T09:00'])
  await deleteItem(ctx, fine.user.id, fine.item.id)
})

describe('when no server ran', () => {
  test.each([
    ['08:59', 1],
    ['09:05', 1],
    ['09:05:00.001', 0],
    ['18:00', 0],
  ])('at %s the one of nine has %i reminders', async (time, count) => {
    const { item } = await add()
    await sendReminders(ctx, at(`03-01T${time}`))
    expect(await told(item)).toHaveLength(count)
    await sendReminders(ctx, at(`03-02T${time.slice(0, 5)}`))
    expect(await told(item)).toHaveLength(count)
  })

  test('a series skips past occurrences and goes on', async () => {
    const { item } = await add({ rrule: 'FREQ=DAILY;COUNT=10' })
    await sendReminders(ctx, at('03-05T08:50'))
    await sendReminders(ctx, at('03-06T08:45'))
    expect(await startsTold(item)).toEqual(['03-05T09:00', '03-06T09:00'])
  })
})

describe('an item that changes', () => {
  test('gets a second reminder only when its time has changed', async () => {
    const { item, change } = await add()
    await sendReminders(ctx, at('03-01T08:50'))
    await change({ title: 'other', endAt: '2090-03-01T12:00Z', description: 'd' })
    await change({ reminderMinutes: 30 })
    await sendReminders(ctx, at('03-01T08:51'))
    expect(await startsTold(item)).toEqual(['03-01T09:00'])
    await change({ startAt: '2090-03-01T08:55Z' })
    await sendReminders(ctx, at('03-01T08:52'))
    expect(await startsTold(item)).toEqual(['03-01T09:00', '03-01T08:55'])
  })

  test.each([{ status: 'completed' }, { status: 'cancelled' }, { reminderMinutes: null }])(
    'gets no reminder with %j',
    async (values) => {
      const { item, change } = await add()
      await change(values)
      await sendReminders(ctx, at('03-01T08:50'))
      expect(await told(item)).toEqual([])
    },
  )

  test('gets no reminder when it is deleted, and gets one when it is active again', async () => {
    const [{ item, change }, gone] = [await add(), await add()]
    await change({ status: 'completed' })
    await change({ status: 'active' })
    await deleteItem(ctx, gone.user.id, gone.item.id)
    await sendReminders(ctx, at('03-01T08:50'))
    expect(await told(item)).toHaveLength(1)
    expect(await told(gone.item)).toEqual([])
  })
})

test('all items get a reminder, also more than one transaction takes', async () => {
  const { user } = await makeUser(server)
  const input = { title: 't', startAt: '2091-03-01T09:00:00Z', reminderMinutes: 0 }
  for (let i = 0; i < 230; i++) await createItem(ctx, user.id, input, 'agent')
  expect(await sendReminders(ctx, new Date('2091-03-01T09:00:00Z'))).toBe(230)
  expect(await sendReminders(ctx, new Date('2091-03-01T09:00:00Z'))).toBeUndefined()
  expect(await told({ userId: user.id })).toHaveLength(230)
})

test('the server sends them by itself, a late one too, unless it is paused', async () => {
  const { scheduler } = server.ctx
  expect(await scheduler.pause('schedule_reminders')).toBe(true)
  const { user, token } = await makeUser(server)
  const live = await openLive(server, token)
  const startAt = new Date(Date.now() + 10 * 60_000).toISOString()
  await createItem(ctx, user.id, { title: 'soon', startAt, reminderMinutes: 15 }, 'manual')
  await live.next('schedule.created')
  expect((await scheduler.status()).jobs.find(({ id }) => id === 'schedule_reminders')!.paused).toBe(true)
  expect(await scheduler.resume('schedule_reminders')).toBe(true)
  const isReminder = (frame: { type: string }) => frame.type === 'schedule.reminder'
  const { data } = await live.until((frames) => frames.find(isReminder), 'the reminder', 15_000)
  expect(data).toMatchObject({ title: 'soon', start_at: startAt, reminder_minutes: 15 })
  live.close()
})
