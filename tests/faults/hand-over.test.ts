/** Protects the hand-over from the log to the newest frames (src/live/user/outbox.ts): each number keeps its frame. */
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
  // Two sockets of one user open at the same time, and the second reading of the log is newer than the hints so far.
  channel.begin(6)
  expect(channel.frame(6)).toBeUndefined()
  channel.offer(event(6))
  channel.offer(event(7))
  expect(shown(channel, 7)).toBe('t7')
  expect(channel.frame(6)).toBeUndefined()
  // An older reading changes nothing.
  channel.begin(5)
  expect(channel.head).toBe(7)
  expect(shown(channel, 7)).toBe('t7')
})
