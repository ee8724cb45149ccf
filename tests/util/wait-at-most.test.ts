import { expect, test } from 'bun:test'
import { waitAtMost } from '../../src/util/wait-at-most.ts'

test('gives the value or the error of a promise that settles in time', async () => {
  expect(await waitAtMost(60_000, Promise.resolve('value'))).toBe('value')
  await expect(waitAtMost(60_000, Promise.reject(new Error('refused')))).rejects.toThrow('refused')
})

test('gives undefined when the time has passed', async () => {
  expect(await waitAtMost(1, new Promise(() => {}))).toBeUndefined()
})
