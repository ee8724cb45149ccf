/**
 * Protects runs of the agent whose server ends: each run ends once, as failed, with exactly the events that readers
 * received, and its session accepts messages again.
 */
import { describe, expect, test } from 'bun:test'
import { chatStream, expectRun, readEvents, type Sent, textOf } from '../support/chat.ts'
import { ModelServer } from '../support/model-server.ts'
import { eventually, ServerProcess } from '../support/process.ts'
import { type Account, ask, register } from './client.ts'
import { hasPostgres, NO_DATABASE, openParts } from './parts.ts'

const endless = () =>
  new ModelServer(() => Array.from({ length: 3000 }, (_, i) => [`w${i} `, { pauseMs: 15 }]).flat())

/** In the language of the user who asked, whichever server sends it. */
const STOPPED = { type: 'RUN_ERROR', code: 'SERVER_STOPPED', message: '服务器在回答过程中停止' }

/** Starts a run and reads its first frames. */
async function begin(url: string, { token }: Account): Promise<{ session: string; sent: Sent[] }> {
  const gone = new AbortController()
  const { events } = await chatStream({ url }, { token, message: 'go on' }, gone.signal)
  const sent: Sent[] = []
  for await (const one of events) {
    sent.push(one)
    if (sent.length === 8) break
  }
  gone.abort()
  return { session: sent[0]!.event.threadId, sent }
}

async function readOn(url: string, { token }: Account, session: string, after: number): Promise<Sent[]> {
  const response = await fetch(`${url}/api/v1/agent-chats/${session}`, {
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      'last-event-id': String(after),
    },
  })
  const sent: Sent[] = []
  for await (const one of readEvents(response)) sent.push(one)
  return sent
}

const show = async (url: string, { token }: Account, session: string) =>
  (await ask(url, 'GET', `/api/v1/agent-chats/${session}`, { token }))!.body

async function expectFailed(url: string, owner: Account, session: string, before: Sent[]): Promise<void> {
  const whole = [...before, ...(await readOn(url, owner, session, before.at(-1)!.id))]
  expect(whole.map(({ id }) => id)).toEqual(whole.map((_, i) => i + 1))
  const run = whole.map(({ event }) => event)
  expectRun(run)
  expect(run.at(-1)).toMatchObject(STOPPED)
  const kept = await show(url, owner, session)
  expect(kept.run).toMatchObject({ status: 'failed', error: 'SERVER_STOPPED' })
  expect(kept.messages.at(-1).content).toBe(textOf(run))
  expect(textOf(run)).toStartWith('w0 w1 ')
}

describe.concurrent('a server goes while the agent answers', () => {
  test('killed, on the embedded database: the run has failed as soon as the server is back', async () => {
    using model = endless()
    await using parts = await openParts('embedded')
    await using server = await ServerProcess.start({ ...parts.env, ...model.env })
    const owner = await register(server.url)
    const { session, sent } = await begin(server.url, owner)
    await server.restart()
    expect((await show(server.url, owner, session)).run.status).toBe('failed')
    await expectFailed(server.url, owner, session, sent)
    expect(server.complaints).toEqual([])
  })

  test('SIGTERM: the run is ended before the server is', async () => {
    using model = endless()
    await using parts = await openParts('embedded')
    await using server = await ServerProcess.start({ ...parts.env, ...model.env })
    const owner = await register(server.url)
    const { session, sent } = await begin(server.url, owner)
    const { code, ms } = await server.terminate()
    expect(code).toBe(0)
    expect(ms).toBeLessThan(5000)
    await server.start()
    await expectFailed(server.url, owner, session, sent)
    expect(server.complaints).toEqual([])
  })

  if (!hasPostgres) console.log(`skipped: an agent on two servers: ${NO_DATABASE}`)
  test.skipIf(!hasPostgres)(
    'frozen, on PostgreSQL: another server ends the run, and the frozen one adds nothing when it goes on',
    async () => {
      using model = endless()
      await using parts = await openParts('PostgreSQL')
      const env = { ...parts.env, ...model.env }
      await using a = await ServerProcess.start(env)
      await using b = await ServerProcess.start(env)
      const owner = await register(a.url)
      const { session, sent } = await begin(a.url, owner)
      // Read at another server than the one that runs it.
      const reading = readOn(b.url, owner, session, sent.at(-1)!.id)
      await Bun.sleep(500)
      a.freeze()
      const rest = await reading
      expect(rest.at(-1)!.event).toMatchObject(STOPPED)
      a.thaw()
      await Bun.sleep(1500)
      const after = await show(b.url, owner, session)
      expect(after.seq).toBe(rest.at(-1)!.id)
      await expectFailed(b.url, owner, session, sent)
      // The server that was frozen has ended its request to the model.
      await eventually(() => model.aborted > 0, 'the model is let go')
      expect([...a.complaints, ...b.complaints]).toEqual([])
    },
  )
})
