/** Protects the check that all tests' frames and events go through (tests/support/conformance.ts): it must be able to fail. */
import { expect, test } from 'bun:test'
import { NodeConnection } from '../../src/live/node/connection.ts'
import { Connection } from '../../src/live/user/connection.ts'
import { EVENTS } from '../../src/protocol/live/events.ts'
import { checkEvent, checkFrame, checkReceived } from '../support/conformance.ts'
import { takeMisfits } from '../support/misfits.ts'

const USER = 'ws://127.0.0.1/ws/connect?token=x'
const NODE = 'ws://127.0.0.1/ws/node'
const at = '2026-01-02T03:04:05.678Z'

test.each([
  ['a frame of a user', USER, { type: 'subscribed', topic: 'task:1', id: 'a' }],
  ['an event', USER, { type: 'material.hidden', cursor: 'abc.7', at, data: { material_id: 1 } }],
  [
    'an event of the agent',
    USER,
    { type: 'agent_event', session_id: 's', run_id: 'r', seq: 1, event: { type: 'X', more: 1 } },
  ],
  ['a frame of a node', NODE, { type: 'ack', task_id: 't', attempt: 2 }],
])('%s fits', (_, url, frame) => {
  checkFrame(url, frame)
  expect(takeMisfits()).toEqual([])
})

test.each([
  ['an unknown type', USER, { type: 'subscribe_ok' }],
  ['a frame of the other socket', USER, { type: 'ack', task_id: 't', attempt: 2 }],
  ['a frame of the other socket', NODE, { type: 'pong' }],
  ['a missing field', USER, { type: 'resync', cursor: 'a.1' }],
  ['a field of another type', USER, { type: 'draining', reconnect_after_ms: '5' }],
  ['a field that the protocol does not have', USER, { type: 'pong', at }],
  [
    'the same deep inside',
    USER,
    { type: 'material.hidden', cursor: 'a.1', at, data: { material_id: 1, user_id: 2 } },
  ],
  ['a core name in an event', USER, { type: 'material.hidden', cursor: 'a.1', at, data: { materialId: 1 } }],
])('%s does not', (_, url, frame) => {
  checkFrame(url, frame)
  expect(takeMisfits()).toHaveLength(1)
})

test('an event of the log is checked like its frame', () => {
  checkEvent({ type: 'user.updated', seq: 1, at, data: '{"fields":["name"]}' }, 'e')
  expect(takeMisfits()).toEqual([])
  checkEvent({ type: 'user.updated', seq: 1, at, data: '{"fields":"name"}' }, 'e')
  checkEvent({ type: 'user.changed', seq: 1, at, data: '{}' }, 'e')
  expect(takeMisfits()).toHaveLength(2)
})

test.each([
  ['a frame of a client', 'user', { type: 'ping', id: 1, more: true }],
  ['a frame that the server refuses', 'user', { type: 'ping_me' }],
  ['the same of a node', 'node', { type: 'progress', task_id: 't', attempt: 1, progress: 101 }],
  ['an id that the server ignores', 'user', { type: 'ping', id: {} }],
] as const)('document and server agree on %s', (_, socket, frame) => {
  checkReceived(socket, JSON.stringify(frame))
  expect(takeMisfits()).toEqual([])
})

test('sockets of servers in this process are watched', () => {
  const ws = { send: () => 1, getBufferedAmount: () => 0 }
  Connection.prototype.write.call({ ws } as unknown as Connection, '{"type":"subscribe_ok"}')
  NodeConnection.prototype.send.call({ ws } as unknown as NodeConnection, { type: 'pong' } as never)
  expect(takeMisfits()).toHaveLength(2)
})

test('every event type names its subject and a verb', () => {
  for (const type of Object.keys(EVENTS)) expect(type).toMatch(/^[a-z]+\.[a-z_]+$/)
})
