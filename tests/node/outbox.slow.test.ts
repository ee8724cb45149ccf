import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Results } from '../../src/node/results.ts'
import { parseJson } from '../../src/util/json.ts'
import { cleanUpAfterEach, fakeServer, shell, silentLog, startNode, temporaryDirectory } from './support.ts'

cleanUpAfterEach()

const TASKS = 24
const SECONDS = 3

test('many tasks that log stay below the rate, each gets its turn, and urgent frames do not wait', async () => {
  // Not so short that the node gives up the connection on a busy machine, because lines on a lost connection are lost.
  const server = fakeServer({ heartbeatSeconds: 2 })
  const script = join(temporaryDirectory(), 'talk.py')
  const go = join(temporaryDirectory(), 'go')
  writeFileSync(
    script,
    `import json, os, time
for i in range(${SECONDS * 20}):
    print(json.dumps({"progress": i * 100 / ${SECONDS * 20}}), flush=True)
    for n in range(20): print("line", i, n, flush=True)
    time.sleep(0.05)
print(json.dumps({"progress": 100}), flush=True)
while not os.path.exists("${go}"): time.sleep(0.05)
print("last line")`,
  )
  await startNode(
    server,
    { talk: { command: ['python3', script], env: { PATH: process.env.PATH ?? '' } }, quick: shell('exit 0') },
    { maxConcurrentTasks: TASKS + 1 },
  )
  await server.frame('heartbeat')
  const ids = Array.from({ length: TASKS }, (_, i) => `t${i}`)
  for (const id of ids) server.assign(id, 'talk')
  await server.until(() => ids.every((id) => server.of('log', id).length > 0), 'a line of every task', 30_000)
  server.assign('quick', 'quick')
  await server.until(() => server.of('completed', 'quick').length > 0, 'the quick task', 60_000)
  expect(server.of('completed').every(({ task_id }) => task_id === 'quick')).toBe(true)
  writeFileSync(go, '')
  // The node repeats a result until it is acknowledged, so some results may have come more than once.
  const ended = () => new Set(server.of('completed').map(({ task_id }) => task_id)).size
  await server.until(() => ended() === TASKS + 1, 'all results', 60_000)

  expect(server.connections).toBe(1)
  const { times } = server
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000
  // Half of the server's limit, and one second's worth of it at once.
  expect(server.of('log').length + server.of('progress').length).toBeLessThan(250 * (seconds + 1.5))

  for (const id of ids) {
    const logs = server.of('log', id)
    const lines = logs.filter(({ message }) => message.startsWith('line '))
    const notices = logs.filter(({ message }) => /^\d+ lines dropped/.test(message))
    const dropped = notices.reduce((sum, { message }) => sum + Number.parseInt(message, 10), 0)
    // Every line, also the last one, is logged or counted by a notice.
    expect(lines.length + dropped + logs.filter(({ message }) => message === 'last line').length).toBe(
      SECONDS * 400 + 1,
    )
    expect(lines.length).toBeGreaterThan(5)
    expect(server.of('progress', id).at(-1)?.progress).toBe(100)
    expect(notices.length).toBeLessThanOrEqual(seconds + 1)
  }
  const last = (type: string, id: string) =>
    server.frames.findLastIndex((f) => f.type === type && 'task_id' in f && f.task_id === id)
  for (const id of ids)
    expect(last('completed', id)).toBeGreaterThan(Math.max(last('log', id), last('progress', id)))
}, 120_000)

test('a server that comes back gets a thousand results within its limits', async () => {
  const stateDir = temporaryDirectory()
  const results = new Results(stateDir, silentLog)
  for (let i = 0; i < 1000; i++)
    results.add({ type: 'completed', task_id: `t${i}`, attempt: 1, result: { i } }, `t${i}`)
  const server = fakeServer({ ack: false })
  await startNode(server, {}, { stateDir, repeatResultsMs: 60_000 })
  await server.until(() => server.of('completed').length >= 100, 'the first results')
  await server.frame('heartbeat', undefined, 3)
  expect(server.of('completed')).toHaveLength(100)
  server.ack = true
  for (const { task_id, attempt } of server.of('completed')) server.send({ type: 'ack', task_id, attempt })
  await server.until(() => server.of('completed').length === 1000, 'all results', 30_000)
  expect(new Set(server.of('completed').map(({ task_id }) => task_id)).size).toBe(1000)
}, 60_000)

test('a kept result has exact whole numbers after a restart of the node', () => {
  const stateDir = temporaryDirectory()
  const result = '{"seed":1970670598291982290,"huge":[123456789012345678901234567890]}'
  const frame = { type: 'completed' as const, task_id: 't', attempt: 1, result: parseJson(result) as object }
  new Results(stateDir, silentLog).add({ ...frame, result: { ...frame.result } }, 't')
  const sent: string[] = []
  new Results(stateDir, silentLog).send((kept) => sent.push(JSON.stringify(kept)) > 0, 0)
  expect(sent).toEqual([`{"type":"completed","task_id":"t","attempt":1,"result":${result}}`])
})
