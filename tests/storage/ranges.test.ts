import { describe, expect, test } from 'bun:test'
import { chooseAnswer, matchesIfRange, parseRange, type RangeResult } from '../../src/storage/ranges.ts'
import { matchesNone } from '../../src/util/entity-tags.ts'

const whole = undefined
const RANGES: [field: string | null, size: number, expected: RangeResult][] = [
  [null, 10, whole],
  ['', 10, whole],
  ['bytes=0-0', 10, { start: 0, end: 0 }],
  ['bytes=0-', 10, { start: 0, end: 9 }],
  ['bytes=9-', 10, { start: 9, end: 9 }],
  ['bytes=2-4', 10, { start: 2, end: 4 }],
  ['bytes=2-99', 10, { start: 2, end: 9 }],
  ['bytes=2-99999999999999999999999', 10, { start: 2, end: 9 }],
  ['  BYTES=2-4 ', 10, { start: 2, end: 4 }],
  ['bytes=-3', 10, { start: 7, end: 9 }],
  ['bytes=-10', 10, { start: 0, end: 9 }],
  ['bytes=-99', 10, { start: 0, end: 9 }],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=10-20', 10, 'unsatisfiable'],
  ['bytes=99999999999999999999999-', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=-5', 0, whole],
  ['bytes=4-2', 10, whole],
  ['bytes=-', 10, whole],
  ['bytes=', 10, whole],
  ['bytes', 10, whole],
  ['bytes=a-b', 10, whole],
  ['bytes=1', 10, whole],
  ['bytes=--1', 10, whole],
  ['bytes=0x1-2', 10, whole],
  ['bytes=1.0-2', 10, whole],
  ['bytes 0-1/10', 10, whole],
  ['items=0-1', 10, whole],
  ['bytes=0-1,3-4', 10, whole],
  ['bytes=0-1, -1', 10, whole],
]

test.each(RANGES)('Range %j of %d bytes: %j', (field, size, expected) => {
  expect(parseRange(field, size)).toEqual(expected)
})

test.each([
  ['*', true],
  [' * ', true],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['"b" ,W/"a","c"', true],
  ['"b"', false],
  ['"A"', false],
  ['a', false],
  ['""', false],
  ['"x,"a", "y"', false],
  ['', false],
])('If-None-Match %j against "a": %p', (field, expected) => {
  expect(matchesNone(field, '"a"')).toBe(expected)
})

test('weak comparison holds also when the object’s tag is weak', () => {
  expect(matchesNone('"a"', 'W/"a"')).toBe(true)
  expect(matchesNone('"a,b"', '"a,b"')).toBe(true)
})

const lastModified = new Date('2024-01-15T08:30:00.750Z')
const object = { size: 10, etag: '"a"', lastModified }

test.each([
  ['"a"', true],
  ['"b"', false],
  ['W/"a"', false],
  ['Mon, 15 Jan 2024 08:30:00 GMT', true],
  ['Mon, 15 Jan 2024 08:30:01 GMT', false],
  ['Mon, 15 Jan 2024 08:29:59 GMT', false],
  ['nonsense', false],
  ['', false],
])('If-Range %j: %p', (field, expected) => {
  expect(matchesIfRange(field, object)).toBe(expected)
})

test('a date does not tell apart what was written within its second', () => {
  const now = new Date()
  expect(matchesIfRange(now.toUTCString(), { etag: '"a"', lastModified: now })).toBe(false)
})

describe('chooseAnswer', () => {
  const SAME = 'Mon, 15 Jan 2024 08:30:00 GMT'
  const EARLIER = 'Mon, 15 Jan 2024 08:29:59 GMT'
  const part = { status: 206, range: { start: 0, end: 4 } }
  test.each([
    [{}, { status: 200 }],
    [{ range: 'bytes=0-4' }, part],
    [{ range: 'bytes=10-' }, { status: 416 }],
    [{ range: 'nonsense' }, { status: 200 }],
    [{ 'if-none-match': '"a"' }, { status: 304 }],
    [{ 'if-none-match': '"a"', range: 'bytes=0-4' }, { status: 304 }],
    [{ 'if-none-match': '"b"' }, { status: 200 }],
    [{ 'if-none-match': '"b"', range: 'bytes=0-4' }, part],
    [{ 'if-none-match': '"b"', 'if-modified-since': SAME }, { status: 200 }],
    [{ 'if-modified-since': SAME }, { status: 304 }],
    [{ 'if-modified-since': EARLIER }, { status: 200 }],
    [{ 'if-modified-since': 'nonsense' }, { status: 200 }],
    [{ range: 'bytes=0-4', 'if-range': '"a"' }, part],
    [{ range: 'bytes=0-4', 'if-range': '"b"' }, { status: 200 }],
    [{ range: 'bytes=10-', 'if-range': '"b"' }, { status: 200 }],
    [{ range: 'bytes=0-4', 'if-range': SAME }, part],
  ])('%j: %j', (fields, expected) => {
    const headers = new Headers(fields as Record<string, string>)
    expect(chooseAnswer({ method: 'GET', headers }, object)).toEqual(expected as never)
  })

  test('there are no ranges for HEAD', () => {
    for (const range of ['bytes=0-4', 'bytes=10-']) {
      const headers = new Headers({ range })
      expect(chooseAnswer({ method: 'HEAD', headers }, object)).toEqual({ status: 200 })
    }
  })
})
