/** docs/contracts/runtime.md, "Schedule items": what a user can write, what a window contains, what the server refuses. */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { type Answer, api } from '../../../support/api.ts'
import { describedApi } from '../../../support/described.ts'
import { makeUser, type TestUser } from '../../../support/factories.ts'
import { form, pdf, upload } from '../../../support/files.ts'
import { query, startServer } from '../../../support/server.ts'
import { expectAnswer, expectRuntimeError, type Shape } from '../../../support/shapes.ts'
import { openLive } from '../../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const PATH = '/api/v1/schedule-items'

const ITEM: Shape = {
  id: 'uuid',
  title: 'string',
  description: 'string|null',
  start_at: 'instant',
  end_at: 'instant|null',
  timezone: 'string',
  metadata: 'object',
  status: 'string',
  source_type: 'string',
  created_at: 'instant',
  updated_at: 'instant',
}
const START = '2026-03-02T09:00:00Z'
const END = '2026-03-02T10:00:00Z'

async function create(token: string, body: object) {
  const answer = await ask('POST', PATH, { token, body: { title: 't', start_at: START, ...body } })
  expect(answer.status, answer.text).toBe(201)
  return answer.body
}
const list = async (token: string, window: Record<string, string> = {}) => {
  const answer = await ask('GET', `${PATH}?${new URLSearchParams(window)}`, { token })
  expect(answer.status, answer.text).toBe(200)
  return answer.body as { id: string; start_at: string; end_at: string | null; title: string }[]
}
const starts = async (token: string, window: Record<string, string>) =>
  (await list(token, window)).map(({ start_at }) => start_at.replace('.000Z', 'Z'))
const expectProblem = (answer: Answer, status: number, code: string, ...fields: string[]) =>
  expectRuntimeError(answer, { status, code, ...(fields.length > 0 && { fields }) })

describe('POST /api/v1/schedule-items', () => {
  test("the document's own body makes an item with every documented field", async () => {
    const { token } = await makeUser(server)
    const metadata = {
      color: '#FF6B6B',
      location: '会议室A',
      notes: '记得带身份证',
      attachments: [],
      version: 1,
    }
    const body = { title: '周会', description: 'd', start_at: START, end_at: END, timezone: 'UTC', metadata }
    const answer = await ask('POST', PATH, { token, body })
    expectAnswer(answer, 201, ITEM)
    expect(answer.body).toMatchObject({
      ...body,
      start_at: '2026-03-02T09:00:00.000Z',
      end_at: '2026-03-02T10:00:00.000Z',
      status: 'active',
      source_type: 'manual',
    })
    const read = await ask('GET', `${PATH}/${answer.body.id}`, { token })
    expect(read.body).toEqual(answer.body)
  })

  test('title and start are enough; the time zone is UTC then', async () => {
    const { token } = await makeUser(server)
    expect(await create(token, {})).toMatchObject({
      description: null,
      end_at: null,
      timezone: 'UTC',
      metadata: {},
      rrule: null,
      exceptions: [],
    })
  })

  test.each([
    ['2026-03-02T09:00:00+08:00', 'UTC', '2026-03-02T01:00:00.000Z'],
    ['2026-03-02T09:00:00.25Z', 'Asia/Shanghai', '2026-03-02T09:00:00.250Z'],
    ['2026-03-02T09:00', 'Asia/Shanghai', '2026-03-02T01:00:00.000Z'],
    ['2026-07-02 09:00:00', 'America/New_York', '2026-07-02T13:00:00.000Z'],
    ['2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
    ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
  ])('%s in %s is %s', async (start_at, timezone, instant) => {
    const { token } = await makeUser(server)
    expect((await create(token, { start_at, timezone })).start_at).toBe(instant)
  })

  test('a time zone is spelt as IANA does', async () => {
    const { token } = await makeUser(server)
    expect((await create(token, { timezone: 'europe/berlin' })).timezone).toBe('Europe/Berlin')
    expect((await create(token, { timezone: 'Etc/UTC' })).timezone).toBe('Etc/UTC')
  })

  test('what is null is as if left out', async () => {
    const { token } = await makeUser(server)
    const nothing = { description: null, end_at: null, timezone: null, metadata: null, rrule: null }
    const item = await create(token, { ...nothing, exceptions: null, reminder_minutes: null })
    expect(item).toMatchObject({ ...nothing, timezone: 'UTC', metadata: {}, exceptions: [] })
  })

  const bad: [object, string][] = [
    [{ title: '' }, 'title'],
    [{ title: ' \t' }, 'title'],
    [{ title: 'x'.repeat(256) }, 'title'],
    [{ title: null }, 'title'],
    [{ description: 'x'.repeat(2001) }, 'description'],
    [{ start_at: undefined }, 'start_at'],
    [{ start_at: 'tomorrow' }, 'start_at'],
    [{ start_at: '2026-03-02' }, 'start_at'],
    [{ start_at: '2026-02-30T09:00:00Z' }, 'start_at'],
    [{ start_at: '2026-03-02T25:00:00Z' }, 'start_at'],
    [{ start_at: '0000-01-01T00:00:00Z' }, 'start_at'],
    [{ start_at: '9999-12-31T23:59:59-12:00' }, 'start_at'],
    [{ start_at: 1_772_000_000 }, 'start_at'],
    [{ end_at: '' }, 'end_at'],
    ...['Mars/Olympus', '+08:00', 'CET+1', '', 'PT', 'x'.repeat(65)].map((timezone): [object, string] => [
      { timezone },
      'timezone',
    ]),
    [{ metadata: 'x' }, 'metadata'],
    [{ metadata: { color: 'red' } }, 'metadata.color'],
    [{ metadata: { color: '#12345' } }, 'metadata.color'],
    [{ metadata: { location: 'x'.repeat(256) } }, 'metadata.location'],
    [{ metadata: { notes: 7 } }, 'metadata.notes'],
    [{ metadata: { version: 0 } }, 'metadata.version'],
    [{ metadata: { version: 1.5 } }, 'metadata.version'],
    [{ metadata: { version: '2' } }, 'metadata.version'],
    [{ metadata: { version: 2 ** 53 } }, 'metadata.version'],
    [{ metadata: { colour: '#123456' } }, 'metadata.colour'],
    [{ metadata: { toString: 1 } }, 'metadata.toString'],
    [{ metadata: { attachments: [7] } }, 'metadata.attachments.0.material_id'],
    [{ metadata: { attachments: [{ material_id: 2 ** 31 }] } }, 'metadata.attachments.0.material_id'],
    [{ metadata: { attachments: [{ material_id: 999_999 }] } }, 'metadata.attachments'],
    [{ metadata: { attachments: Array(21).fill({ material_id: 1 }) } }, 'metadata.attachments'],
    [{ rrule: 'FREQ=HOURLY' }, 'rrule'],
    [{ rrule: 'FREQ=WEEKLY;BYDAY=TU' }, 'rrule'],
    [{ exceptions: [START] }, 'rrule'],
    [{ rrule: 'FREQ=DAILY', exceptions: ['x'] }, 'exceptions'],
    [{ reminder_minutes: -1 }, 'reminder_minutes'],
    [{ reminder_minutes: 40_321 }, 'reminder_minutes'],
    [{ reminder_minutes: 1.5 }, 'reminder_minutes'],
  ]
  test.each(bad)('%j is 422', async (change, field) => {
    const { token } = await makeUser(server)
    const answer = await ask('POST', PATH, { token, body: { title: 't', start_at: START, ...change } })
    expectProblem(answer, 422, 'VALIDATION_ERROR', field)
    expect(await list(token)).toEqual([])
  })

  test('an end before the start is 400, and at the start is none', async () => {
    const { token } = await makeUser(server)
    const answer = await ask('POST', PATH, { token, body: { title: 't', start_at: END, end_at: START } })
    expectProblem(answer, 400, 'INVALID_RANGE')
    expect(answer.body).toMatchObject({
      type: 'about:blank',
      title: 'Bad Request',
      detail: '结束时间不能早于开始时间',
      instance: PATH,
    })
    await create(token, { end_at: START })
  })
})

describe('PATCH /api/v1/schedule-items/{id}', () => {
  test('changes what is given, empties what is null, and leaves the rest', async () => {
    const { token } = await makeUser(server)
    const before = await create(token, { end_at: END, description: 'd', metadata: { color: '#000000' } })
    const patch = async (body: object) => (await ask('PATCH', `${PATH}/${before.id}`, { token, body })).body
    expect(await patch({})).toEqual(before)
    const changed = await patch({ title: 'other', status: 'completed' })
    expect(changed).toEqual({
      ...before,
      title: 'other',
      status: 'completed',
      updated_at: changed.updated_at,
    })
    expect(changed.updated_at >= before.updated_at).toBe(true)
    const emptied = await patch({ end_at: null, description: null, metadata: null })
    expect(emptied).toMatchObject({ end_at: null, description: null, metadata: {}, title: 'other' })
  })

  test('keeps the version of its metadata as it is sent, whatever it is', async () => {
    const { token } = await makeUser(server)
    const { id, metadata } = await create(token, { metadata: { color: '#000000' } })
    expect(metadata).toEqual({ color: '#000000', version: 1 })
    for (const version of [2, 7, 3, Number.MAX_SAFE_INTEGER]) {
      const body = { metadata: { notes: 'n', version } }
      const answer = await ask('PATCH', `${PATH}/${id}`, { token, body })
      expect(answer.body.metadata).toEqual({ notes: 'n', version })
      expect((await ask('GET', `${PATH}/${id}`, { token })).body.metadata).toEqual({ notes: 'n', version })
    }
    const made = await create(token, { metadata: { version: 12 } })
    expect(made.metadata).toEqual({ version: 12 })
  })

  test('a time without an offset is read in the new time zone, or in the one there is', async () => {
    const { token } = await makeUser(server)
    const { id } = await create(token, { timezone: 'Asia/Shanghai' })
    const patch = async (body: object) => (await ask('PATCH', `${PATH}/${id}`, { token, body })).body
    expect((await patch({ start_at: '2026-03-05T08:00' })).start_at).toBe('2026-03-05T00:00:00.000Z')
    expect(await patch({ start_at: '2026-03-05T08:00', timezone: 'Europe/Berlin' })).toMatchObject({
      start_at: '2026-03-05T07:00:00.000Z',
      timezone: 'Europe/Berlin',
    })
    // A change of the zone alone moves no instant.
    expect((await patch({ timezone: 'UTC' })).start_at).toBe('2026-03-05T07:00:00.000Z')
  })

  test('judges the range by what results', async () => {
    const { token } = await makeUser(server)
    const { id } = await create(token, { end_at: END })
    const patch = (body: object) => ask('PATCH', `${PATH}/${id}`, { token, body })
    expectProblem(await patch({ start_at: '2026-03-02T10:00:01Z' }), 400, 'INVALID_RANGE')
    expectProblem(await patch({ end_at: '2026-03-02T08:59:59Z' }), 400, 'INVALID_RANGE')
    expect((await patch({ start_at: '2026-03-03T09:00Z', end_at: '2026-03-03T09:30Z' })).status).toBe(200)
  })

  test.each([
    [{ title: null }, 'title'],
    [{ title: '' }, 'title'],
    [{ start_at: null }, 'start_at'],
    [{ timezone: 'nowhere' }, 'timezone'],
    [{ status: 'done' }, 'status'],
    [{ metadata: { version: 0 } }, 'metadata.version'],
    [{ rrule: 'nonsense' }, 'rrule'],
  ])('%j is 422', async (body, field) => {
    const { token } = await makeUser(server)
    const item = await create(token, {})
    const answer = await ask('PATCH', `${PATH}/${item.id}`, { token, body })
    expectProblem(answer, 422, 'VALIDATION_ERROR', field)
    expect((await ask('GET', `${PATH}/${item.id}`, { token })).body).toEqual(item)
  })
})

describe('DELETE /api/v1/schedule-items/{id}', () => {
  test('is soft: 204, and from then on 404 everywhere', async () => {
    const { token } = await makeUser(server)
    const { id } = await create(token, {})
    const remove = () => ask('DELETE', `${PATH}/${id}`, { token })
    const answer = await remove()
    expect([answer.status, answer.text]).toEqual([204, ''])
    expectProblem(await remove(), 404, 'NOT_FOUND')
    expectProblem(await ask('GET', `${PATH}/${id}`, { token }), 404, 'NOT_FOUND')
    expectProblem(await ask('PATCH', `${PATH}/${id}`, { token, body: { title: 'x' } }), 404, 'NOT_FOUND')
    expect(await list(token)).toEqual([])
    const [row] = await query(server, sql`select deleted_at from schedule_items where id = ${id}`)
    expect(row!.deleted_at).not.toBeNull()
  })
})

describe('who', () => {
  const ROUTES = [
    ['GET', '', undefined],
    ['POST', '', { title: 't', start_at: START }],
    ['GET', '/{id}', undefined],
    ['PATCH', '/{id}', { title: 'x' }],
    ['DELETE', '/{id}', undefined],
    ['GET', '/feed', undefined],
    ['POST', '/feed', undefined],
    ['DELETE', '/feed', undefined],
  ] as const
  test.each(ROUTES)('%s %s, signed out: 401', async (method, path, body) => {
    const url = PATH + path.replace('{id}', crypto.randomUUID())
    expectProblem(await ask(method, url, { body }), 401, 'UNAUTHORIZED')
  })

  test("somebody else's item is 404, for administrators too, and in no list", async () => {
    const { id } = await create((await makeUser(server)).token, { title: 'secret' })
    for (const role of ['user', 'super_admin'] as const) {
      const { token } = await makeUser(server, { role })
      expectProblem(await ask('GET', `${PATH}/${id}`, { token }), 404, 'NOT_FOUND')
      expectProblem(await ask('PATCH', `${PATH}/${id}`, { token, body: { title: 'x' } }), 404, 'NOT_FOUND')
      expectProblem(await ask('DELETE', `${PATH}/${id}`, { token }), 404, 'NOT_FOUND')
      expect(await list(token)).toEqual([])
    }
  })

  test.each(['1', 'nonsense', '%00', `${crypto.randomUUID()}0`, "'--", 'FEED', '🦉', 'x'.repeat(2000)])(
    'no item has the id %s',
    async (id) => {
      const { token } = await makeUser(server)
      expectProblem(await api(server, 'GET', `${PATH}/${id}`, { token }), 404, 'NOT_FOUND')
      expectProblem(await api(server, 'DELETE', `${PATH}/${id}`, { token }), 404, 'NOT_FOUND')
      const patch = await api(server, 'PATCH', `${PATH}/${id}`, { token, body: { title: 'x' } })
      expectProblem(patch, 404, 'NOT_FOUND')
    },
  )
})

describe('GET /api/v1/schedule-items', () => {
  test('lists what overlaps, in order, with the documented fields', async () => {
    const { token } = await makeUser(server)
    const late = await create(token, { title: 'late', start_at: '2026-03-09T09:00Z' })
    const early = await create(token, { title: 'early', end_at: END })
    const answer = await ask('GET', PATH, { token })
    expectAnswer({ ...answer, body: answer.body[0] }, 200, ITEM)
    expect(answer.body.map((item: { id: string }) => item.id)).toEqual([early.id, late.id])
    expect(answer.headers.get('link')).toBeNull()
  })

  // The item lasts from nine to ten.
  test.each([
    [{ start_at: START, end_at: END }, 1],
    [{ start_at: '2026-03-02T09:30Z', end_at: '2026-03-02T09:31Z' }, 1],
    [{ start_at: '2026-03-02T08:00Z', end_at: START }, 0],
    [{ start_at: '2026-03-02T08:00Z', end_at: '2026-03-02T09:00:00.001Z' }, 1],
    [{ start_at: END, end_at: '2026-03-02T11:00Z' }, 0],
    [{ start_at: '2026-03-02T09:59:59.999Z', end_at: '2026-03-02T11:00Z' }, 1],
    [{ start_at: START, end_at: START }, 1],
    [{ start_at: END, end_at: END }, 0],
    [{ start_at: '2026-03-02' }, 1],
    [{ start_at: '2026-03-03' }, 0],
    [{ start_at: END }, 0],
    [{ end_at: '2026-03-02' }, 1],
    [{ end_at: '2026-03-01' }, 0],
    [{ end_at: START }, 0],
    [{ start_at: '0001-01-01', end_at: '9999-12-31T23:59:59Z' }, 1],
    [{ start_at: '9999-12-31', end_at: '9999-12-31' }, 0],
    [{ start_at: '2026-03-02', end_at: '2026-03-02' }, 1],
    [{ start_at: '2026-03-02T09:30', end_at: '2026-03-02' }, 1],
    // Ten o'clock in Berlin is nine in UTC; in Berlin the day before has ended.
    [{ start_at: '2026-03-02T10:00', end_at: '2026-03-02T10:30', timezone: 'Europe/Berlin' }, 1],
    [{ end_at: '2026-03-01', timezone: 'Europe/Berlin' }, 0],
    // In Auckland it is ten in the evening, and the item ends before the next day.
    [{ start_at: '2026-03-03', end_at: '2026-03-03', timezone: 'Pacific/Auckland' }, 0],
    [{ start_at: '2026-03-02', end_at: '2026-03-02', timezone: 'Pacific/Auckland' }, 1],
  ])('%j finds %i', async (window, count) => {
    const { token } = await makeUser(server)
    await create(token, { end_at: END })
    expect(await list(token, window)).toHaveLength(count)
  })

  test('an item without a length is found by what begins with it, not by what ends there', async () => {
    const { token } = await makeUser(server)
    await create(token, {})
    expect(await list(token, { start_at: START, end_at: END })).toHaveLength(1)
    expect(await list(token, { start_at: START, end_at: START })).toHaveLength(1)
    expect(await list(token, { start_at: '2026-03-02T08:00Z', end_at: START })).toHaveLength(0)
    expect(await list(token, { start_at: '2026-03-02T09:00:00.001Z', end_at: END })).toHaveLength(0)
  })

  test('a + that became a space is still an offset', async () => {
    const { token } = await makeUser(server)
    await create(token, { end_at: END })
    const window = 'start_at=2026-03-02T17:00:00+08:00&end_at=2026-03-02T18:00+08:00'
    expect((await ask('GET', `${PATH}?${window}`, { token })).body).toHaveLength(1)
  })

  test.each([
    ['start_at=2026-03-02T09:00Z&end_at=2026-03-02T08:59Z', 400, 'INVALID_RANGE'],
    ['start_at=2026-03-02&end_at=2026-03-01', 400, 'INVALID_RANGE'],
    ['start_at=2026-03-02T00:00Z&end_at=2026-03-01', 400, 'INVALID_RANGE'],
    ['start_at=soon', 422, 'VALIDATION_ERROR'],
    ['end_at=2026-13-01', 422, 'VALIDATION_ERROR'],
    ['end_at=', 422, 'VALIDATION_ERROR'],
    ['timezone=Atlantis', 422, 'VALIDATION_ERROR'],
    ['page=0', 422, 'VALIDATION_ERROR'],
    ['page=11', 422, 'VALIDATION_ERROR'],
    ['limit=501', 422, 'VALIDATION_ERROR'],
    ['limit=0', 422, 'VALIDATION_ERROR'],
  ])('%s is %i %s', async (text, status, code) => {
    const { token } = await makeUser(server)
    expectProblem(await ask('GET', `${PATH}?${text}`, { token }), status, code)
  })

  test('goes on where the Link header says, through single and recurring items alike', async () => {
    const { token } = await makeUser(server)
    await create(token, { title: 'daily', rrule: 'FREQ=DAILY' })
    for (const day of [3, 5, 7]) await create(token, { start_at: `2026-03-0${day}T09:00Z` })
    const window = 'start_at=2026-03-02&end_at=2026-03-08'
    const whole = await ask('GET', `${PATH}?${window}`, { token })
    expect(whole.body).toHaveLength(10)
    const pages = []
    let next: string | undefined = `${PATH}?${window}&limit=4`
    while (next) {
      const page: Answer = await ask('GET', next, { token })
      pages.push(...page.body)
      next = /^<(.*)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1]
    }
    expect(pages).toEqual(whole.body)
  })

  test('ends with the last page that may be asked for, also when there is more', async () => {
    const { token } = await makeUser(server)
    await create(token, { rrule: 'FREQ=DAILY' })
    const linked = async (page: number) => {
      const path = `${PATH}?start_at=2026-03-02&end_at=2026-03-20&limit=1&page=${page}`
      const answer = await ask('GET', path, { token })
      expect(answer.body).toHaveLength(1)
      return answer.headers.get('link')
    }
    expect(await linked(9)).toContain('page=10')
    expect(await linked(10)).toBeNull()
  })
})

describe('recurring items', () => {
  test.each([
    // Clocks are set forward on 29 March 2026 in Berlin, and back on 1 November in New York.
    ['Europe/Berlin', '2026-03-27T09:00', '2026-03-27', '2026-03-30', ['08', '08', '07', '07']],
    ['America/New_York', '2026-10-30T09:00', '2026-10-30', '2026-11-02', ['13', '13', '14', '14']],
  ])('keep the time on the clock in %s', async (timezone, start_at, from, to, hours) => {
    const { token } = await makeUser(server)
    await create(token, { timezone, start_at, rrule: 'FREQ=DAILY' })
    const found = await starts(token, { start_at: from, end_at: to, timezone })
    expect(found.map((at) => at.slice(11, 13))).toEqual(hours)
  })

  test('have no occurrence at a time that the clocks skip, and one where they show it twice', async () => {
    const { token } = await makeUser(server)
    await create(token, { timezone: 'Europe/Berlin', start_at: '2026-03-28T02:30', rrule: 'FREQ=DAILY' })
    const window = { start_at: '2026-03-28', end_at: '2026-03-30', timezone: 'Europe/Berlin' }
    expect(await starts(token, window)).toEqual(['2026-03-28T01:30:00Z', '2026-03-30T00:30:00Z'])
    const autumn = { start_at: '2026-10-25', end_at: '2026-10-26', timezone: 'Europe/Berlin' }
    expect(await starts(token, autumn)).toEqual(['2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z'])
  })

  test('stand in a closed window with each occurrence, else once', async () => {
    const { token } = await makeUser(server)
    const item = await create(token, { end_at: END, rrule: 'freq=weekly;byday=mo,we' })
    expect(item.rrule).toBe('FREQ=WEEKLY;BYDAY=MO,WE')
    const entries = await list(token, { start_at: '2026-03-04T09:30Z', end_at: '2026-03-09T09:00:00.001Z' })
    expect(entries).toMatchObject([
      { id: item.id, start_at: '2026-03-04T09:00:00.000Z', end_at: '2026-03-04T10:00:00.000Z' },
      { id: item.id, start_at: '2026-03-09T09:00:00.000Z', recurrence_start: item.start_at },
    ])
    expect(await starts(token, {})).toEqual([START])
    expect(await starts(token, { start_at: '2031-01-01' })).toEqual(['2031-01-01T09:00:00Z'])
    expect(await starts(token, { end_at: '2031-01-01' })).toEqual([START])
    expect(await starts(token, { end_at: '2026-03-01' })).toEqual([])
  })

  test('leave out their exceptions, whichever way they are written', async () => {
    const { token } = await makeUser(server)
    const item = await create(token, {
      timezone: 'Europe/Berlin',
      start_at: '2026-03-27T09:00',
      rrule: 'FREQ=DAILY;COUNT=5',
      exceptions: ['2026-03-29T09:00', '2026-03-28T08:00:00Z', '2026-03-28T09:00:00+01:00'],
    })
    expect(item.exceptions).toEqual(['2026-03-28T08:00:00.000Z', '2026-03-29T07:00:00.000Z'])
    const window = { start_at: '2026-03-01', end_at: '2026-04-30' }
    const left = ['2026-03-27T08:00:00Z', '2026-03-30T07:00:00Z', '2026-03-31T07:00:00Z']
    expect(await starts(token, window)).toEqual(left)
    const patch = (body: object) => ask('PATCH', `${PATH}/${item.id}`, { token, body })
    expect((await patch({ timezone: null })).body.timezone).toBe('Europe/Berlin')
    expect((await patch({ exceptions: null })).body.exceptions).toEqual([])
    expect((await starts(token, window)).length).toBe(5)
    const once = await patch({ rrule: null })
    expect(once.body).toMatchObject({ rrule: null, exceptions: [] })
    expect(await starts(token, window)).toEqual(left.slice(0, 1))
  })

  test('take their exceptions along when they move, by the clock', async () => {
    const { token } = await makeUser(server)
    const { id } = await create(token, {
      timezone: 'Europe/Berlin',
      start_at: '2026-03-27T09:00',
      rrule: 'FREQ=DAILY;COUNT=4',
      exceptions: ['2026-03-29T09:00'],
    })
    const moved = { timezone: 'Asia/Shanghai', start_at: '2026-03-28T10:00' }
    const { body } = await ask('PATCH', `${PATH}/${id}`, { token, body: moved })
    expect(body.exceptions).toEqual(['2026-03-30T02:00:00.000Z'])
    expect(await starts(token, { start_at: '2026-03-01', end_at: '2026-04-30' })).toEqual([
      '2026-03-28T02:00:00Z',
      '2026-03-29T02:00:00Z',
      '2026-03-31T02:00:00Z',
    ])
    const other = await ask('PATCH', `${PATH}/${id}`, { token, body: { title: 'same time' } })
    expect(other.body.exceptions).toEqual(body.exceptions)
  })

  /** The days of the window on which an occurrence is left, after each change of the item. */
  const daysAfter = async (
    item: object,
    moves: object[],
    window: Record<string, string>,
  ): Promise<string[][]> => {
    const { token } = await makeUser(server)
    const { id } = await create(token, item)
    const days = async () => (await starts(token, window)).map((start) => start.slice(5, 16))
    const left = [await days()]
    for (const body of moves) {
      const answer = await ask('PATCH', `${PATH}/${id}`, { token, body })
      expect(answer.status).toBe(200)
      left.push(await days())
    }
    return left
  }

  test.each([
    [
      'to an hour that its clock skips, and back',
      {
        timezone: 'Europe/Berlin',
        start_at: '2026-03-27T09:00',
        rrule: 'FREQ=DAILY;COUNT=4',
        exceptions: ['2026-03-29T09:00'],
      },
      [{ start_at: '2026-03-27T02:30' }, { start_at: '2026-03-27T09:00' }],
      [
        ['03-27T08:00', '03-28T08:00', '03-30T07:00'],
        ['03-27T01:30', '03-28T01:30', '03-30T00:30', '03-31T00:30'],
        ['03-27T08:00', '03-28T08:00', '03-30T07:00'],
      ],
    ],
    [
      'through an hour that its clock shows twice, other time zones and back',
      {
        timezone: 'Europe/Berlin',
        start_at: '2026-10-23T09:00',
        rrule: 'FREQ=DAILY;COUNT=4',
        exceptions: ['2026-10-25T09:00'],
      },
      [
        { start_at: '2026-10-23T02:30' },
        { timezone: 'Asia/Shanghai' },
        { start_at: '2026-10-23T23:30', timezone: 'America/New_York' },
        { start_at: '2026-10-23T09:00', timezone: 'Europe/Berlin' },
      ],
      [
        ['10-23T07:00', '10-24T07:00', '10-26T08:00'],
        ['10-23T00:30', '10-24T00:30', '10-26T01:30'],
        ['10-23T00:30', '10-24T00:30', '10-26T00:30'],
        ['10-24T03:30', '10-25T03:30', '10-27T03:30'],
        ['10-23T07:00', '10-24T07:00', '10-26T08:00'],
      ],
    ],
    [
      'to a day that some months lack, and back over another one',
      { start_at: '2026-03-15T09:00Z', rrule: 'FREQ=MONTHLY;COUNT=4', exceptions: ['2026-04-15T09:00Z'] },
      [
        { start_at: '2026-03-31T09:00Z' },
        { start_at: '2026-03-01T09:00Z' },
        { start_at: '2026-03-15T09:00Z' },
      ],
      [
        ['03-15T09:00', '05-15T09:00', '06-15T09:00'],
        ['03-31T09:00', '05-31T09:00', '07-31T09:00', '08-31T09:00'],
        ['03-01T09:00', '05-01T09:00', '06-01T09:00'],
        ['03-15T09:00', '05-15T09:00', '06-15T09:00'],
      ],
    ],
    [
      'from one weekday of a month to another',
      {
        start_at: '2026-06-01T09:00Z',
        rrule: 'FREQ=MONTHLY;BYDAY=1MO;COUNT=4',
        exceptions: ['2026-09-07T09:00Z'],
      },
      [{ start_at: '2026-06-09T09:00Z', rrule: 'FREQ=MONTHLY;BYDAY=2TU;COUNT=4' }],
      [
        ['06-01T09:00', '07-06T09:00', '08-03T09:00'],
        ['06-09T09:00', '07-14T09:00', '08-11T09:00'],
      ],
    ],
  ])('take their exceptions along: %s', async (_, item, moves, expected) => {
    const window = { start_at: '2026-03-01', end_at: '2026-12-31' }
    expect(await daysAfter(item, moves, window)).toEqual(expected)
  })

  test('take their exceptions along over the end of a February', async () => {
    const item = { start_at: '2026-03-01T09:00Z', rrule: 'FREQ=YEARLY', exceptions: ['2028-03-01T09:00Z'] }
    const window = { start_at: '2028-01-01', end_at: '2028-12-31' }
    expect(await daysAfter(item, [{ start_at: '2026-02-28T09:00Z' }], window)).toEqual([[], []])
  })

  test('end with COUNT and UNTIL; an UNTIL that is a day counts whole', async () => {
    const { token } = await makeUser(server)
    const until = await create(token, {
      timezone: 'America/New_York',
      start_at: '2026-03-02T22:00',
      rrule: 'FREQ=DAILY;UNTIL=20260304',
    })
    expect(until.rrule).toBe('FREQ=DAILY;UNTIL=20260305T045959Z')
    const window = { start_at: '2026-03-01', end_at: '2027-03-01' }
    expect(await starts(token, window)).toHaveLength(3)
    await create(token, { rrule: 'RRULE:FREQ=MONTHLY;BYDAY=1MO;COUNT=4' })
    expect(await starts(token, window)).toHaveLength(7)
  })

  test('are at most 200 of one user', async () => {
    const owner = await makeUser(server)
    await query(
      server,
      sql`insert into schedule_items (id, user_id, title, start_at, timezone, rrule)
        select gen_random_uuid(), ${owner.user.id}, 't', now(), 'UTC', 'FREQ=DAILY' from generate_series(1, 200)`,
    )
    const body = { title: 't', start_at: START, rrule: 'FREQ=DAILY' }
    const answer = await ask('POST', PATH, { token: owner.token, body })
    expectProblem(answer, 422, 'VALIDATION_ERROR', 'rrule')
    const { id } = await create(owner.token, {})
    const patch = await ask('PATCH', `${PATH}/${id}`, { token: owner.token, body: { rrule: 'FREQ=DAILY' } })
    expectProblem(patch, 422, 'VALIDATION_ERROR', 'rrule')
  })
})

describe('attachments', () => {
  const add = async (owner: TestUser) => {
    const answer = await upload(server, owner.token, form(['title', 'Slides'], ['file', pdf(), 'a.pdf']))
    return ((await answer.json()) as { id: number }).id
  }

  test('are kept by reference and shown with what the file is', async () => {
    const owner = await makeUser(server)
    const id = await add(owner)
    const item = await create(owner.token, { metadata: { attachments: [{ material_id: id }] } })
    const shown = { material_id: id, title: 'Slides', type: 'pdf', file_format: 'pdf' }
    expect(item.metadata).toMatchObject({ attachments: [shown], version: 1 })
    expect(item.metadata.attachments[0].file_size).toBeGreaterThan(0)
    // A client may send back what it has read.
    const patch = (metadata: object) =>
      ask('PATCH', `${PATH}/${item.id}`, { token: owner.token, body: { metadata } })
    expect((await patch(item.metadata)).body.metadata).toEqual(item.metadata)
    const [row] = await query(server, sql`select metadata from schedule_items where id = ${item.id}`)
    expect(row!.metadata).toEqual({ attachments: [{ material_id: id }], version: 1 })
    // After the upload is removed the reference stays without its details; a new reference is refused.
    await api(server, 'DELETE', `/api/v1/upload/${id}`, { token: owner.token })
    const kept = await patch({ ...item.metadata, notes: 'n' })
    expect(kept.body.metadata.attachments).toMatchObject([{ material_id: id, title: null, file_size: null }])
    await patch({})
    expectProblem(await patch(item.metadata), 422, 'VALIDATION_ERROR', 'metadata.attachments')
  })

  test("somebody else's file may be attached while everybody sees it", async () => {
    const [owner, other] = [await makeUser(server), await makeUser(server)]
    const id = await add(owner)
    const body = { title: 't', start_at: START, metadata: { attachments: [{ material_id: id }] } }
    const attach = () => ask('POST', PATH, { token: other.token, body })
    const { id: item } = (await attach()).body
    await api(server, 'DELETE', `/api/v1/materials/${id}`, { token: owner.token })
    expectProblem(await attach(), 422, 'VALIDATION_ERROR', 'metadata.attachments')
    const seen = await ask('GET', `${PATH}/${item}`, { token: other.token })
    expect(seen.body.metadata.attachments).toMatchObject([{ material_id: id, title: null }])
  })
})

test('every change is an event on the live channel of its owner', async () => {
  const { token } = await makeUser(server)
  const live = await openLive(server, token)
  const { id } = await create(token, { end_at: END, rrule: 'FREQ=DAILY' })
  await ask('PATCH', `${PATH}/${id}`, { token, body: {} })
  await ask('PATCH', `${PATH}/${id}`, { token, body: { title: 'x', end_at: START } })
  await ask('PATCH', `${PATH}/${id}`, { token, body: { end_at: '2020-01-01T00:00Z' } })
  await ask('DELETE', `${PATH}/${id}`, { token })
  await live.next('schedule.deleted')
  const data = {
    item_id: id,
    title: 't',
    start_at: '2026-03-02T09:00:00.000Z',
    end_at: '2026-03-02T10:00:00.000Z',
    timezone: 'UTC',
    status: 'active',
    rrule: 'FREQ=DAILY',
  }
  expect(live.events.map(({ type, data }) => [type, data])).toEqual([
    ['schedule.created', data],
    ['schedule.updated', { ...data, title: 'x', end_at: '2026-03-02T09:00:00.000Z' }],
    ['schedule.deleted', { item_id: id }],
  ])
  live.close()
})
