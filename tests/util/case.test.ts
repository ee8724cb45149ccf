import { expect, test } from 'bun:test'
import { camelKeys, snakeCase, snakeKeys } from '../../src/util/case.ts'

test('keys change, their order and the values do not', () => {
  const camel = { exitCode: 1, signal: 'SIGKILL', gpuId: 0, memoryTotal: { innerName: 1 } }
  const snake = { exit_code: 1, signal: 'SIGKILL', gpu_id: 0, memory_total: { innerName: 1 } }
  expect(JSON.stringify(snakeKeys(camel))).toBe(JSON.stringify(snake))
  expect(JSON.stringify(camelKeys(snake))).toBe(JSON.stringify(camel))
})

test('a name in lower case stays as it is', () => {
  for (const name of ['detail', 'x2', '']) expect(snakeCase(name)).toBe(name)
  expect(snakeCase('maxConcurrentTasks')).toBe('max_concurrent_tasks')
})
