import { expect, test } from 'bun:test'
import { textLines } from '../../src/util/text-lines.ts'

async function* piecesOf(text: string, size: number) {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test('only a line feed ends a line, wherever the bytes are cut', async () => {
  const lines = ['"照片\u2028\u2029"', '', 'a\rb🙂', 'the last']
  for (const size of [1, 2, 3, 7, 1000])
    for (const end of ['', '\n'])
      expect(await Array.fromAsync(textLines(piecesOf(lines.join('\n') + end, size)))).toEqual(lines)
  expect(await Array.fromAsync(textLines(piecesOf('', 1)))).toEqual([])
})
