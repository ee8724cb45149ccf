/** Poolers that hand out their connections in several ways. `tests/faults/pooler.test.ts` has the real one. */
import { expect, test } from 'bun:test'
import type postgres from 'postgres'
import { refuseTransactionPooling } from '../../src/db/pooler.ts'

/** Two clients, whose statements run in the processes that `choose` names. */
function clientsOf(choose: (client: number) => number, announced = (client: number) => -1 - client) {
  let questions = 0
  const clients = [0, 1].map((client) => () => ({
    async simple() {
      questions++
      return Object.assign([{ pid: choose(client) }], { state: { pid: announced(client) } })
    },
  }))
  const ask = (): Promise<void> =>
    refuseTransactionPooling(...(clients as unknown as [postgres.Sql, postgres.Sql]))
  return { ask, questions: () => questions }
}

/** Goes through `count` connections, each `times` times. */
function rotation(count: number, times: number): () => number {
  let at = 0
  return () => Math.floor(at++ / times) % count
}

const POOLERS: [way: string, choose: () => number][] = [
  ['always the one that was used last', () => 1],
  ['another one each time', rotation(Number.POSITIVE_INFINITY, 1)],
  ['any of two', () => Math.floor(Math.random() * 2)],
  ['any of many', () => Math.floor(Math.random() * 50)],
  ...[2, 3, 4, 5, 6, 8, 12, 20, 100].flatMap((count) =>
    [1, 2, 3].map(
      (times) => [`${count} in turn, ${times} times each`, rotation(count, times)] as [string, () => number],
    ),
  ),
]

test.each(POOLERS)('a pooler that gives a transaction %s is refused', async (_, choose) => {
  await expect(clientsOf(choose).ask()).rejects.toThrow('set pool_mode=session')
})

test('a pooler that gives each client a connection of its own is used', async () => {
  const { ask, questions } = clientsOf((client) => 100 + client)
  await ask()
  expect(questions()).toBe(24)
})

test('PostgreSQL itself is asked once', async () => {
  const process = (client: number) => 100 + client
  const { ask, questions } = clientsOf(process, process)
  await ask()
  expect(questions()).toBe(1)
})
