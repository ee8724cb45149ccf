import { expect } from 'bun:test'
import { EventSchemas } from '@ag-ui/core/schemas'
import { readBlocks } from './event-stream.ts'

/** One server-sent event. */
export interface Sent {
  id: number
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
  event: any
}

export interface ChatAsk {
  token: string
  message: string
  session_id?: string
  timezone?: string
}

/** Asks for a stream; the answer's events are read as they come. */
export async function chatStream(server: { url: string }, { token, ...body }: ChatAsk, signal?: AbortSignal) {
  const response = await fetch(`${server.url}/api/v1/agent-chats`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })
  return { response, events: readEvents(response) }
}

export async function* readEvents(response: Response): AsyncGenerator<Sent, void> {
  for await (const { id, data } of readBlocks(response)) {
    if (id !== undefined && data !== undefined) yield { id: Number(id), event: data }
  }
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
export const textOf = (events: any[]): string =>
  events
    .filter(({ type }) => type === 'TEXT_MESSAGE_CONTENT')
    .map(({ delta }) => delta)
    .join('')

// biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
export const thoughtsOf = (events: any[]): string =>
  events
    .filter(({ type }) => type === 'REASONING_MESSAGE_CONTENT')
    .map(({ delta }) => delta)
    .join('')

/**
 * The rules of AG-UI: each event has its published shape; a run begins and ends once, messages and calls nest, and
 * nothing follows the end.
 */
// biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
export function expectRun(events: any[]): void {
  for (const event of events) {
    const { success, error } = EventSchemas.safeParse(event)
    expect(success ? '' : `${event.type}: ${error?.message}`).toBe('')
  }
  expect(events[0]?.type).toBe('RUN_STARTED')
  expect(['RUN_FINISHED', 'RUN_ERROR']).toContain(events.at(-1)?.type)
  expect(events.filter(({ type }) => /^RUN_(STARTED|FINISHED|ERROR)$/.test(type))).toHaveLength(2)
  const open = new Set<string>()
  for (const { type, messageId, toolCallId } of events) {
    const id = toolCallId ?? messageId
    if (type === 'REASONING_START' || type === 'TEXT_MESSAGE_START' || type === 'TOOL_CALL_START') {
      expect([...open]).toEqual([])
      open.add(id)
    }
    if (/^(TEXT_MESSAGE_CONTENT|REASONING_MESSAGE_(START|CONTENT|END)|TOOL_CALL_ARGS)$/.test(type)) {
      expect(open.has(id)).toBe(true)
    }
    if (/^(TEXT_MESSAGE|REASONING|TOOL_CALL)_END$/.test(type)) expect(open.delete(id)).toBe(true)
  }
  expect([...open]).toEqual([])
}
