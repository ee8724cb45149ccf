/** The frames of a session reach a reader in order and each once, even if hints are lost or repeated. */

import { afterAll, expect, test } from 'bun:test'
import { agentFramesHint } from '../../../src/core/agent/hints.ts'
import { agentFrames, agentRuns, agentSessions } from '../../../src/db/schema/index.ts'
import { makeUser } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
const { ctx } = server
afterAll(() => server.stop())

async function openSession() {
  const { user } = await makeUser(server)
  const sessionId = Bun.randomUUIDv7()
  const runId = Bun.randomUUIDv7()
  await ctx.db.insert(agentSessions).values({ id: sessionId, userId: user.id, title: 't' })
  // Ended, so that no sweep ends it during the test.
  await ctx.db.insert(agentRuns).values({ id: runId, sessionId, status: 'completed', firstSeq: 1 })
  const frame = (seq: number) => ({ seq, runId, event: JSON.stringify({ n: seq }) })
  return {
    sessionId,
    frame,
    store: (...seqs: number[]) =>
      ctx.db.insert(agentFrames).values(seqs.map((seq) => ({ sessionId, seq, runId, event: { n: seq } }))),
    hint: (...seqs: number[]) => ctx.bus.publish(agentFramesHint, [{ sessionId, frames: seqs.map(frame) }]),
  }
}

test.each([
  ['in order', [[4], [5], [6]]],
  ['as one', [[4, 5, 6]]],
  ['in any order', [[4], [6], [5]]],
  ['without the first', [[5], [6]]],
  ['without one in the middle', [[4], [6]]],
  ['twice', [[4, 5], [4, 5], [6]]],
  ['not at all', []],
])('hints that come %s', async (_, hints) => {
  const { sessionId, store, hint } = await openSession()
  await store(1, 2, 3)
  const gone = new AbortController()
  const seqs: number[] = []
  const reading = (async () => {
    for await (const { seq, event } of ctx.services.agentFeed.follow(sessionId, 0, gone.signal)) {
      expect(JSON.parse(event)).toEqual({ n: seq })
      seqs.push(seq)
      if (seq === 3) {
        await store(4, 5, 6)
        for (const one of hints) hint(...one)
      }
      if (seq === 6) gone.abort()
    }
  })()
  await reading
  expect(seqs).toEqual([1, 2, 3, 4, 5, 6])
})

test('a reader begins with the frames that it is given, and reads the log when a hint shows that it missed some', async () => {
  const { sessionId, frame, store, hint } = await openSession()
  const gone = new AbortController()
  const seqs: number[] = []
  // Frame 1 is not in the log, so the reader has it from its caller.
  for await (const { seq } of ctx.services.agentFeed.follow(sessionId, 0, gone.signal, [frame(1)])) {
    seqs.push(seq)
    if (seq === 1) {
      await store(2, 3)
      hint(3)
    }
    if (seq === 3) gone.abort()
  }
  expect(seqs).toEqual([1, 2, 3])
})

test('a reader that leaves is forgotten', async () => {
  const { sessionId, store } = await openSession()
  await store(1)
  const gone = new AbortController()
  const { agentFeed } = ctx.services
  // biome-ignore lint/complexity/useLiteralKeys: private
  const isKnown = () => agentFeed['readers'].has(sessionId)
  const frames = agentFeed.follow(sessionId, 0, gone.signal)
  expect((await frames.next()).value).toMatchObject({ seq: 1 })
  expect(isKnown()).toBe(true)
  const waiting = frames.next()
  gone.abort()
  expect(await waiting).toEqual({ done: true, value: undefined })
  expect(isKnown()).toBe(false)
})
