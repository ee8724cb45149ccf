import { expect, test } from 'bun:test'
import { ObjectFinder } from '../../src/node/json-objects.ts'
import { LineSplitter } from '../../src/node/lines.ts'

/** Mulberry32: the same numbers for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const STRINGS = [
  '',
  '}{',
  '"',
  '\\',
  '\n',
  'é夜😀',
  '{"result": 1}',
  'NaN',
  '-Infinity',
  'a\\"b',
  '\u0001',
  '//',
]
const OTHER_LINES = ['hello', '{epoch 3}', '[1,2]', '{"a": 1}', '{', '{"lr": ', '"', '{"a": [{']

function value(int: (below: number) => number, depth: number): unknown {
  const kind = int(depth > 0 ? 7 : 5)
  if (kind === 0) return null
  if (kind === 1) return int(2) === 1
  if (kind === 2) return int(1e9) / 1000 - 5e5
  if (kind === 3) return STRINGS[int(STRINGS.length)]
  if (kind === 4) return int(1e9)
  const parts = Array.from({ length: int(4) }, () => value(int, depth - 1))
  return kind === 5
    ? parts
    : Object.fromEntries(parts.map((part, i) => [`${STRINGS[int(STRINGS.length)]}${i}`, part]))
}

test.each([1, 2, 3])(
  'every object of ours is found, among any lines, however it is written (seed %d)',
  (seed) => {
    const int = numbers(seed)
    for (let round = 0; round < 1500; round++) {
      let text = ''
      const printed: unknown[] = []
      for (let i = 0; i < 1 + int(5); i++) {
        if (int(3) === 0) {
          text += `${OTHER_LINES[int(OTHER_LINES.length)]}\n`
          continue
        }
        const result = value(int, 3)
        printed.push(result)
        const json = JSON.stringify({ result }, null, [0, 1, 2, '\t'][int(4)])
        text += int(4) === 0 ? `${json.replaceAll('\n', '\r\n')}\r\n` : `${json}\n`
      }
      const found: unknown[] = []
      const finder = new ObjectFinder(
        100_000,
        {
          object: (object) => 'result' in object && found.push(object.result) > 0,
          text: () => {},
          spoilt: (why) => void found.push(why),
        },
        (line) => line.startsWith('{"result"'),
      )
      const splitter = new LineSplitter(100_000, { line: (line) => finder.line(line.text) })
      const bytes = new TextEncoder().encode(text)
      for (let at = 0; at < bytes.length; ) {
        const next = at + 1 + int(60)
        splitter.push(bytes.subarray(at, next))
        at = next
      }
      splitter.end()
      finder.end()
      expect({ text, found }).toEqual({ text, found: printed })
    }
  },
)

test('lines that look like the beginning of an object are read only a few times each', () => {
  const texts: string[] = []
  const finder = new ObjectFinder(
    10_000_000,
    { object: () => false, text: (line) => void texts.push(line), spoilt: () => {} },
    () => false,
  )
  const line = '{"a": ['
  for (let i = 0; i < 5000; i++) finder.line(line)
  finder.line('no JSON')
  expect(texts).toEqual([...Array.from({ length: 5000 }, () => line), 'no JSON'])
  for (let i = 0; i < 5000; i++) finder.line(line)
  finder.end()
  expect(texts).toHaveLength(10_001)
})
