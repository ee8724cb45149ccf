import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { TOOLS } from '../../src/core/agent/tools/index.ts'
import {
  afterFrame,
  asksForConsent,
  callState,
  type Frame,
  type Kept,
  merged,
  type ToolCall,
  type Turn,
  turnsOf,
} from '../../src/dashboard/app/pages/chat/turns.ts'

const message = (
  run_id: string,
  role: 'user' | 'assistant' | 'tool',
  content: string,
  more: Partial<Kept['messages'][number]> = {},
): Kept['messages'][number] => ({
  id: `${run_id} ${role} ${content}`,
  run_id,
  role,
  content,
  tool_calls: [],
  tool_call_id: null,
  ...more,
})
const frame = (run_id: string, type: string, fields: object = {}): Frame => ({
  run_id,
  event: { type, ...fields },
})
const words = (run: string, messageId: string, delta: string) =>
  frame(run, 'TEXT_MESSAGE_CONTENT', { messageId, delta })
const apply = (turns: Turn[], frames: Frame[]) => frames.reduce(afterFrame, turns)

const RUN = [
  frame('b', 'RUN_STARTED'),
  frame('b', 'TOOL_CALL_START', { toolCallId: 't', toolCallName: 'list_tasks', parentMessageId: 'm' }),
  frame('b', 'TOOL_CALL_ARGS', { toolCallId: 't', delta: '{"limit"' }),
  frame('b', 'TOOL_CALL_ARGS', { toolCallId: 't', delta: ':5}' }),
  frame('b', 'TOOL_CALL_END', { toolCallId: 't' }),
  frame('b', 'TOOL_CALL_RESULT', { toolCallId: 't', content: '{"total":0}', messageId: 'r' }),
  frame('b', 'TEXT_MESSAGE_START', { messageId: 'n' }),
  words('b', 'n', 'No ta'),
  words('b', 'n', 'sks.'),
  frame('b', 'TEXT_MESSAGE_END', { messageId: 'n' }),
  frame('b', 'RUN_FINISHED', { outcome: { type: 'success' } }),
]
const KEPT_AFTER: Kept = {
  run: { run_id: 'b', status: 'completed', error: null },
  messages: [
    message('a', 'user', 'Hello'),
    message('a', 'assistant', 'Hi'),
    message('b', 'user', 'Tasks?'),
    message('b', 'assistant', '', { tool_calls: [{ id: 't', name: 'list_tasks', input: { limit: 5 } }] }),
    message('b', 'tool', '{"total":0}', { tool_call_id: 't' }),
    message('b', 'assistant', 'No tasks.', { id: 'n' }),
  ],
}
const KEPT_BEFORE: Kept = {
  run: { run_id: 'b', status: 'running', error: null },
  messages: KEPT_AFTER.messages.slice(0, 3),
}

test('Frames after the stored messages make the same turns as the messages of the whole answer', () => {
  const whole = turnsOf(KEPT_AFTER).map(({ isKept, ...turn }) => turn)
  for (let n = 0; n <= RUN.length; n++) {
    // The page leaves after n frames, and comes back: stored messages first, then all frames after them.
    const left = apply(turnsOf(KEPT_BEFORE), RUN.slice(0, n))
    const back = apply(merged(turnsOf(KEPT_BEFORE), left), RUN.slice(n))
    expect(back.map(({ isKept, ...turn }) => turn)).toEqual(whole)
    // The answer has ended before it was fetched again, and its last frames come all the same.
    const late = apply(merged(turnsOf(KEPT_AFTER), left), RUN.slice(n))
    expect(late.map(({ isKept, ...turn }) => turn)).toEqual(whole)
  }
})

test('Frames of an answer that the stored messages have add nothing to it', () => {
  const turns = turnsOf(KEPT_AFTER)
  expect(apply(turns, RUN)).toEqual(turns)
})

test('An answer that was stored after its run had been read has ended', () => {
  const between: Kept = { ...KEPT_BEFORE, messages: KEPT_AFTER.messages }
  expect(turnsOf(between).at(-1)).toMatchObject({ status: 'completed', isKept: true })
})

test('A question from another tab is unknown until it is fetched', () => {
  const seen = apply(turnsOf({ run: null, messages: KEPT_AFTER.messages.slice(0, 2) }), RUN.slice(0, 8))
  expect(seen.at(-1)).toMatchObject({ question: undefined, parts: [{ kind: 'tool' }, { text: 'No ta' }] })
  expect(merged(turnsOf(KEPT_BEFORE), seen).at(-1)).toEqual({ ...seen.at(-1)!, question: 'Tasks?' })
  // A fetch that was under way when the question was asked does not take the answer away.
  expect(merged(turnsOf({ run: null, messages: KEPT_AFTER.messages.slice(0, 2) }), seen)).toEqual(seen)
})

test('A destructive call waits for consent, and its result comes in the next run', () => {
  const asked = apply(
    [],
    [
      frame('c', 'RUN_STARTED'),
      frame('c', 'TOOL_CALL_START', { toolCallId: 'd', toolCallName: 'cancel_task' }),
      words('c', 'q', 'Cancel task 3?'),
      frame('c', 'RUN_FINISHED', { outcome: { type: 'interrupt', interrupts: [{ id: 'd' }] } }),
    ],
  )
  const state = (turns: Turn[], isLast: boolean) =>
    callState(turns[0]!.parts[0] as ToolCall, turns[0]!, isLast)
  expect(asksForConsent(asked)).toBe(true)
  expect(state(asked, true)).toBe('waiting')
  const confirmed = (content: string) =>
    apply(asked, [frame('e', 'RUN_STARTED'), frame('e', 'TOOL_CALL_RESULT', { toolCallId: 'd', content })])
  expect(asksForConsent(confirmed('{}'))).toBe(false)
  expect(state(confirmed('{"id":3}'), false)).toBe('done')
  expect(state(confirmed('{"declined":"…"}'), false)).toBe('declined')
  expect(state(confirmed('{"error":"…"}'), false)).toBe('failed')
})

test('A call whose run was stopped waits for nobody', () => {
  const stopped = apply(
    [],
    [
      frame('c', 'RUN_STARTED'),
      frame('c', 'TOOL_CALL_START', { toolCallId: 'd', toolCallName: 'list_tasks' }),
      frame('c', 'RUN_FINISHED', { outcome: { type: 'cancelled' } }),
    ],
  )
  expect(stopped[0]).toMatchObject({ status: 'cancelled', error: undefined })
  expect(asksForConsent(stopped)).toBe(false)
  expect(callState(stopped[0]!.parts[0] as ToolCall, stopped[0]!, true)).toBe('stopped')
  const failed = apply(
    [],
    [frame('f', 'RUN_STARTED'), frame('f', 'RUN_ERROR', { code: 'MODEL_TIMEOUT', message: '' })],
  )
  expect(failed[0]).toMatchObject({ status: 'failed', error: 'MODEL_TIMEOUT' })
})

/** Read as a text: importing it takes a browser. */
const CARD = join(import.meta.dir, '../../src/dashboard/app/pages/chat/tool-card.tsx')

test('every tool of the agent has a name in both languages', async () => {
  const card = await Bun.file(CARD).text()
  const named = TOOLS.map(({ name }) => [name, card.split(`\n    ${name}: '`).length - 1])
  expect(named).toEqual(TOOLS.map(({ name }) => [name, 2]))
})
