/** The transcript of a run whose server was killed: every open message is ended. */
import { expect, test } from 'bun:test'
import { type AgentEvent, EventType } from '../../../src/core/agent/ag-ui.ts'
import { Transcript } from '../../../src/core/agent/transcript.ts'

test('an open text or thought is ended, and thoughts are no messages', () => {
  const transcript = new Transcript()
  expect(transcript.closing).toEqual([])
  transcript.apply({ type: EventType.REASONING_START, messageId: 'r' })
  transcript.apply({ type: EventType.REASONING_MESSAGE_START, messageId: 'r', role: 'reasoning' })
  transcript.apply({ type: EventType.REASONING_MESSAGE_CONTENT, messageId: 'r', delta: 'hm' })
  const ended = transcript.closing
  expect(ended.map(({ type }) => String(type))).toEqual(['REASONING_MESSAGE_END', 'REASONING_END'])
  for (const event of ended) transcript.apply(event)
  expect(transcript.closing).toEqual([])
  transcript.apply({ type: EventType.TEXT_MESSAGE_START, messageId: 't', role: 'assistant' })
  transcript.apply({ type: EventType.TEXT_MESSAGE_CONTENT, messageId: 't', delta: 'Hello' })
  expect(transcript.closing).toEqual([{ type: EventType.TEXT_MESSAGE_END, messageId: 't' }])
  expect(transcript.messages).toMatchObject([{ id: 't', content: 'Hello' }])
})

test('it is closed while no message and no call is open', () => {
  const transcript = new Transcript()
  const steps: [AgentEvent, boolean][] = [
    [{ type: EventType.RUN_STARTED, threadId: 's', runId: 'r' }, true],
    [{ type: EventType.REASONING_START, messageId: 'r' }, false],
    [{ type: EventType.REASONING_END, messageId: 'r' }, true],
    [{ type: EventType.TEXT_MESSAGE_START, messageId: 't', role: 'assistant' }, false],
    [{ type: EventType.TEXT_MESSAGE_END, messageId: 't' }, true],
    [
      { type: EventType.TOOL_CALL_START, toolCallId: 'c', toolCallName: 'list_tasks', parentMessageId: 't' },
      false,
    ],
    [{ type: EventType.TOOL_CALL_ARGS, toolCallId: 'c', delta: '{}' }, false],
    [{ type: EventType.TOOL_CALL_END, toolCallId: 'c' }, true],
  ]
  for (const [event, isClosed] of steps) {
    transcript.apply(event)
    expect([event.type, transcript.isClosed]).toEqual([event.type, isClosed])
  }
})
