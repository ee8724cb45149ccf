/**
 * The whole server, with functions that make events without HTTP requests, because only the delivery is measured. Every
 * event is in the log before the server sends it to a socket.
 */
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config/index.ts'
import { eventsHint } from '../../src/core/channel/hints.ts'
import { appendEvents, type LoggedEvent } from '../../src/core/channel/log.ts'
import { transaction } from '../../src/core/transaction.ts'
import { eventFrame } from '../../src/live/user/channel.ts'
import type { Connection } from '../../src/live/user/connection.ts'
import { createServer } from '../../src/server.ts'
import { answer } from '../support/answer.ts'
import { now } from '../support/readings.ts'

const server = await createServer(readConfig(process.env))
const { ctx } = server
const app = createApp(server.ctx)

/** After this time, the queries of the poll have been answered. */
const AFTER_POLL_MS = 100

let pollsBefore = 0
let written: LoggedEvent[] = []
/** When each event was published to the sockets, by `user.seq`, in ms. Undefined while nothing is measured. */
let published: Map<string, number> | undefined
const publish = ctx.bus.publish
ctx.bus.publish = (hint, payload) => {
  if (hint.name === eventsHint.name && published) {
    for (const { userId, seq } of payload as unknown as LoggedEvent[])
      published.set(`${userId}.${seq}`, now())
  }
  publish(hint, payload)
}

let polls = 0
let polled = Promise.withResolvers<void>()
const poll = ctx.services.principals.poll.bind(ctx.services.principals)
ctx.services.principals.poll = () => {
  polls++
  polled.resolve()
  polled = Promise.withResolvers<void>()
  return poll()
}

const connections = () => (ctx.live.hub as unknown as { connections: Set<Connection> }).connections

const data = (userId: number, bytes: number) => ({
  uuid: Bun.randomUUIDv7(),
  id: userId,
  status: 'completed' as const,
  progress: 100,
  title: 'Analyse the recording of a lecture',
  attempt: 1,
  result: { text: 'x'.repeat(bytes) },
  costMinor: 0,
})

const handlers = answer({
  listen() {
    app.listen({ port: 0, hostname: '127.0.0.1' })
    return app.server!.port!
  },
  gc: () => Bun.gc(true),
  /** The number of sockets to which the server has stopped sending, because their clients do not read. */
  blocked: () => [...connections()].filter(({ blockedSince }) => blockedSince !== undefined).length,
  /** Writes `rounds` events for each user into the log. @returns the frames, as sockets will see them, in order */
  async write(userIds: number[], rounds: number, bytes: number) {
    // The hub polls the log every other second. Right after a poll, the most time is left until the next one.
    await polled.promise
    await Bun.sleep(AFTER_POLL_MS)
    pollsBefore = polls
    const pending = Array.from({ length: rounds }, () =>
      userIds.map((userId) => ({ userId, type: 'task.completed', data: data(userId, bytes) })),
    ).flat()
    const logged = await ctx.db.transaction((db) => appendEvents(db, pending))
    // In the order of their numbers, and not user by user.
    written = logged.toSorted((a, b) => a.seq - b.seq)
    return written.map((event) => eventFrame(ctx.epoch, event))
  },
  /**
   * Publishes the written events to the sockets, one after the other, with a pause after each `batch`.
   * @returns false when the hub has polled the log meanwhile, because it then sent some of the events by itself
   */
  async publish(batch: number) {
    for (const [n, event] of written.entries()) {
      ctx.bus.publish(eventsHint, [event])
      if ((n + 1) % batch === 0) await Bun.sleep(1)
    }
    written = []
    return polls === pollsBefore
  },
  /** Commits one event for every user, `perSecond` times a second. @returns when each was published to the sockets */
  async flow(userIds: number[], perSecond: number, seconds: number, bytes: number) {
    published = new Map()
    const startedAt = performance.now()
    for (let n = 0; n < perSecond * seconds; n++) {
      const early = startedAt + (n * 1000) / perSecond - performance.now()
      if (early > 0) await Bun.sleep(early)
      await transaction(ctx, async (tx) => {
        for (const userId of userIds) tx.emit(userId, 'task.completed', data(userId, bytes))
      })
    }
    const times = [...published]
    published = undefined
    return times
  },
})
export type Live = typeof handlers

process.on('SIGTERM', async () => {
  await server.close()
  await app.server?.stop(true)
  process.exit(0)
})
