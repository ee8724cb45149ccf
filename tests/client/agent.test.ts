/** The frames of an agent's answer reach each watcher once and in order, whatever brings them (src/client/topics.ts). */
import { afterAll, expect, test } from 'bun:test'
import type { AgentEventFrame } from '../../src/client/index.ts'
import { chatStream, expectRun, textOf } from '../support/chat.ts'
import { makeUser } from '../support/factories.ts'
import { ModelServer } from '../support/model-server.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { SocketProxy } from '../support/socket-proxy.ts'
import { openClient, type TestClient } from './support.ts'

const WORDS = 40
const model = new ModelServer(() =>
  Array.from({ length: WORDS }, (_, n) => [`word ${n} `, { pauseMs: 60 }]).flat(),
)
const server = await startServer(model.env)
afterAll(async () => {
  await server.stop()
  model[Symbol.dispose]()
})

async function ask(token: string): Promise<string> {
  const gone = new AbortController()
  const { events } = await chatStream(server, { token, message: 'tell me' }, gone.signal)
  const session = (await events.next()).value!.event.threadId
  gone.abort()
  return session
}

function follow({ live }: TestClient, session: string, agentSeq?: number): AgentEventFrame[] {
  const frames: AgentEventFrame[] = []
  live.watch(
    `agent:${session}`,
    (frame) => void frames.push(frame),
    agentSeq === undefined ? {} : { agentSeq },
  )
  return frames
}

const isOver = (frames: AgentEventFrame[]) => /^RUN_(FINISHED|ERROR)$/.test(frames.at(-1)?.event.type ?? '')

function expectWhole(frames: AgentEventFrame[]): void {
  expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, i) => i + 1))
  expect(new Set(frames.map(({ run_id }) => run_id)).size).toBe(1)
  const run = frames.map(({ event }) => event)
  expectRun(run)
  expect(textOf(run)).toBe(Array.from({ length: WORDS }, (_, n) => `word ${n} `).join(''))
}

test('over a socket that is cut, for watchers that come early and late', async () => {
  await using proxy = new SocketProxy(() => server.url)
  const { token } = await makeUser(server)
  using client = openClient({ url: proxy.url, token })
  const session = await ask(token)
  const early = follow(client, session)
  await eventually(() => early.length > 4, 'the first words')
  proxy.cutAll()
  await eventually(() => early.length > 9, 'more words')
  const late = follow(client, session)
  const behind = follow(client, session, 6)
  await eventually(() => isOver(early) && isOver(late) && isOver(behind), 'the end')
  expectWhole(early)
  expectWhole(late)
  expect(behind.map(({ seq }) => seq)).toEqual(early.map(({ seq }) => seq).filter((seq) => seq > 6))
})

test('where WebSockets are blocked, and when they open in the middle of a word', async () => {
  await using proxy = new SocketProxy(() => server.url)
  proxy.blocksUpgrades = true
  const { token } = await makeUser(server)
  using client = openClient({ url: proxy.url, token })
  await client.reaches('polling')
  const session = await ask(token)
  const frames = follow(client, session)
  await eventually(() => frames.length > 4, 'the first words')
  proxy.blocksUpgrades = false
  client.live.retry()
  await eventually(() => isOver(frames), 'the end')
  expectWhole(frames)
  expect(client.live.status).toBe('live')
})
