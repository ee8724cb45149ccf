/** Chats with models that make errors: stored messages stay valid, and the user sees what happened. */
import { afterAll, expect, spyOn, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { agentMessages } from '../../../../src/db/schema/index.ts'
import { all, chatStream, expectRun, textOf, thoughtsOf } from '../../../support/chat.ts'
import { describedApi } from '../../../support/described.ts'
import { makeTask, makeUser } from '../../../support/factories.ts'
import { lastUserText, type ModelRequest, ModelServer, type Piece } from '../../../support/model-server.ts'
import { startServer } from '../../../support/server.ts'

const BROKEN = '{"title":"fake ev","start'
const results = ({ messages }: ModelRequest) =>
  messages.slice(messages.findLastIndex(({ role }) => role === 'user')).filter(({ role }) => role === 'tool')

/** Calls a tool once, then answers with its result. */
const once = (request: ModelRequest, ...pieces: Piece[]): Piece[] =>
  results(request).length === 0 ? pieces : [`I was told ${results(request).at(-1)!.content}`]

const model = new ModelServer((request) => {
  const asked = lastUserText(request)
  if (asked.startsWith('broken')) return once(request, { tool: 'add_schedule_item', args: BROKEN })
  if (asked.startsWith('empty')) return once(request, { tool: 'gpu_overview', args: '' })
  if (asked.startsWith('nulls'))
    return once(request, { tool: 'list_tasks', input: { status: null, limit: null } })
  if (asked.startsWith('null for a required'))
    return once(request, { tool: 'show_task', input: { task_id: null } })
  if (asked.startsWith('twelve'))
    return once(request, ...Array.from({ length: 12 }, (): Piece => ({ tool: 'list_tasks', input: {} })))
  if (asked.startsWith('hundreds'))
    return once(request, ...Array.from({ length: 300 }, (): Piece => ({ tool: 'list_tasks', input: {} })))
  if (asked.startsWith('think'))
    return results(request).length === 0
      ? [
          '<think>first',
          ' thought</think>Let me see',
          '<think>more</think>',
          { tool: 'list_tasks', input: {} },
        ]
      : [{ reasoning: 'last thought' }, 'There are none', ' at all.']
  const cancel = /^cancel (\d+)/.exec(asked)
  if (cancel) {
    const call: Piece = { tool: 'cancel_task', input: { task_id: Number(cancel[1]) } }
    return once(request, call, call, { tool: 'list_tasks', input: {} })
  }
  if (asked.startsWith('refuse')) {
    const message = `Unknown model test-model; key sk-very-secret-key; you said "${asked}"`
    return Response.json({ error: { message, code: 'model_not_found' } }, { status: 404 })
  }
  if (asked.startsWith('brood'))
    return ['<think>', ...Array.from({ length: 600 }, () => ['hm ', { pauseMs: 15 }]).flat()]
  if (asked.startsWith('large'))
    return once(request, { tool: 'list_tasks', input: { note: 'x"'.repeat(40_000) } })
  if (asked.startsWith('odd name')) return once(request, { tool: 'list tasks!', input: {} })
  if (asked.startsWith('length')) return ['half an ', 'answer', { finish: 'length' }]
  if (asked.startsWith('filter')) return ['half an ', 'answer', { finish: 'content_filter' }]
  if (asked === 'nothing') return []
  return ['Hello']
})
const server = await startServer(model.env)
afterAll(async () => {
  await server.stop()
  model[Symbol.dispose]()
})
const ask = describedApi(server)
const PATH = '/api/v1/agent-chats'
const chat = async (token: string, message: string, session_id?: string) => {
  const { status, body } = await ask('POST', PATH, { token, body: { message, session_id } })
  expect(status).toBe(200)
  return body
}
const types = (body: { events: { type: string }[] }) => body.events.map(({ type }) => type)

test('a broken tool call does nothing, the model is told what was wrong, and the chat goes on', async () => {
  const { token } = await makeUser(server)
  const first = await chat(token, 'broken')
  expect(first.output).toContain('not valid JSON')
  expect(first.output).toContain('fake ev')
  expect((await ask('GET', '/api/v1/schedule-items', { token })).body).toEqual([])
  const kept = await ask('GET', `${PATH}/${first.session_id}`, { token })
  expect(kept.body.messages[1].tool_calls[0].input).toEqual({})
  expect((await chat(token, 'and then', first.session_id)).output).toBe('Hello')
  expect(model.faults).toEqual([])
})

test('a chat that an earlier version stored with broken calls can be used again', async () => {
  const { token } = await makeUser(server)
  const { session_id, events } = await chat(token, 'hi')
  const run = events[0].run_id
  const { db } = server.ctx
  const message = (more: object) => ({
    id: Bun.randomUUIDv7(),
    sessionId: session_id,
    runId: run,
    role: 'assistant' as const,
    content: '',
    ...more,
  })
  const call = (id: string, input: unknown, name = 'list_tasks') => ({ id, name, input })
  await db
    .insert(agentMessages)
    .values([
      message({ role: 'user', content: 'one' }),
      message({ toolCalls: [call('a', BROKEN), call('a', [1], 'list tasks'), call('', null)] }),
      message({ role: 'tool', content: '{"error":"/: Expected object"}', toolCallId: 'a' }),
      message({ role: 'tool', content: 'belongs to nothing', toolCallId: 'zzz' }),
      message({ role: 'user', content: 'two' }),
      message({ role: 'user', content: 'three' }),
      message({ content: 'again', toolCalls: [call('a', 7)] }),
      message({ role: 'tool', content: '', toolCallId: 'a' }),
      message({ role: 'tool', content: '{"total":1}', toolCallId: 'a' }),
      message({ role: 'user', content: 'four' }),
      message({ content: 'five' }),
      message({ content: ' ' }),
    ])
  expect((await chat(token, 'and now', session_id)).output).toBe('Hello')
  expect(model.faults).toEqual([])
  const request = model.requests.findLast((one) => lastUserText(one) === 'and now')!
  expect(request.messages.filter(({ role }) => role === 'tool')).toHaveLength(4)
  expect(await db.select().from(agentMessages).where(eq(agentMessages.sessionId, session_id))).toHaveLength(
    16,
  )
})

test('empty arguments are an empty object; null for what may be absent is absent', async () => {
  const { token } = await makeUser(server)
  expect((await chat(token, 'empty')).output).toContain('total_servers')
  expect((await chat(token, 'nulls')).output).toContain('"total":0')
  expect((await chat(token, 'null for a required')).output).toContain('The input does not fit: /task_id')
})

test('calls beyond ten in a turn are answered too; hundreds end the answer', async () => {
  const { token } = await makeUser(server)
  const answer = await chat(token, 'twelve')
  expect(answer.output).toContain('Only 10 calls')
  const request = model.requests.findLast((one) => results(one).length > 0)!
  expect(results(request).map(({ content }) => Object.keys(JSON.parse(content as string))[0])).toEqual([
    ...Array.from({ length: 10 }, () => 'total'),
    ...['error', 'error'],
  ])
  expect((await chat(token, 'hundreds', answer.session_id)).events.at(-1).type).toBe('RUN_ERROR')
  expect((await chat(token, 'and then', answer.session_id)).output).toBe('Hello')
  expect(model.faults).toEqual([])
})

test('inputs of tools count: no request is larger than what a model is sent', async () => {
  const { token } = await makeUser(server)
  const { session_id } = await chat(token, 'large')
  for (let i = 0; i < 3; i++) await chat(token, 'large', session_id)
  expect((await chat(token, 'odd name', session_id)).output).toContain('There is no tool list_tasks_')
  expect((await chat(token, 'and then', session_id)).output).toBe('Hello')
  expect(model.faults).toEqual([])
})

test('thoughts are shown as such, are no part of the answer, and are not sent back', async () => {
  const { token } = await makeUser(server)
  const { events } = await chatStream(server, { token, message: 'think' })
  const sent = (await all(events)).map(({ event }) => event)
  expectRun(sent)
  expect(textOf(sent)).toBe('Let me seeThere are none at all.')
  expect(thoughtsOf(sent)).toBe('first thoughtmorelast thought')
  const { threadId } = sent[0]
  const answer = await chat(token, 'think', threadId)
  expect(answer.output).toBe('Let me see\n\nThere are none at all.')
  expect(types(answer)).toContain('REASONING_MESSAGE_CONTENT')
  const kept = await ask('GET', `${PATH}/${threadId}`, { token })
  expect(JSON.stringify(kept.body.messages)).not.toContain('thought')
  await chat(token, 'and then', threadId)
  expect(JSON.stringify(model.requests.at(-1))).not.toContain('thought')
  expect(model.faults).toEqual([])
})

test('a question before something is destroyed, answered with no and with yes, leaves a valid chat', async () => {
  const owner = await makeUser(server)
  const { token } = owner
  const { id } = await makeTask(server, owner)
  const first = await chat(token, `cancel ${id}`)
  expect(first.events.at(-1).type).toBe('RUN_FINISHED')
  expect((await chat(token, 'no, hello', first.session_id)).output).toBe('Hello')
  await chat(token, `cancel ${id}`, first.session_id)
  expect((await chat(token, 'yes', first.session_id)).output).toContain('I was told')
  expect((await ask('GET', `/api/tasks/${id}`, { token })).body.status).toBe('cancelled')
  expect((await chat(token, 'and then', first.session_id)).output).toBe('Hello')
  expect(model.faults).toEqual([])
})

test('why the API refused is in the log, without the key and without what was said', async () => {
  const { token } = await makeUser(server)
  using warn = spyOn(server.ctx.log, 'warn')
  const answer = await chat(token, 'refuse my secret diary')
  expect(answer.events.at(-1).type).toBe('RUN_ERROR')
  const run = answer.events[0].run_id
  const [told] = warn.mock.calls.map(
    ([fields]) => fields as unknown as { err: Error; run: string; code: string },
  )
  expect(told).toMatchObject({ run, code: 'MODEL_REFUSED' })
  expect(told!.err.message).toStartWith("the model's API answered 404: Unknown model")
  expect(told!.err.message).toEndWith('(model_not_found)')
  expect(`${told!.err.message}${told!.err.stack}${told!.err.cause}`).not.toMatch(/secret|diary/)
  expect(JSON.stringify(answer)).not.toContain('model_not_found')
})

test('a run that is stopped in the middle of a thought ends it', async () => {
  const { token } = await makeUser(server)
  const { events } = await chatStream(server, { token, message: 'brood' })
  const sent = []
  for await (const { event } of events) {
    sent.push(event)
    if (sent.length === 5) await ask('POST', `${PATH}/${sent[0].threadId}/cancel`, { token })
  }
  expectRun(sent)
  expect(sent.at(-1).outcome).toEqual({ type: 'cancelled' })
  expect(sent.slice(-3).map(({ type }) => type)).toEqual([
    'REASONING_MESSAGE_END',
    'REASONING_END',
    'RUN_FINISHED',
  ])
})

test.each([
  ['length', 'MODEL_CUT_OFF', 'half an answer', /长度上限/],
  ['filter', 'MODEL_FILTERED', 'half an answer', /过滤/],
  ['nothing', 'MODEL_EMPTY', '', /没有给出/],
])('an answer that is none, or not whole (%s), is told as %s', async (message, code, output, text) => {
  const { token } = await makeUser(server)
  const answer = await chat(token, message)
  expect(answer.output).toBe(output)
  expect(answer.events.at(-1)).toMatchObject({ type: 'RUN_ERROR', error: expect.stringMatching(text) })
  const { body } = await ask('GET', `${PATH}/${answer.session_id}`, { token })
  expect(body.run).toMatchObject({ status: 'failed', error: code })
  expect((await chat(token, 'and then', answer.session_id)).output).toBe('Hello')
})

test('a title is cut between characters', async () => {
  const { token } = await makeUser(server)
  await chat(token, `${'x'.repeat(57)}👨‍👩‍👧‍👦 and more`)
  const list = await ask('GET', PATH, { token })
  expect(list.body.items[0].title).toBe('x'.repeat(57))
})
