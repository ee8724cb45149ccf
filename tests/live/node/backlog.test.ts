/** Protects the server's memory: a node may repeat large frames while the server is slow. */
import { expect, test } from 'bun:test'
import type { NodeControl } from '../../../src/core/nodes/control.ts'
import { NodeConnection } from '../../../src/live/node/connection.ts'
import { eventually } from '../../support/process.ts'
import { hello } from '../../support/sockets.ts'

test('repeats of a waiting `completed` are handled once more, as the frame that the byte limit has counted', async () => {
  const handled: unknown[] = []
  const { promise: slow, resolve } = Promise.withResolvers<void>()
  const nodeControl = {
    introduce: async () => ({ node: { online: true } }),
    leave() {},
    end: async (_: unknown, _uuid: string, _attempt: number, word: { result: unknown }) => {
      handled.push(word.result)
      await slow
      if (handled.length === 1) throw new Error('the database was away')
      return 'ok'
    },
  } as unknown as NodeControl
  const ctx = { log: { warn() {} }, services: { nodeControl } } as never
  const sent: { type: string; code?: string }[] = []
  const ws = { send: (text: string) => sent.push(JSON.parse(text)), getBufferedAmount: () => 0, close() {} }
  const connection = new NodeConnection(ctx, { open: new Set() } as never, { name: 'n' } as never, 1)
  connection.open(ws as never)
  connection.message(undefined, JSON.stringify(hello()))
  const word = { type: 'completed', task_id: 't', attempt: 1 }
  connection.message(undefined, JSON.stringify({ ...word, result: { n: 0 } }))
  await eventually(() => handled.length === 1, 'the first is being handled')
  for (let n = 1; n <= 20; n++) {
    connection.message(undefined, JSON.stringify({ ...word, result: { n, text: 'x'.repeat(100_000) } }))
  }
  expect(connection.backlog).toBe(1)
  resolve()
  await eventually(() => sent.some(({ type }) => type === 'ack'), 'it is acknowledged')
  expect(handled).toEqual([{ n: 0 }, { n: 0 }])
  expect(sent.map(({ type, code }) => code ?? type)).toEqual(['TRY_AGAIN', 'ack'])
  connection.close()
})
