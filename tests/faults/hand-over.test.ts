/** Protects the hand-over from the log to the newest frames (src/live/user/outbox.ts): numbers and frames never part. */
import { expect, test } from 'bun:test'
import { LiveChannel } from '../../src/live/user/channel.ts'

const event = (seq: number) => ({
  userId: 1,
  seq,
  type: `t${seq}`,
  data: '{}',
  at: '2026-01-01T00:00:00.000Z',
})
const shown = (channel: LiveChannel, seq: number) => JSON.parse(channel.frame(seq) ?? 'null')?.type

test('a head that was read while events came does not shift the newest frames', () => {
  const channel = new LiveChannel(1, 'epoch')
  channel.begin(4)
  channel.offer(event(5))
  // Two sockets of one user open together: the second look at the log is newer than what hints have told.
  channel.begin(6)
  expect(channel.frame(6)).toBeUndefined()
  channel.offer(event(6))
  channel.offer(event(7))
  expect(shown(channel, 7)).toBe('t7')
  expect(channel.frame(6)).toBeUndefined()
  // And one that is older takes nothing back.
  channel.begin(5)
  expect(channel.head).toBe(7)
  expect(shown(channel, 7)).toBe('t7')
})
