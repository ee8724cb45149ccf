import { describe, expect, test } from 'bun:test'
import { isRawNumber, parseJson, UnkeepableNumber } from '../../src/util/json.ts'
import { isTooDeep, MAX_DEPTH, storable } from '../../src/util/storable.ts'

const through = (text: string) => JSON.stringify(parseJson(text))

describe('whole numbers', () => {
  test.each([
    ['a random seed', '1970670598291982290'],
    ['a negative one', '-1970670598291982290'],
    ['the first that a double lacks', '9007199254740993'],
    ['one more than the largest safe one', '9007199254740992'],
    ['the largest of 64 bits', '18446744073709551615'],
    ['one that JavaScript writes with an exponent', '1000000000000000000000'],
    ['one beyond every double', '9'.repeat(400)],
    ['a small one', '123'],
  ])('%s stays what it is', (_, literal) => {
    expect(through(`{"a":[${literal},{"b":${literal}}]}`)).toBe(`{"a":[${literal},{"b":${literal}}]}`)
  })

  test('what a double holds is a number', () => {
    expect(parseJson('[9007199254740992, 1e20, 0.1234567890123456]')).toEqual([
      2 ** 53,
      1e20,
      0.1234567890123456,
    ])
  })

  test('one in a string or a key is text', () => {
    const text = '{"1970670598291982291":"1970670598291982291"}'
    expect(through(text)).toBe(text)
  })

  test('one that is kept has no parts', () => {
    const value = parseJson('[1970670598291982290]') as unknown[]
    expect(isRawNumber(value[0])).toBe(true)
    expect(JSON.stringify(storable(value))).toBe('[1970670598291982290]')
    const deep = `${'['.repeat(MAX_DEPTH)}1970670598291982290${']'.repeat(MAX_DEPTH)}`
    expect(isTooDeep(parseJson(deep))).toBe(isTooDeep(JSON.parse(deep)))
  })
})

describe('numbers that cannot be kept', () => {
  test.each([
    ['beyond a double', '1e400'],
    ['beyond it on the other side', '-1E+999'],
    ['written out', `${'9'.repeat(400)}.5`],
    ['of too many digits', '1'.repeat(4301)],
  ])('%s', (_, literal) => {
    expect(() => parseJson(`{"a":${literal}}`)).toThrow(UnkeepableNumber)
    expect(parseJson(`{"a":[${literal},1]}`, 'null')).toEqual({ a: [null, 1] })
  })

  test('those that are nearly nothing are, as for every reader of JSON', () => {
    expect(parseJson('[1e-400, -0]')).toEqual([0, -0])
  })
})

test('a text that is no JSON is none', () => {
  expect(() => parseJson('{"a":12345678901234567890')).toThrow(SyntaxError)
})
