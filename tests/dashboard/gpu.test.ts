/** What the charts of a GPU server show. */
import { expect, test } from 'bun:test'
import { recent } from '../../src/dashboard/app/pages/gpu/samples.ts'

const gpus = [{ gpu_id: 0, usage: 50, memory_used: 1, memory_total: 2 }]
const at = (...seconds: number[]) => seconds.map((second) => ({ at: second * 1000, gpus }))
const secondsOf = (samples: { at: number; gpus: readonly object[] }[]) =>
  samples.map(({ at, gpus }) => (gpus.length > 0 ? at / 1000 : 'gap'))

test('samples break off where figures are missing, each time once, and end after ten minutes', () => {
  const first = recent(at(0, 10, 20, 100))
  expect(secondsOf(first)).toEqual([0, 10, 20, 'gap', 100])
  expect(secondsOf(recent([...first, ...at(105)]))).toEqual([0, 10, 20, 'gap', 100, 105])
  expect(secondsOf(recent([...first, ...at(615)]))).toEqual([20, 'gap', 100, 'gap', 615])
  expect(recent([])).toEqual([])
})
