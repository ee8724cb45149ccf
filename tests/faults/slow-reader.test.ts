/**
 * Protects the slow reader (DESIGN 3): it falls behind in the log, not in the server's memory; it gets everything when
 * it reads again, and after too long it is sent away and resumes.
 */
import { describe, expect, test } from 'bun:test'
import { eventually, ServerProcess } from '../support/process.ts'
import { addNode, addTask, register } from './client.ts'
import { readerProblems, readHistory } from './history.ts'
import { openParts } from './parts.ts'
import { headOf, Reader } from './reader.ts'
import { ScriptedNode } from './scripted-node.ts'

/** More than the kernel takes for a socket that nobody reads: some six megabytes. */
const TASKS = 450
const RESULT_BYTES = 15_000
/** A socket blocked for 30 s is closed, and cut 5 s later. */
const TOO_LONG_MS = 33_000

describe('readers that do not read', () => {
  test('get everything afterwards, in order and once', async () => {
    await using stack = new AsyncDisposableStack()
    const parts = stack.use(await openParts('embedded', { max_concurrent_tasks_per_user: 10_000 }))
    const server = stack.use(await ServerProcess.start(parts.env))
    const { url, wsUrl } = server
    const owner = await register(url)
    const node = await stack
      .use(new ScriptedNode(() => wsUrl, (await addNode(url, 'node', 50)).token, 50))
      .connected()
    const open = (name: string) => stack.use(new Reader(name, () => wsUrl, owner)).ready()
    const [reads, pauses, sleeps] = [await open('reads'), await open('pauses'), await open('sleeps')]
    const readers = [reads, pauses, sleeps]
    const starts = readers.map(({ seq }) => seq)
    pauses.pause()
    sleeps.pause()
    let made = 0
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (made++ < TASKS) await addTask(url, owner, { steps: 0, result_bytes: RESULT_BYTES })
      }),
    )
    await eventually(
      () => reads.events.length === 3 * TASKS,
      () => `the reader gets ${3 * TASKS} events; it has ${reads.events.length}`,
      60_000,
    )
    const endedAt = performance.now()
    expect(pauses.events.length).toBeLessThan(reads.events.length)
    // It waits in the log, and a page of it in the kernel: not in the server.
    expect(pauses.connections).toBe(1)
    pauses.resume()
    const head = await headOf(wsUrl, owner)
    await eventually(
      () => pauses.seq >= head,
      () => `the paused reader reaches ${head}; it is at ${pauses.seq}`,
    )
    expect(pauses.connections).toBe(1)

    await Bun.sleep(Math.max(0, TOO_LONG_MS - (performance.now() - endedAt)))
    sleeps.resume()
    await eventually(() => sleeps.connections > 1, 'the sleeper was sent away and came back')
    // With 4508, unless what it slept through was in the way for so long that it was cut off.
    expect([4508, undefined]).toContain(sleeps.closeCodes[0])
    await eventually(
      () => sleeps.seq >= head,
      () => `the sleeper reaches ${head}; it is at ${sleeps.seq}`,
    )
    expect((await server.terminate()).code).toBe(0)
    const history = await readHistory(parts)
    expect([
      ...readers.flatMap((reader, i) => readerProblems(reader, history, starts[i])),
      ...node.problems,
      ...server.complaints,
    ]).toEqual([])
  }, 120_000)
})
