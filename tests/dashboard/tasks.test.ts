/** Protects what the page of a task shows: its numbers as the server sent them, and its state after each event. */
import { describe, expect, test } from 'bun:test'
import { parseExact } from '../../src/dashboard/app/pages/tasks/exact-json.ts'
import { type TaskEvent, type TaskState, withEvent } from '../../src/dashboard/app/pages/tasks/task-events.ts'

const AT = '2030-01-01T00:00:00.000Z'
const LATER = '2030-01-01T00:00:01.000Z'

describe('JSON', () => {
  test.each([
    '{"id":1970670598291982290}',
    '{"list":[123456789012345678901234567890,-9007199254740993,1,2.5,"9007199254740993"]}',
    '{"deep":{"n":9007199254740993}}',
  ])('%s is written as it was read', (text) => {
    expect(JSON.stringify(parseExact(text))).toBe(text)
  })

  test('other numbers are numbers', () => {
    expect(parseExact('{"a":1,"b":2.5,"c":9007199254740991}')).toEqual({ a: 1, b: 2.5, c: 9007199254740991 })
  })
})

describe('an event', () => {
  const task = {
    status: 'pending' as TaskState['status'],
    progress: 0,
    gpu_server_id: null,
    started_at: null,
    completed_at: null,
    cost: 0,
    error_message: null,
    failure_code: null,
    exit_code: null,
    updated_at: AT,
  } satisfies TaskState
  const event = (type: string, data: object, at = LATER) =>
    ({ type, at, cursor: '1', data: { task_id: 'a', ...data } }) as unknown as TaskEvent

  test('starts, ends and fails the task', () => {
    const running = withEvent(
      task,
      event('task.started', { status: 'running', progress: 0, gpu_server_id: 'gpu' }),
    )
    expect(running).toMatchObject({ status: 'running', started_at: LATER, gpu_server_id: 'gpu' })
    const done = event('task.completed', { status: 'completed', progress: 100, cost: 0.5 })
    expect(withEvent(running, done)).toMatchObject({ status: 'completed', completed_at: LATER, cost: 0.5 })
    const failed = event('task.failed', {
      status: 'failed',
      progress: 10,
      cost: 0,
      error_message: 'no memory',
    })
    expect(withEvent(running, failed)).toMatchObject({ status: 'failed', error_message: 'no memory' })
  })

  test('a requeued task waits as a new one does', () => {
    const failed = { ...task, status: 'failed', started_at: AT, error_message: 'no memory' } as TaskState
    const waiting = withEvent(failed, event('task.requeued', { status: 'pending', progress: 0 }))
    expect(waiting).toMatchObject({ status: 'pending', started_at: null, error_message: null })
  })

  test('that the fetched task shows already changes nothing', () => {
    const fetched = { ...task, status: 'completed', updated_at: LATER } as TaskState
    const old = event('task.started', { status: 'running', progress: 0 }, AT)
    expect(withEvent(fetched, old)).toBe(fetched)
  })
})
