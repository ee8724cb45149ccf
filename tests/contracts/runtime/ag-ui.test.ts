/** docs/contracts/runtime.md, "AG-UI", with AG-UI's own client. */
import { afterAll, describe, expect, test } from 'bun:test'
import {
  type AgentSubscriber,
  type BaseEvent,
  buildResumeArray,
  HttpAgent,
  type Message,
} from '@ag-ui/client'
import { AgentCapabilitiesSchema } from '@ag-ui/core/schemas'
import { api } from '../../support/api.ts'
import { all, expectRun, readEvents, textOf } from '../../support/chat.ts'
import { makeTask, makeUser, type TestUser, unique } from '../../support/factories.ts'
import { lastUserText, ModelServer, type Piece } from '../../support/model-server.ts'
import { startServer } from '../../support/server.ts'

/** A `slow` answer goes on when the test opens the gate. */
let gate = Promise.withResolvers<void>()
const model = new ModelServer((request): Piece[] | Response => {
  const asked = lastUserText(request)
  const { role, content } = request.messages.at(-1)!
  if (role === 'tool') return [`It says ${content}`]
  if (asked.startsWith('tasks')) return ['Let me look. ', { tool: 'list_tasks', input: {} }]
  const cancel = /^cancel (\d+)/.exec(asked)
  if (cancel) return [{ tool: 'cancel_task', input: { task_id: Number(cancel[1]) } }]
  if (asked.startsWith('slow')) return ['One, ', { until: () => gate.promise }, 'two, ', 'three.']
  if (asked.startsWith('broken')) return ['half', 'cut']
  return [`You said ${asked}`]
})
const server = await startServer(model.env)
afterAll(async () => {
  await server.stop()
  model[Symbol.dispose]()
})
const PATH = '/api/v1/ag-ui'
const url = server.url + PATH

const agentOf = ({ token }: Pick<TestUser, 'token'>, threadId: string = crypto.randomUUID()) =>
  new HttpAgent({ url, threadId, headers: { authorization: `Bearer ${token}`, 'accept-language': 'en' } })

/** Asks, and returns the events as the client's application gets them. */
async function run(
  agent: HttpAgent,
  text?: string,
  options: Parameters<HttpAgent['runAgent']>[0] = {},
  more: AgentSubscriber = {},
) {
  if (text !== undefined) agent.addMessage({ id: crypto.randomUUID(), role: 'user', content: text })
  const events: BaseEvent[] = []
  let failed: (Error & { status?: number }) | undefined
  await agent.runAgent(options, {
    ...more,
    onEvent: ({ event }) => void events.push(event),
    // The client's types leave `stopPropagation` out, and without it the client throws.
    onRunFailed: ({ error }): object => {
      failed = error
      return { stopPropagation: true }
    },
  })
  return { events, failed }
}

const shown = (messages: Message[]) => messages.map(({ role, content }) => [role, content])
const send = (token: string | undefined, body: unknown) => api(server, 'POST', PATH, { token, body })
const input = (over: object = {}) => ({
  threadId: unique('thread'),
  runId: 'r',
  messages: [{ id: 'm', role: 'user', content: 'hi' }],
  ...over,
})

describe('a run', () => {
  test('text: the client gets its own names of thread and run back', async () => {
    const agent = agentOf(await makeUser(server), 'my thread / 对话')
    const { events } = await run(agent, 'hello', { runId: 'my run' })
    expectRun(events)
    expect(events[0]).toMatchObject({ threadId: 'my thread / 对话', runId: 'my run', protocolVersion: '1.0' })
    expect(events.at(-1)).toMatchObject({ threadId: 'my thread / 对话', runId: 'my run' })
    expect(shown(agent.messages)).toEqual([
      ['user', 'hello'],
      ['assistant', 'You said hello'],
    ])
  })

  test('tool calls', async () => {
    const owner = await makeUser(server)
    await makeTask(server, owner)
    const agent = agentOf(owner)
    const { events } = await run(agent, 'tasks')
    expectRun(events)
    const [, call, result, answer] = agent.messages
    expect(call).toMatchObject({
      content: 'Let me look. ',
      toolCalls: [{ function: { name: 'list_tasks' } }],
    })
    expect(JSON.parse(result!.content as string)).toMatchObject({ total: 1 })
    expect(answer!.content).toStartWith('It says {"total":1')
  })

  test('two runs in one thread: the server keeps the history, whatever the client sends of it', async () => {
    const agent = agentOf(await makeUser(server))
    await run(agent, 'first')
    agent.setMessages([{ id: 'made-up', role: 'assistant', content: 'I have said this' }])
    await run(agent, 'second')
    const { messages } = model.requests.findLast((one) => lastUserText(one) === 'second')!
    expect(messages.slice(1).map(({ role, content }) => [role, content])).toEqual([
      ['user', 'first'],
      ['assistant', 'You said first'],
      ['user', 'second'],
    ])
  })

  test('several new messages are one question; parts that are no text are left out', async () => {
    const agent = agentOf(await makeUser(server))
    agent.addMessage({ id: 'a', role: 'user', content: 'one' })
    agent.addMessage({
      id: 'b',
      role: 'user',
      content: [
        { type: 'image', source: { type: 'url', value: 'https://example.org/a.png' } },
        { type: 'text', text: 'two' },
      ],
    })
    await run(agent)
    expect(agent.messages.at(-1)!.content).toBe('You said one\n\ntwo')
  })

  test('context and time zone of the application reach the model', async () => {
    const agent = agentOf(await makeUser(server))
    await run(agent, 'where am I', {
      context: [{ description: 'Open page', value: 'task list' }],
      forwardedProps: { timezone: 'Asia/Shanghai' },
      tools: [{ name: 'paint', description: 'Paints', parameters: {} }],
    })
    const request = model.requests.findLast((one) => lastUserText(one) === 'where am I')!
    expect(request.messages[0]!.content).toContain('Open page: task list')
    expect(request.messages[0]!.content).toContain('Asia/Shanghai')
    expect(request.tools?.map(({ function: { name } }) => name)).not.toContain('paint')
  })

  test('a failed run is RUN_ERROR, with what was said until then', async () => {
    const agent = agentOf(await makeUser(server))
    const { events } = await run(agent, 'broken')
    expect(events.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'MODEL_INTERRUPTED' })
    expect(textOf(events)).toBe('half')
    expect((await run(agent)).events.at(-1)).toMatchObject({ type: 'RUN_ERROR', code: 'MODEL_INTERRUPTED' })
    await run(agent, 'hi')
    expect(agent.messages.at(-1)!.content).toBe('You said hi')
  })
})

describe('a question before a destructive tool', () => {
  async function asked() {
    const owner = await makeUser(server)
    const task = await makeTask(server, owner)
    const status = async () =>
      (await api(server, 'GET', `/api/tasks/${task.id}`, { token: owner.token })).body.status
    const agent = agentOf(owner)
    const { events } = await run(agent, `cancel ${task.id}`)
    expectRun(events)
    const [interrupt] = agent.pendingInterrupts
    expect(interrupt).toMatchObject({ reason: 'tool_call', responseSchema: { required: ['approved'] } })
    expect(interrupt!.message).toContain(String(task.id))
    expect(await status()).toBe('pending')
    return { owner, agent, interrupt: interrupt!, status }
  }
  type Response = Parameters<typeof buildResumeArray>[1][string]
  const answer = (agent: HttpAgent, response: Response) => {
    const { pendingInterrupts } = agent
    const responses = Object.fromEntries(pendingInterrupts.map(({ id }) => [id, response]))
    return run(agent, undefined, { resume: buildResumeArray(pendingInterrupts, responses) })
  }

  test('yes: the call is carried out, and its result names it', async () => {
    const { agent, interrupt, status } = await asked()
    const { events } = await answer(agent, { status: 'resolved', payload: { approved: true } })
    expectRun(events)
    expect(await status()).toBe('cancelled')
    expect(events.find(({ type }) => type === 'TOOL_CALL_RESULT')).toMatchObject({
      toolCallId: interrupt.toolCallId,
    })
    expect(agent.pendingInterrupts).toEqual([])
    // The same answer once more does nothing: the client gets what there is.
    const again = await run(agent, undefined, {
      resume: [{ interruptId: interrupt.id, status: 'resolved', payload: { approved: true } }],
    })
    expect(again.events.map(({ type }) => type as string)).toEqual([
      'RUN_STARTED',
      'MESSAGES_SNAPSHOT',
      'RUN_FINISHED',
    ])
  })

  test.each<Response>([
    { status: 'resolved', payload: { approved: false } },
    { status: 'resolved', payload: { approved: 'true' } },
    { status: 'resolved' },
    { status: 'cancelled' },
  ])('anything but a yes declines it: %j', async (response) => {
    const { agent, status } = await asked()
    expectRun((await answer(agent, response)).events)
    expect(await status()).toBe('pending')
    expect(agent.messages.at(-1)!.content).toStartWith('You said')
    // The conversation goes on as before.
    await run(agent, 'and now')
    expect(agent.messages.at(-1)!.content).toBe('You said and now')
  })

  test('an answer with a new message: the model gets both', async () => {
    const { agent, interrupt, status } = await asked()
    await run(agent, 'then rest', {
      resume: [{ interruptId: interrupt.id, status: 'resolved', payload: { approved: true } }],
    })
    expect(await status()).toBe('cancelled')
    expect(agent.messages.at(-1)!.content).toBe('You said then rest')
  })

  test('a message without an answer is refused; the client gets the question again, and by text in /agent-chats too', async () => {
    const { owner, agent, status } = await asked()
    const fresh = agentOf(owner, agent.threadId)
    expect((await run(fresh, 'yes')).failed?.status).toBe(409)
    fresh.setMessages([])
    await run(fresh)
    expect(fresh.pendingInterrupts.map(({ id }) => id)).toEqual(agent.pendingInterrupts.map(({ id }) => id))
    expect(await status()).toBe('pending')
    const { body } = await api(server, 'GET', `/api/v1/agent-chats/${agent.threadId}`, { token: owner.token })
    await api(server, 'POST', '/api/v1/agent-chats', {
      token: owner.token,
      body: { message: 'yes', session_id: body.session_id },
    })
    expect(await status()).toBe('cancelled')
  })

  test('a strict model takes all of these conversations', () => {
    expect(model.faults).toEqual([])
  })
})

describe('leave, resume, cancel', () => {
  /** Asks a slow question and leaves in the middle of the answer. */
  async function leave(owner: TestUser) {
    gate = Promise.withResolvers()
    const agent = agentOf(owner)
    await run(
      agent,
      'slow',
      {},
      {
        onTextMessageContentEvent: () => agent.abortRun(),
      },
    )
    expect(agent.messages.at(-1)).toMatchObject({ role: 'assistant', content: 'One, ' })
    return agent
  }

  test('a client that lost the stream asks again and gets the rest, nothing twice; another one gets all', async () => {
    const owner = await makeUser(server)
    const agent = await leave(owner)
    const other = agentOf(owner, agent.threadId)
    // Both follow before the answer goes on.
    let following = 0
    const onMessagesSnapshotEvent = () => void (++following === 2 && gate.resolve())
    const runs = [agent, other].map((one) => run(one, undefined, {}, { onMessagesSnapshotEvent }))
    for (const { events } of await Promise.all(runs)) expectRun(events)
    const whole = [
      ['user', 'slow'],
      ['assistant', 'One, two, three.'],
    ]
    expect(shown(agent.messages)).toEqual(whole)
    expect(shown(other.messages)).toEqual(whole)
    expect(other.messages.map(({ id }) => id)).toEqual(agent.messages.map(({ id }) => id))
    // After the end: the same, from what is kept.
    const late = agentOf(owner, agent.threadId)
    await run(late)
    expect(late.messages).toEqual(agent.messages)
  })

  test('Last-Event-ID: the thread as a session of /agent-chats', async () => {
    const owner = await makeUser(server)
    const { threadId } = await leave(owner)
    gate.resolve()
    const rest = await fetch(`${server.url}/api/v1/agent-chats/${threadId}`, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${owner.token}`,
        'last-event-id': '3',
      },
    })
    const sent = await all(readEvents(rest))
    expect(sent.map(({ id }) => id)).toEqual(sent.map((_, i) => i + 4))
    expect(textOf(sent.map(({ event }) => event))).toBe('two, three.')
  })

  test('a run under way: 409 for another message; cancelled from elsewhere, the stream says so', async () => {
    const owner = await makeUser(server)
    const agent = await leave(owner)
    const eager = agentOf(owner, agent.threadId)
    expect((await run(eager, 'hi')).failed?.status).toBe(409)
    const back = run(
      agent,
      undefined,
      {},
      {
        onMessagesSnapshotEvent: async () => {
          await api(server, 'POST', `/api/v1/agent-chats/${agent.threadId}/cancel`, { token: owner.token })
        },
      },
    )
    expect((await back).events.at(-1)).toMatchObject({ outcome: { type: 'cancelled' } })
    expect((await run(agent)).events.at(-1)).toMatchObject({ outcome: { type: 'cancelled' } })
    gate.resolve()
    await run(agent, 'hi')
    expect(agent.messages.at(-1)!.content).toBe('You said hi')
  })

  test('requests at once: one begins the thread, the others are refused or follow', async () => {
    const owner = await makeUser(server)
    gate = Promise.withResolvers()
    const threadId = unique('thread')
    const asks = ['a', 'b', 'c'].map((id) =>
      send(owner.token, { ...input({ threadId }), messages: [{ id, role: 'user', content: `slow ${id}` }] }),
    )
    let refused = 0
    for (const ask of asks) void ask.then(() => ++refused === 2 && gate.resolve())
    const statuses = (await Promise.all(asks)).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([200, 409, 409])
  })
})

describe('who and what', () => {
  test("a thread's name leads to nobody else's conversation, not even the id of their session", async () => {
    const [mine, theirs] = [await makeUser(server), await makeUser(server)]
    const agent = agentOf(theirs, unique('thread'))
    await run(agent, 'secret')
    const path = `/api/v1/agent-chats/${agent.threadId}`
    const session = (await api(server, 'GET', path, { token: theirs.token })).body.session_id
    for (const threadId of [agent.threadId, session]) {
      const spy = agentOf(mine, threadId)
      await run(spy)
      expect(spy.messages).toEqual([])
      await run(spy, 'mine')
      expect(shown(spy.messages)).toEqual([
        ['user', 'mine'],
        ['assistant', 'You said mine'],
      ])
    }
    expect(
      (await api(server, 'GET', `/api/v1/agent-chats/${session}`, { token: theirs.token })).body.messages,
    ).toHaveLength(2)
  })

  test('a session of /agent-chats is a thread', async () => {
    const owner = await makeUser(server)
    const body = { message: 'from elsewhere' }
    const { session_id } = (await api(server, 'POST', '/api/v1/agent-chats', { token: owner.token, body }))
      .body
    const agent = agentOf(owner, session_id)
    await run(agent)
    await run(agent, 'here')
    expect(shown(agent.messages)).toEqual([
      ['user', 'from elsewhere'],
      ['assistant', 'You said from elsewhere'],
      ['user', 'here'],
      ['assistant', 'You said here'],
    ])
  })

  test('signed out 401; input that does not fit 422, in the form of the contract', async () => {
    const { token } = await makeUser(server)
    const out = await send(undefined, input())
    expect(out.status).toBe(401)
    expect(out.headers.get('content-type')).toBe('application/problem+json')
    for (const body of [
      {},
      input({ threadId: '' }),
      input({ runId: 7 }),
      input({ messages: 'hi' }),
      input({ messages: [{ role: 'user', content: 'no id' }] }),
      input({ messages: [{ id: 'm', role: 'user', content: 'x'.repeat(8001) }] }),
      // With the lines between them.
      input({
        messages: Array.from({ length: 3000 }, (_, n) => ({ id: `${n}`, role: 'user', content: 'x' })),
      }),
      input({ resume: [{ interruptId: 'i', status: 'maybe' }] }),
      input({ forwardedProps: { timezone: 'Mars/Olympus' } }),
    ]) {
      expect((await send(token, body)).status).toBe(422)
    }
    const agent = agentOf({ token: 'nonsense' })
    expect((await run(agent, 'hi')).failed?.status).toBe(401)
  })

  test("GET: what the agent can do, in AG-UI's form", async () => {
    const { token } = await makeUser(server)
    const { status, body } = await api(server, 'GET', PATH, { token })
    expect(status).toBe(200)
    expect(AgentCapabilitiesSchema.parse(body)).toEqual(body)
    expect(body).toMatchObject({ transport: { streaming: true, resumable: true } })
    expect(body.tools.items.map(({ name }: { name: string }) => name)).toContain('create_task')
  })
})
