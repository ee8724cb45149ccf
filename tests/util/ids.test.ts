import { expect, test } from 'bun:test'
import { readId } from '../../src/util/ids.ts'

const UUID = '01920000-0000-7000-8000-00000000000a'

test.each<[string | number, string | number]>([
  ['1', 1],
  [7, 7],
  ['999999999', 999_999_999],
  [UUID, UUID],
  [UUID.toUpperCase(), UUID],
])('%p is an id', (text, id) => expect(readId(text)).toBe(id))

const NUMBERS = [0, -1, 1.5, Number.NaN, 2 ** 31]
const NOT_INTEGERS = ['', '0', '-1', '+1', '01', '1.5', '1e3', '0x1', ' 1', '1\n', '١', 'NaN', '2147483648']
const NOT_UUIDS = [
  UUID.slice(1),
  `${UUID}0`,
  `${UUID}\n`,
  `{${UUID}}`,
  UUID.replaceAll('-', ''),
  `urn:uuid:${UUID}`,
]
test.each<string | number>([...NUMBERS, ...NOT_INTEGERS, ...NOT_UUIDS])('%p is no id', (text) =>
  expect(readId(text)).toBeUndefined(),
)
