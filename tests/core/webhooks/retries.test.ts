import { describe, expect, test } from 'bun:test'
import { type Answer, retryAfter } from '../../../src/core/webhooks/attempt.ts'
import { judge, RETRY_SECONDS } from '../../../src/core/webhooks/retries.ts'

const answered = (status: number | null, rest: Partial<Answer> = {}): Answer => ({
  status,
  error: status === null ? 'CONNECTION_FAILED' : 'BAD_STATUS',
  retryAfterMs: undefined,
  durationMs: 1,
  aborted: false,
  ...rest,
})
const least = () => 0
const most = () => 1

describe('an answer', () => {
  test('2xx is the end', () => {
    expect(judge(answered(204, { error: null }), 3, 5)).toMatchObject({
      status: 'delivered',
      pauseSeconds: 0,
    })
  })

  test('a failure comes again later and later, over three days, and then no more', () => {
    const delays = RETRY_SECONDS.map((_, n) => judge(answered(500), n + 1, 0, least).retrySeconds)
    expect(delays).toEqual(delays.toSorted((a, b) => a - b))
    const total = delays.reduce((sum, delay) => sum + delay, 0)
    expect(total).toBeGreaterThan(72 * 3600)
    expect(total).toBeLessThan(80 * 3600)
    expect(judge(answered(500), RETRY_SECONDS.length + 1, 0)).toMatchObject({ status: 'failed' })
  })

  test('the delay is up to a fifth longer by chance, and as long as Retry-After asks, up to a day', () => {
    expect(judge(answered(500), 2, 0, most).retrySeconds).toBe(360)
    expect(judge(answered(500, { retryAfterMs: 1000_000 }), 2, 0).retrySeconds).toBe(1000)
    expect(judge(answered(500, { retryAfterMs: 1e12 }), 2, 0).retrySeconds).toBe(24 * 3600)
  })

  test('a receiver that can take no more gets nothing for as long as it has failed already', () => {
    for (const answer of [429, 502, 503, 504].map((status) => answered(status))) {
      expect(judge(answer, 1, 0).pauseSeconds).toBe(5)
      expect(judge(answer, 1, 40).pauseSeconds).toBe(40)
      expect(judge(answer, 1, 100_000).pauseSeconds).toBe(600)
    }
    expect(judge(answered(null, { error: 'TIMEOUT' }), 1, 0).pauseSeconds).toBe(5)
    expect(judge(answered(429, { retryAfterMs: 90_000 }), 1, 0).pauseSeconds).toBe(90)
    expect(judge(answered(500), 1, 3).pauseSeconds).toBe(0)
  })

  test('410 ends everything', () => {
    expect(judge(answered(410), 1, 0)).toMatchObject({ status: 'failed', gone: true })
  })
})

test('Retry-After: seconds, a date, or nothing', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect(retryAfter('120', now)).toBe(120_000)
  expect(retryAfter('Thu, 01 Jan 2026 00:01:00 GMT', now)).toBe(60_000)
  expect(retryAfter('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0)
  for (const field of [undefined, '', 'soon', '-5']) expect(retryAfter(field, now) ?? 0).toBe(0)
})
