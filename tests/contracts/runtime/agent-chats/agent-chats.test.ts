import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { agentRuns } from '../../../../src/db/schema/index.ts'
import { all, chatStream, expectRun, readEvents, textOf } from '../../../support/chat.ts'
import { describedApi } from '../../../support/described.ts'
import { readBlocks } from '../../../support/event-stream.ts'
import { makeTask, makeUser, signInAgain } from '../../../support/factories.ts'
import { lastUserText, ModelServer } from '../../../support/model-server.ts'
import { eventually } from '../../../support/process.ts'
import { startServer } from '../../../support/server.ts'
import { expectAnswer, expectWithout, type Shape } from '../../../support/shapes.ts'
import { TestSocket } from '../../../support/sockets.ts'

/** The question decides what the model answers. */
const model = new ModelServer((request) => {
  const asked = lastUserText(request)
  const results = request.messages.filter(({ role }) => role === 'tool').length
  if (asked.startsWith('tasks'))
    return results === 0 ? ['Let me look. ', { tool: 'list_tasks', input: {} }] : ['You have some.']
  if (asked.startsWith('slow'))
    return Array.from({ length: 120 }, (_, i) => [`w${i} `, { pauseMs: 12 }]).flat()
  if (asked.startsWith('silent')) return ['Well, ', { pauseMs: 60_000 }]
  if (asked.startsWith('429'))
    return new Response('{"error":{"message":"sk-very-secret-key"}}', {
      status: 429,
      headers: { 'retry-after-ms': '1' },
    })
  if (asked.startsWith('500'))
    return new Response('sk-very-secret-key', { status: 500, headers: { 'retry-after-ms': '1' } })
  if (asked.startsWith('401')) return new Response('{"error":{"message":"bad key"}}', { status: 401 })
  if (asked.startsWith('cut')) return ['half an ', 'answer', 'cut']
  if (asked.startsWith('loop')) return [{ tool: 'gpu_overview', input: {} }]
  if (asked.startsWith('gpus')) return results === 1 ? [{ tool: 'gpu_overview', input: {} }] : ['None.']
  if (asked.startsWith('nonsense'))
    return results === 0
      ? [
          { tool: 'show_task', input: { task_id: 'x' } },
          { tool: 'no_such', input: {} },
        ]
      : ['I see.']
  if (asked.startsWith('odd'))
    return results === 0
      ? [
          'zero \0, ',
          'whole \ud83d',
          '\ude00, half \ud83d',
          { tool: 'show_task', input: { task_id: 'a\0b', deep } },
        ]
      : ['done \ude00', '']
  if (asked.startsWith('huge')) return [{ tool: 'show_task', input: { task_id: 'x'.repeat(300_000) } }]
  return ['Hello, ', 'world', '!']
})
const deep = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`)
const server = await startServer(model.env)
afterAll(async () => {
  await server.stop()
  model[Symbol.dispose]()
})
const ask = describedApi(server)
const PATH = '/api/v1/agent-chats'
const chat = (token: string | undefined, body: unknown) => ask('POST', PATH, { token, body })

const STREAM = { accept: 'text/event-stream' }
const nullable = 'string|null'
/** docs/contracts/runtime.md, "Agent chats". */
const ANSWER = {
  session_id: 'uuid',
  output: 'string',
  events: [
    {
      type: 'string',
      run_id: nullable,
      message_id: nullable,
      delta: nullable,
      tool_name: nullable,
      result: nullable,
      output: nullable,
      error: nullable,
    },
  ],
} satisfies Shape

function expectProblem(answer: Awaited<ReturnType<typeof chat>>, status: number, path: string) {
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body).toMatchObject({ type: 'about:blank', status, instance: path, error: { details: {} } })
}

describe('POST /api/v1/agent-chats', () => {
  test('200 with the documented fields, and AG-UI names for the types', async () => {
    const { token } = await makeUser(server)
    const answer = await chat(token, { message: 'hi' })
    expectAnswer(answer, 200, ANSWER)
    expect(answer.body.output).toBe('Hello, world!')
    const types = answer.body.events.map(({ type }: { type: string }) => type)
    expect(types[0]).toBe('RUN_STARTED')
    expect(types.at(-1)).toBe('RUN_FINISHED')
    expect(answer.body.events.at(-1).output).toBe('Hello, world!')
  })

  test('a session goes on: the model is told what was said before', async () => {
    const { token } = await makeUser(server)
    const first = await chat(token, { message: 'first question' })
    const { session_id } = first.body
    const second = await chat(token, { message: 'second question', session_id })
    expect(second.body.session_id).toBe(session_id)
    const request = model.requests.findLast((one) => lastUserText(one) === 'second question')!
    expect(
      request.messages.filter(({ role }) => role !== 'system').map(({ role, content }) => [role, content]),
    ).toEqual([
      ['user', 'first question'],
      ['assistant', 'Hello, world!'],
      ['user', 'second question'],
    ])
  })

  test('tools: what the model calls is done as the user, and told in the events', async () => {
    const owner = await makeUser(server)
    await makeTask(server, owner)
    const answer = await chat(owner.token, { message: 'tasks please' })
    const call = answer.body.events.find(({ type }: { type: string }) => type === 'TOOL_CALL_START')
    expect(call.tool_name).toBe('list_tasks')
    const result = answer.body.events.find(({ type }: { type: string }) => type === 'TOOL_CALL_RESULT')
    expect(result.tool_name).toBe('list_tasks')
    expect(JSON.parse(result.result).total).toBe(1)
    expect(answer.body.output).toBe('Let me look. \n\nYou have some.')
  })

  test('results stay with their calls, also when a model counts its calls anew in every answer', async () => {
    const { token } = await makeUser(server)
    const { session_id } = (await chat(token, { message: 'tasks please' })).body
    await chat(token, { message: 'gpus please', session_id })
    await chat(token, { message: 'and then', session_id })
    const { messages } = model.requests.findLast((one) => lastUserText(one) === 'and then')!
    const told = messages.flatMap(({ tool_calls }) => tool_calls ?? []) as { id: string }[]
    expect(new Set(told.map(({ id }) => id)).size).toBe(2)
    const results = messages.filter(({ role }) => role === 'tool')
    expect(results.map(({ tool_call_id }) => tool_call_id)).toEqual(told.map(({ id }) => id))
    expect(results.map(({ content }) => Object.keys(JSON.parse(content as string))[0])).toEqual([
      'total',
      'total_servers',
    ])
  })

  test('a call that does not fit, or of no tool, is told to the model and harms nobody', async () => {
    const { token } = await makeUser(server)
    const answer = await chat(token, { message: 'nonsense' })
    const results = answer.body.events.filter(({ type }: { type: string }) => type === 'TOOL_CALL_RESULT')
    expect(results.map(({ result }: { result: string }) => Object.keys(JSON.parse(result)))).toEqual([
      ['error'],
      ['error'],
    ])
    expect(answer.body.output).toBe('I see.')
  })

  test('what no database stores is replaced; a character that comes in halves is not', async () => {
    const { token } = await makeUser(server)
    const answer = await chat(token, { message: 'odd' })
    expect(answer.body.output).toBe('zero \ufffd, whole 😀, half \ufffd\n\ndone \ufffd')
    expect(answer.body.events.at(-1).type).toBe('RUN_FINISHED')
    const kept = await ask('GET', `${PATH}/${answer.body.session_id}`, { token })
    expect(kept.body.run.status).toBe('completed')
    expect(kept.body.messages.at(-1).content).toBe('done \ufffd')
  })

  test.each([
    ['429 please', 'MODEL_RATE_LIMITED', ''],
    ['500 please', 'MODEL_UNAVAILABLE', ''],
    ['401 please', 'MODEL_REFUSED', ''],
    ['cut please', 'MODEL_INTERRUPTED', 'half an answer'],
    ['loop please', 'STEP_LIMIT', ''],
    ['huge please', 'OUTPUT_LIMIT', ''],
  ])('a model that fails (%s): 200, RUN_ERROR %s and what was said so far', async (message, code, output) => {
    const { token } = await makeUser(server)
    const answer = await chat(token, { message })
    expectAnswer(answer, 200, ANSWER)
    expect(answer.body.output).toBe(output)
    const last = answer.body.events.at(-1)
    expect(last.type).toBe('RUN_ERROR')
    expect(last.error).toMatch(/\p{Script=Han}/u)
    expectWithout(answer, 'sk-very-secret-key')
    const session = await ask('GET', `${PATH}/${answer.body.session_id}`, { token })
    expect(session.body.run).toMatchObject({ status: 'failed', error: code })
    // The session accepts a new question.
    expect((await chat(token, { message: 'hi', session_id: answer.body.session_id })).status).toBe(200)
  })

  test('one run per session at a time: 409', async () => {
    const { token } = await makeUser(server)
    const { events } = await chatStream(server, { token, message: 'slow' })
    await events.next()
    const [session] = (await ask('GET', PATH, { token })).body.items
    expectProblem(await chat(token, { message: 'hi', session_id: session.session_id }), 409, PATH)
    // A run in another session does not matter.
    expect((await chat(token, { message: 'hi' })).status).toBe(200)
    await ask('POST', `${PATH}/${session.session_id}/cancel`, { token })
    await all(events)
  })

  test('signed out 401; input that does not fit 422; a session that is not yours 404', async () => {
    const { token } = await makeUser(server)
    expectProblem(await chat(undefined, { message: 'hi' }), 401, PATH)
    for (const body of [
      {},
      { message: '' },
      { message: '   ' },
      { message: 'x'.repeat(8001) },
      { message: 7 },
    ]) {
      expect((await chat(token, body)).status).toBe(422)
    }
    expect((await chat(token, { message: 'hi', session_id: 'nonsense' })).status).toBe(422)
    expect((await chat(token, { message: 'hi', timezone: 'Mars/Olympus' })).status).toBe(422)
    const theirs = await chat((await makeUser(server)).token, {
      message: 'hi',
      session_id: null,
      timezone: null,
    })
    expect(theirs.status).toBe(200)
    for (const session_id of [theirs.body.session_id, '01920000-0000-7000-8000-000000000000']) {
      expectProblem(await chat(token, { message: 'hi', session_id }), 404, PATH)
    }
  })

  test('8,000 characters are taken, and a null session is a new one', async () => {
    const { token } = await makeUser(server)
    expect((await chat(token, { message: '长'.repeat(8000), session_id: null })).status).toBe(200)
  })
})

describe('Accept: text/event-stream', () => {
  test('the same run as AG-UI events, valid against the published types', async () => {
    const { token } = await makeUser(server)
    const { response, events } = await chatStream(server, { token, message: 'tasks' })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    const sent = await all(events)
    expectRun(sent.map(({ event }) => event))
    expect(sent.map(({ id }) => id)).toEqual(sent.map((_, i) => i + 1))
    const started = sent[0]!.event
    const kept = await ask('GET', `${PATH}/${started.threadId}`, { token })
    expect(kept.body.run.run_id).toBe(started.runId)
  })

  test('text is gathered: far fewer frames than tokens, and the first token at once', async () => {
    const { token } = await makeUser(server)
    const started = performance.now()
    const { events } = await chatStream(server, { token, message: 'slow' })
    const sent = (await all(events)).map(({ event }) => event)
    const deltas = sent.filter(({ type }) => type === 'TEXT_MESSAGE_CONTENT')
    expect(textOf(sent).split(' ').filter(Boolean)).toHaveLength(120)
    expect(deltas[0].delta).toBe('w0 ')
    // At most one frame in 80 ms, however long a busy machine takes for the words.
    expect(deltas.length).toBeLessThanOrEqual((performance.now() - started) / 75 + 2)
    expect(deltas.length).toBeLessThan(120)
  })

  test('a session that ends takes its stream with it, and not the run', async () => {
    const { token } = await makeUser(server)
    const { events } = await chatStream(server, { token, message: 'slow' })
    const sent = []
    for await (const { event } of events) {
      sent.push(event)
      if (sent.length === 5) await ask('POST', '/api/v1/auth/logout', { token })
    }
    expect(sent.map(({ type }) => type)).not.toContain('RUN_FINISHED')
    const { threadId } = sent[0]
    const run = () => server.ctx.db.select().from(agentRuns).where(eq(agentRuns.sessionId, threadId))
    await eventually(async () => (await run())[0]!.status === 'completed', 'the run ends by itself')
  })

  test('a silent stream ends with its session at once, and not with its next ping', async () => {
    const owner = await makeUser(server)
    const other = await signInAgain(server, owner)
    const started = await fetch(server.url + PATH, {
      method: 'POST',
      headers: { ...STREAM, authorization: `Bearer ${owner.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ message: 'silent' }),
    })
    const blocks = readBlocks(started)
    let session = ''
    for (let text = ''; text === ''; ) {
      const { value } = await blocks.next()
      session ||= value!.data.threadId
      text = value!.data.delta ?? ''
    }
    await ask('POST', '/api/v1/auth/logout', { token: owner.token })
    expect(await blocks.next()).toEqual({ done: true, value: undefined })
    await ask('POST', `${PATH}/${session}/cancel`, { token: other.token })
  })

  test('a client that leaves comes back with Last-Event-ID and misses nothing; the run went on without it', async () => {
    const { token } = await makeUser(server)
    const gone = new AbortController()
    const { events } = await chatStream(server, { token, message: 'slow' }, gone.signal)
    const before = []
    for await (const one of events) {
      before.push(one)
      if (before.length === 5) break
    }
    gone.abort()
    const session = before[0]!.event.threadId
    await Bun.sleep(300)
    const again = await fetch(`${server.url}${PATH}/${session}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${token}`, 'last-event-id': '5' },
    })
    const rest = await all(readEvents(again))
    const whole = [...before, ...rest]
    expect(whole.map(({ id }) => id)).toEqual(whole.map((_, i) => i + 1))
    expectRun(whole.map(({ event }) => event))
    const kept = await ask('GET', `${PATH}/${session}`, { token })
    expect(kept.body.messages.at(-1).content).toBe(textOf(whole.map(({ event }) => event)))
    // A client that has every frame gets an empty answer.
    const done = await fetch(`${server.url}${PATH}/${session}`, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        'last-event-id': String(whole.length),
      },
    })
    expect(done.status).toBe(204)
  })
})

describe('the live channel', () => {
  const open = (token: string, more = '') =>
    TestSocket.open(`${server.wsUrl}/ws/connect?token=${token}${more}`)
  const agentFrames = (socket: TestSocket) => socket.frames.filter(({ type }) => type === 'agent_event')
  const ended = (socket: TestSocket) =>
    socket.next('agent_event', ({ event }) => event.type === 'RUN_FINISHED' || event.type === 'RUN_ERROR')

  test('agent_event frames with seq, and agent.run_finished as an event', async () => {
    const { token } = await makeUser(server)
    const events = await open(token)
    await events.next('welcome')
    const answer = await chat(token, { message: 'hi' })
    const { session_id } = answer.body
    const finished = await events.next('agent.run_finished')
    expect(finished.data).toEqual({
      session_id,
      run_id: answer.body.events[0].run_id,
      status: 'completed',
      error: null,
    })
    // A client without Last-Event-ID gets the run from its first event.
    events.send({ type: 'subscribe', topic: `agent:${session_id}` })
    await ended(events)
    const frames = agentFrames(events)
    expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, i) => i + 1))
    expect(frames[0]).toMatchObject({ session_id, run_id: finished.data.run_id })
    expectRun(frames.map(({ event }) => event))
    expect(textOf(frames.map(({ event }) => event))).toBe('Hello, world!')
    events.ws.close()
  })

  test('two tabs read the same text, one of them late and one back with agent_seq', async () => {
    const { token } = await makeUser(server)
    const { events } = await chatStream(server, { token, message: 'slow' })
    const session = (await events.next()).value!.event.threadId
    const early = await open(token, `&topics=agent:${session}`)
    await early.next('agent_event', ({ seq }) => seq >= 6)
    early.ws.close()
    const have = agentFrames(early).at(-1).seq
    const late = await open(token, `&topics=agent:${session}`)
    const back = await open(token, `&topics=agent:${session}&agent_seq=${have}`)
    await all(events)
    await Promise.all([ended(late), ended(back)])
    const first = [...agentFrames(early), ...agentFrames(back)]
    expect(first.map(({ seq }) => seq)).toEqual(first.map((_, i) => i + 1))
    const text = (frames: { event: unknown }[]) => textOf(frames.map(({ event }) => event))
    expect(text(first)).toBe(text(agentFrames(late)))
    const kept = await ask('GET', `${PATH}/${session}`, { token })
    expect(text(first)).toBe(kept.body.messages.at(-1).content)
    late.ws.close()
    back.ws.close()
  })

  test("somebody else's session is not found; after unsubscribe nothing comes", async () => {
    const mine = await makeUser(server)
    const theirs = await chat((await makeUser(server)).token, { message: 'hi' })
    const socket = await open(mine.token)
    socket.send({ type: 'subscribe', topic: `agent:${theirs.body.session_id}` })
    expect((await socket.next('error')).code).toBe('NOT_FOUND')
    const own = await chat(mine.token, { message: 'hi' })
    socket.send({ type: 'subscribe', topic: `agent:${own.body.session_id}` })
    await ended(socket)
    socket.send({ type: 'unsubscribe', topic: `agent:${own.body.session_id}` })
    await socket.next('unsubscribed')
    const before = agentFrames(socket).length
    await chat(mine.token, { message: 'hi', session_id: own.body.session_id })
    await socket.next('agent.run_finished', ({ data }) => data.run_id !== own.body.events[0].run_id)
    expect(agentFrames(socket)).toHaveLength(before)
    socket.ws.close()
  })
})

describe('POST /api/v1/agent-chats/{session_id}/cancel', () => {
  test('stops the answer and the request to the model; what was said is kept', async () => {
    const { token } = await makeUser(server)
    const { events } = await chatStream(server, { token, message: 'slow' })
    const sent = []
    for await (const one of events) {
      sent.push(one.event)
      if (sent.length === 4) break
    }
    const session = sent[0].threadId
    const aborted = model.aborted
    const answer = await ask('POST', `${PATH}/${session}/cancel`, { token })
    expect(answer.body).toMatchObject({ session_id: session, run: { status: 'cancelled', error: null } })
    await eventually(() => model.aborted > aborted, 'the model is let go')
    const kept = await ask('GET', `${PATH}/${session}`, { token })
    expect(kept.body.messages.at(-1).content).toStartWith('w0 ')
    expect(kept.body.messages.at(-1).content).not.toContain('w119')
    // A second cancel is no error, and the session stays usable.
    expect((await ask('POST', `${PATH}/${session}/cancel`, { token })).body.run.status).toBe('cancelled')
    expect((await chat(token, { message: 'hi', session_id: session })).body.output).toBe('Hello, world!')
  })

  test('signed out 401, not yours 404', async () => {
    const theirs = await chat((await makeUser(server)).token, { message: 'hi' })
    const path = `${PATH}/${theirs.body.session_id}/cancel`
    expectProblem(await ask('POST', path), 401, path)
    expectProblem(await ask('POST', path, { token: (await makeUser(server)).token }), 404, path)
  })
})

describe('GET /api/v1/agent-chats', () => {
  test('lists your sessions, the last used first, and reads one back', async () => {
    const { token } = await makeUser(server)
    const first = (await chat(token, { message: 'The first  one' })).body.session_id
    const second = (await chat(token, { message: 'tasks' })).body.session_id
    await chat(token, { message: 'again', session_id: first })
    const list = await ask('GET', `${PATH}?page_size=1`, { token })
    expect(list.body).toMatchObject({ total: 2, items: [{ session_id: first, title: 'The first one' }] })
    const one = await ask('GET', `${PATH}/${second}`, { token })
    expect(one.body.messages.map(({ role }: { role: string }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
    ])
    expect(one.body.messages[1].tool_calls[0].name).toBe('list_tasks')
    expect(one.body.messages[2].tool_call_id).toBe(one.body.messages[1].tool_calls[0].id)
  })

  test('signed out 401, not yours or none 404, a bad page 422', async () => {
    const { token } = await makeUser(server)
    const theirs = await chat((await makeUser(server)).token, { message: 'hi' })
    expectProblem(await ask('GET', PATH), 401, PATH)
    for (const id of [theirs.body.session_id, 'nonsense', '01920000-0000-7000-8000-000000000000']) {
      expectProblem(await ask('GET', `${PATH}/${id}`, { token }), 404, `${PATH}/${id}`)
    }
    expect((await ask('GET', `${PATH}?page=0`, { token })).status).toBe(422)
  })
})

test('the key goes to the model and nowhere else', async () => {
  const { token } = await makeUser(server)
  await chat(token, { message: 'hi' })
  expect(model.keys.at(-1)).toBe('Bearer sk-very-secret-key')
  expect(model.requests.at(-1)!.model).toBe('test-model')
  expect(JSON.stringify(model.requests.at(-1))).not.toContain('sk-very-secret-key')
})
