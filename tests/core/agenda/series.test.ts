/** The days of a rule, compared with another implementation of RFC 5545, and how much is computed between two pauses. */
import { describe, expect, spyOn, test } from 'bun:test'
import { readRule } from '../../../src/core/agenda/recurrence.ts'
import { Periods } from '../../../src/core/agenda/rule-days.ts'
import { startsFrom } from '../../../src/core/agenda/series.ts'
import { Slices } from '../../../src/util/slices.ts'
import { Random } from '../../support/random.ts'
import { compareWithLibrary, randomSeries } from './random-series.ts'

const random = Random.announced('agenda series')
test(
  'random rules name the days that another implementation finds',
  () => compareWithLibrary(random, 20),
  60_000,
)

test.each([
  ['FREQ=YEARLY;BYDAY=1MO;BYMONTHDAY=1,2,3', ['2024-01-01', '2028-01-03', '2029-01-01']],
  ['FREQ=YEARLY;BYYEARDAY=1,60;BYMONTHDAY=29', ['2024-02-29', '2028-02-29', '2032-02-29']],
])('%s: every part leaves days out', async (rrule, days) => {
  const series = { rrule, timezone: 'UTC', startAt: new Date(days[0]!), lastStart: null, exceptions: [] }
  const found: string[] = []
  for await (const start of startsFrom(series, series.startAt, new Slices(60_000))) {
    if (found.push(start.toISOString().slice(0, 10)) === days.length) break
  }
  expect(found).toEqual(days)
})

describe('between two pauses for other requests', () => {
  /** Counts the days between two steps. A count, because a time would depend on the load of the machine. */
  async function mostDays(run: (slices: () => Slices) => Promise<unknown>): Promise<number> {
    let most = 0
    let looked = 0
    const days = Periods.prototype.days
    const spies = [
      spyOn(Periods.prototype, 'days').mockImplementation(function (this: Periods, period) {
        const [from, to] = this.bounds(period)
        looked += to - from
        most = Math.max(most, looked)
        return days.call(this, period)
      }),
      spyOn(Slices.prototype, 'step').mockImplementation(async () => {
        looked = 0
      }),
    ]
    try {
      await run(() => new Slices(60_000))
    } finally {
      for (const spy of spies) spy.mockRestore()
    }
    return most
  }
  const numbers = (to: number) => Array.from({ length: to }, (_, n) => `${n + 1},${-n - 1}`).join(',')

  test.each([
    ['FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYMONTHDAY=20,29,11;BYDAY=FR;BYSETPOS=31', '2026-02-20'],
    [`FREQ=YEARLY;BYYEARDAY=${numbers(150)};BYSETPOS=${numbers(31)};COUNT=1000`, '2026-01-01'],
    ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=1000', '2044-02-29'],
    ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', '2026-02-28'],
    ['FREQ=WEEKLY;INTERVAL=1000;BYMONTH=2;BYDAY=MO;UNTIL=29991231', '2026-02-02'],
    ['FREQ=MONTHLY;BYDAY=5MO,-5MO;BYMONTHDAY=31;BYSETPOS=2', '2026-02-02'],
  ])('%s: at most two years are looked at', async (rrule, day) => {
    const series = { rrule, timezone: 'Europe/Berlin', startAt: new Date(`${day}T09:00Z`) }
    const most = await mostDays(async (slices) => {
      await readRule(series).catch(() => undefined)
      const all = startsFrom({ ...series, lastStart: null, exceptions: [] }, series.startAt, slices())
      for await (const _ of all);
    })
    expect(most).toBeWithin(1, 2 * 366 + 1)
  })

  test('so it is of random rules', async () => {
    for (let i = 0; i < 60; i++) {
      const series = randomSeries(random)
      const most = await mostDays(async (slices) => {
        await readRule(series).catch(() => undefined)
        const from = new Date(random.between(2030, 2900), 1)
        const all = startsFrom({ ...series, lastStart: null, exceptions: [] }, from, slices())
        let n = 0
        for await (const _ of all) if (++n === 20) break
      })
      expect(most, JSON.stringify(series)).toBeWithin(0, 2 * 366 + 1)
    }
  })
})
