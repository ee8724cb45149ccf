/** The calendar feed: its secret address, and its content as calendar programs read it. */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { Elysia } from 'elysia'
import ICAL from 'ical.js'
import nodeIcal, { type VEvent } from 'node-ical'
import pino from 'pino'
import { createItem, type NewItem, updateItem } from '../../../../src/core/agenda/items.ts'
import { Metrics } from '../../../../src/core/metrics.ts'
import { users } from '../../../../src/db/schema/index.ts'
import { requestLog } from '../../../../src/http/request-log.ts'
import { RequestMetrics } from '../../../../src/http/request-metrics.ts'
import { ShownPaths } from '../../../../src/util/shown-path.ts'
import { describedApi } from '../../../support/described.ts'
import { makeUser, type TestUser } from '../../../support/factories.ts'
import { eventually } from '../../../support/process.ts'
import { startServer } from '../../../support/server.ts'
import { expectRuntimeError } from '../../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
const ask = describedApi(server)
const FEED = '/api/v1/schedule-items/feed'

async function open({ token }: TestUser): Promise<string> {
  const answer = await ask('POST', FEED, { token })
  expect(answer.status).toBe(201)
  expect(answer.body.url).toBe(`${server.url}/api/v1/schedule-items.ics?token=${answer.body.token}`)
  return answer.body.url
}
const add = ({ user }: TestUser, item: Partial<NewItem> & { startAt: string }) =>
  createItem(ctx, user.id, { title: 't', ...item }, 'manual')
async function feedOf(owner: TestUser): Promise<string> {
  return (await fetch(await open(owner))).text()
}
const gone = async (url: string) => {
  const answer = await ask('GET', url.slice(server.url.length))
  expectRuntimeError(answer, { status: 404, code: 'NOT_FOUND' })
  expect(answer.text).not.toContain(new URL(url).searchParams.get('token') || 'cal_')
}

describe('the secret address', () => {
  test('is made, told of, replaced and ended', async () => {
    const owner = await makeUser(server)
    const told = async () => (await ask('GET', FEED, { token: owner.token })).body
    expect(await told()).toEqual({ active: false, created_at: null })
    const first = await open(owner)
    expect(await told()).toMatchObject({ active: true, created_at: expect.stringMatching(/Z$/) })
    expect((await fetch(first)).status).toBe(200)
    const second = await open(owner)
    await gone(first)
    expect((await fetch(second)).status).toBe(200)
    const end = () => ask('DELETE', FEED, { token: owner.token })
    expect((await end()).status).toBe(204)
    await gone(second)
    expect(await told()).toEqual({ active: false, created_at: null })
    expect((await end()).status).toBe(204)
  })

  test.each(['', '?token=', '?token=cal_nonsense', '?token=%00', `?token=${'x'.repeat(200)}`])(
    'with %j there is nothing',
    (text) => gone(`${server.url}/api/v1/schedule-items.ics${text}`),
  )

  test('ends with the account, and is no access token', async () => {
    const owner = await makeUser(server)
    const url = await open(owner)
    const token = new URL(url).searchParams.get('token')!
    expect((await ask('GET', FEED, { token })).status).toBe(401)
    await gone(`${server.url}/api/v1/schedule-items.ics?token=${owner.token.slice(0, 190)}`)
    await ctx.db.update(users).set({ isActive: false }).where(eq(users.id, owner.user.id))
    await gone(url)
  })

  test('is in no log', async () => {
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: (line) => lines.push(line) })
    const app = new Elysia()
      .use(requestLog(log, new RequestMetrics(new Metrics()), new ShownPaths()))
      .get('/feed.ics', () => 'x')
    await app.handle(new Request('http://localhost/feed.ics?token=cal_recognisable'))
    await eventually(() => lines.length > 0, 'a line')
    expect(lines.join('')).toContain('/feed.ics')
    expect(lines.join('')).not.toContain('cal_recognisable')
  })
})

test('it is an iCalendar file that is fetched anew only when it has changed', async () => {
  const owner = await makeUser(server)
  const item = await add(owner, { startAt: new Date().toISOString() })
  const url = await open(owner)
  const first = await fetch(url)
  expect(first.headers.get('content-type')).toBe('text/calendar; charset=utf-8')
  expect(first.headers.get('cache-control')).toBe('private, no-cache')
  const etag = first.headers.get('etag')!
  const again = () => fetch(url, { headers: { 'if-none-match': etag } })
  const same = await again()
  expect([same.status, same.headers.get('etag'), await same.text()]).toEqual([304, etag, ''])
  await updateItem(ctx, owner.user.id, item.id, { title: 'other' })
  const changed = await again()
  expect(changed.status).toBe(200)
  expect(await changed.text()).toContain('SUMMARY:other\r\n')
})

test('an event has what calendar programs need, in the form that RFC 5545 wants', async () => {
  const owner = await makeUser(server)
  const item = await add(owner, {
    title: 'Review; a, b \\ c',
    description: 'one\ntwo',
    startAt: '2026-12-01T09:00',
    endAt: '2026-12-01T10:30',
    timezone: 'Europe/Berlin',
    metadata: { location: 'Room "A", 2nd; floor' },
    rrule: 'FREQ=WEEKLY;BYDAY=TU;UNTIL=20270301',
    exceptions: ['2026-12-08T09:00'],
    reminderMinutes: 15,
  })
  const text = await feedOf(owner)
  expect(text).toStartWith('BEGIN:VCALENDAR\r\n')
  expect(text).toEndWith('END:VCALENDAR\r\n')
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  const event = text.slice(text.indexOf('BEGIN:VEVENT'), text.indexOf('END:VCALENDAR')).split('\r\n')
  expect(event.filter((line) => !/^(DTSTAMP|CREATED|LAST-MODIFIED):\d{8}T\d{6}Z$/.test(line))).toEqual([
    'BEGIN:VEVENT',
    `UID:${item.id}@roost`,
    'SEQUENCE:0',
    'DTSTART;TZID=Europe/Berlin:20261201T090000',
    'DTEND;TZID=Europe/Berlin:20261201T103000',
    'RRULE:FREQ=WEEKLY;BYDAY=TU;UNTIL=20270301T225959Z',
    'EXDATE;TZID=Europe/Berlin:20261208T090000',
    'SUMMARY:Review\\; a\\, b \\\\ c',
    'DESCRIPTION:one\\ntwo',
    'LOCATION:Room "A"\\, 2nd\\; floor',
    'STATUS:CONFIRMED',
    'BEGIN:VALARM',
    'ACTION:DISPLAY',
    'DESCRIPTION:Review\\; a\\, b \\\\ c',
    'TRIGGER:-PT15M',
    'END:VALARM',
    'END:VEVENT',
    '',
  ])
  expect(text.match(/BEGIN:VTIMEZONE\r\nTZID:Europe\/Berlin\r\n/g)).toHaveLength(1)
})

test('the status is told, changes are counted, and an item that has no end or time zone has none', async () => {
  const owner = await makeUser(server)
  const { id } = await add(owner, { startAt: '2030-01-01T00:00Z', endAt: '2030-01-01T00:00Z' })
  await updateItem(ctx, owner.user.id, id, { status: 'cancelled' })
  const cancelled = await feedOf(owner)
  expect(cancelled).toContain('SEQUENCE:1\r\nDTSTART:20300101T000000Z\r\nSUMMARY:t\r\nSTATUS:CANCELLED\r\n')
  expect(cancelled).not.toContain('VTIMEZONE')
  await updateItem(ctx, owner.user.id, id, { status: 'completed' })
  expect(await feedOf(owner)).toContain('STATUS:CONFIRMED')
})

test('it reaches a year back, and a series as long as it lasts', async () => {
  const owner = await makeUser(server)
  const year = new Date().getUTCFullYear()
  await add(owner, { title: 'long ago', startAt: `${year - 2}-01-01T00:00Z` })
  await add(owner, { title: 'over', startAt: `${year - 3}-01-01T00:00Z`, rrule: 'FREQ=DAILY;COUNT=3' })
  await add(owner, { title: 'still', startAt: `${year - 3}-01-01T00:00Z`, rrule: 'FREQ=YEARLY' })
  await add(owner, { title: 'lately', startAt: new Date(Date.now() - 86_400_000).toISOString() })
  const shown = [...(await feedOf(owner)).matchAll(/SUMMARY:(.*)\r/g)].map(([, title]) => title)
  expect(shown.sort()).toEqual(['lately', 'still'])
})

test('lines are folded at 75 octets, never within a character, and are whole when unfolded', async () => {
  const owner = await makeUser(server)
  const titles = [
    '会议室预订'.repeat(50),
    '👩‍👩‍👧‍👦🦉'.repeat(15),
    `a${'é'.repeat(200)}`,
    `ab${'夜'.repeat(200)}`,
    'x'.repeat(255),
  ]
  for (const title of titles) {
    await add(owner, { title, description: title.repeat(5).slice(0, 2000), startAt: '2030-01-01T00:00Z' })
  }
  const bytes = new TextEncoder().encode(await feedOf(owner))
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const lines = decoder.decode(bytes).split('\r\n')
  expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(75)
  // UTF-8 would turn half a surrogate pair into a replacement character.
  expect(lines.join('')).not.toContain('\ufffd')
  const events = Object.values(nodeIcal.parseICS(decoder.decode(bytes))) as VEvent[]
  const shown = events.filter(({ type }) => type === 'VEVENT').map(({ summary }) => String(summary))
  expect(shown.sort()).toEqual([...titles].sort())
})

describe('round trip', () => {
  interface Case {
    item: Partial<NewItem> & { startAt: string }
    /** Instants, calculated by hand. */
    occurrences: string[]
  }
  const CASES: [string, Case][] = [
    [
      'Berlin, into summer time',
      {
        item: {
          timezone: 'Europe/Berlin',
          startAt: '2027-03-26T09:00',
          endAt: '2027-03-26T10:00',
          rrule: 'FREQ=DAILY;COUNT=5',
          exceptions: ['2027-03-28T09:00'],
        },
        occurrences: ['2027-03-26T08', '2027-03-27T08', '2027-03-29T07', '2027-03-30T07'],
      },
    ],
    [
      'Berlin, out of it',
      {
        item: { timezone: 'Europe/Berlin', startAt: '2027-10-29T09:00', rrule: 'FREQ=DAILY;UNTIL=20271101' },
        occurrences: ['2027-10-29T07', '2027-10-30T07', '2027-10-31T08', '2027-11-01T08'],
      },
    ],
    [
      'New York, out of it, weekly',
      {
        item: {
          timezone: 'America/New_York',
          startAt: '2027-10-27T18:00',
          endAt: '2027-10-27T19:30',
          rrule: 'FREQ=WEEKLY;BYDAY=WE,SU;COUNT=6',
          exceptions: ['2027-11-03T22:00:00Z'],
        },
        occurrences: ['2027-10-27T22', '2027-10-31T22', '2027-11-07T23', '2027-11-10T23', '2027-11-14T23'],
      },
    ],
    [
      'New York, the last working day of a month',
      {
        item: {
          timezone: 'America/New_York',
          startAt: '2027-01-29T12:00',
          rrule: 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=4',
        },
        occurrences: ['2027-01-29T17', '2027-02-26T17', '2027-03-31T16', '2027-04-30T16'],
      },
    ],
    [
      'a zone under its old name',
      {
        item: { timezone: 'Asia/Calcutta', startAt: '2027-01-01T05:30', rrule: 'FREQ=YEARLY;COUNT=2' },
        occurrences: ['2027-01-01T00', '2028-01-01T00'],
      },
    ],
    [
      'UTC, once',
      { item: { startAt: '2027-01-01T00:00Z', endAt: '2027-01-02T00:00Z' }, occurrences: ['2027-01-01T00'] },
    ],
  ]

  test.each(CASES)('another parser reads what was meant: %s', async (_, { item, occurrences }) => {
    const owner = await makeUser(server)
    const made = await add(owner, { title: '会议 🦉', ...item })
    const events = nodeIcal.parseICS(await feedOf(owner))
    const event = Object.values(events).find((one): one is VEvent => one?.type === 'VEVENT')!
    expect(event).toMatchObject({ uid: `${made.id}@roost`, summary: '会议 🦉', status: 'CONFIRMED' })
    const [from, to] = [new Date('2026-12-01'), new Date('2029-01-01')]
    const instances = nodeIcal.expandRecurringEvent(event, { from, to })
    expect(instances.map(({ start }) => start.toISOString().slice(0, 13))).toEqual(occurrences)
    const length = made.endAt ? made.endAt.getTime() - made.startAt.getTime() : 0
    for (const { start, end } of instances) expect(end.getTime() - start.getTime()).toBe(length)
  })

  test.each(CASES.filter(([name]) => !name.includes('working day')))(
    'by the time zones in the file alone: %s',
    async (_, { item, occurrences }) => {
      const owner = await makeUser(server)
      await add(owner, item)
      const calendar = new ICAL.Component(ICAL.parse(await feedOf(owner)))
      const event = new ICAL.Event(calendar.getFirstSubcomponent('vevent')!)
      const found: string[] = []
      const iterator = event.iterator()
      for (let at = iterator.next(); at && found.length < 20; at = iterator.next()) {
        found.push(at.toJSDate().toISOString().slice(0, 13))
      }
      expect(found).toEqual(occurrences)
    },
  )
})
