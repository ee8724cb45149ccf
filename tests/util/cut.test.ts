/** Protects texts for people from a cut within a character. */
import { describe, expect, test } from 'bun:test'
import { cutStart, cutText, cutToBytes } from '../../src/util/cut.ts'

const FAMILY = '👨‍👩‍👧‍👦'
const CHARACTERS = [FAMILY, '🇨🇳', '👍🏽', 'é', '한', '中', 'क्षि', '☺️', 'a', '\r\n', '😀']
const text = CHARACTERS.join('')
const characters = (value: string) => [...new Intl.Segmenter().segment(value)].map(({ segment }) => segment)

describe('every length', () => {
  test.each(Array.from({ length: text.length + 2 }, (_, max) => max))('%i', (max) => {
    const head = cutText(text, max)
    expect(head.length).toBeLessThanOrEqual(max)
    expect(text.startsWith(head)).toBe(true)
    expect(head.isWellFormed()).toBe(true)
    // The first character is longer than the shortest of these: it is cut between its code points.
    if (max >= FAMILY.length) expect(CHARACTERS.slice(0, characters(head).length).join('')).toBe(head)
    const tail = cutStart(text, max)
    expect(tail.length).toBeLessThanOrEqual(max)
    expect(text.endsWith(tail)).toBe(true)
    expect(tail.isWellFormed()).toBe(true)
    if (tail) expect(CHARACTERS.slice(-characters(tail).length).join('')).toBe(tail)
    const bytes = cutToBytes(text, max)
    expect(Buffer.byteLength(bytes)).toBeLessThanOrEqual(max)
    expect(CHARACTERS.slice(0, characters(bytes).length).join('')).toBe(bytes)
  })
})

test('what is short enough stays as it is', () => {
  for (const value of ['', 'abc', FAMILY]) {
    expect(cutText(value, value.length, '…')).toBe(value)
    expect(cutStart(value, value.length)).toBe(value)
    expect(cutToBytes(value, Buffer.byteLength(value))).toBe(value)
  }
})

test('the mark counts, and stands only where something was left out', () => {
  expect(cutText('abcdef', 4, '…')).toBe('abc…')
  expect(cutText(`ab${FAMILY}cd`, 8, '…')).toBe('ab…')
})

test('a character that is longer than the limit is cut between its code points', () => {
  const zalgo = `o${'\u0301'.repeat(1000)}`
  expect(cutText(zalgo, 10)).toBe(zalgo.slice(0, 10))
  const tags = `🏴${'\u{e0067}'.repeat(500)}`
  for (const max of [1, 2, 3, 10, 11]) expect(cutText(tags, max).isWellFormed()).toBe(true)
  for (const max of [1, 2, 3, 10, 11]) expect(cutStart(tags, max).isWellFormed()).toBe(true)
})

test('megabytes are cut as well', () => {
  const long = FAMILY.repeat(400_000)
  expect(cutText(long, 4000, '…').isWellFormed()).toBe(true)
  expect(cutStart(long, 4000).isWellFormed()).toBe(true)
})
