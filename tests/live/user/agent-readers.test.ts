/** Protects docs/contracts/runtime.md, "Agent chats": readers that are cut at random all end with the stored text. */
import { expect, test } from 'bun:test'
import { connect } from '../../../src/client/index.ts'
import { chatStream, expectRun, readEvents, type Sent, textOf } from '../../support/chat.ts'
import { makeUser } from '../../support/factories.ts'
import { ModelServer } from '../../support/model-server.ts'
import { Random } from '../../support/random.ts'
import { startServer, type TestServer } from '../../support/server.ts'

const READERS = 6
const RUNS = 3

/** Reads the newest run of a session over SSE, leaving and coming back at random. */
async function readStream(
  server: TestServer,
  token: string,
  session: string,
  random: Random,
): Promise<Sent[]> {
  const sent: Sent[] = []
  for (;;) {
    const gone = new AbortController()
    const response = await fetch(`${server.url}/api/v1/agent-chats/${session}`, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        ...(sent.length > 0 && { 'last-event-id': String(sent.at(-1)!.id) }),
      },
      signal: gone.signal,
    })
    let left = random.between(1, 12)
    for await (const one of readEvents(response)) {
      sent.push(one)
      if (/^RUN_(FINISHED|ERROR)$/.test(one.event.type)) return sent
      if (--left === 0) break
    }
    gone.abort()
    if (random.chance(0.5)) await Bun.sleep(random.between(1, 100))
  }
}

/** The same over the live channel, by the client. */
async function watch(server: TestServer, token: string, session: string, random: Random): Promise<Sent[]> {
  const sent: Sent[] = []
  while (!/^RUN_(FINISHED|ERROR)$/.test(sent.at(-1)?.event.type ?? '')) {
    const live = connect({ url: server.url, token })
    let left = random.between(1, 12)
    await new Promise<void>((done, failed) => {
      live.watch(
        `agent:${session}`,
        ({ seq, event }) => {
          if (left === 0) return
          sent.push({ id: seq, event })
          if (--left === 0 || /^RUN_(FINISHED|ERROR)$/.test(event.type)) done()
        },
        { onError: failed, ...(sent.length > 0 && { agentSeq: sent.at(-1)!.id }) },
      )
    })
    live.close()
    if (random.chance(0.5)) await Bun.sleep(random.between(1, 100))
  }
  return sent
}

test('readers that are cut at random read what is kept: nothing lost, nothing twice', async () => {
  const random = Random.announced('agent readers')
  const words = random.fork()
  const said = () => `${'词'.repeat(words.between(1, 3))}${words.between(0, 999)} `
  using model = new ModelServer(() =>
    Array.from({ length: 150 }, () => [said(), { pauseMs: words.between(0, 12) }]).flat(),
  )
  const server = await startServer(model.env)
  try {
    const { token } = await makeUser(server)
    await Promise.all(
      Array.from({ length: RUNS }, async () => {
        const gone = new AbortController()
        const { events } = await chatStream(server, { token, message: 'tell me' }, gone.signal)
        const session = (await events.next()).value!.event.threadId
        gone.abort()
        const readers = await Promise.all(
          Array.from({ length: READERS }, (_, i) =>
            (i % 2 ? readStream : watch)(server, token, session, random.fork()),
          ),
        )
        const kept = await fetch(`${server.url}/api/v1/agent-chats/${session}`, {
          headers: { authorization: `Bearer ${token}` },
        })
        const { messages } = (await kept.json()) as { messages: { content: string }[] }
        for (const sent of readers) {
          expect(sent.map(({ id }) => id)).toEqual(sent.map((_, i) => i + 1))
          const run = sent.map(({ event }) => event)
          expectRun(run)
          expect(textOf(run)).toBe(messages.at(-1)!.content)
        }
      }),
    )
  } finally {
    await server.stop()
  }
}, 60_000)
