import type { LiveChannel } from './channel.ts'
import type { Connection } from './connection.ts'

const MAX_CONNECTIONS_PER_USER = 20
/** How many more sockets may wait until it is known which of the others do not answer. */
const MAX_WAITING_PER_USER = 20

/**
 * Adds one more socket of a user to the channel. At the limit the server pings all of the user's sockets and closes those
 * that do not answer, the longest silent one first, as many as are needed.
 * @param probeMs how long a socket may take to answer
 * @returns false when there is no room, or when the new socket has closed meanwhile
 */
export async function takePlace(
  channel: LiveChannel,
  connection: Connection,
  probeMs: number,
): Promise<boolean> {
  const isFull = () => channel.connections.size >= MAX_CONNECTIONS_PER_USER
  const silent = isFull() ? await findSilent(channel, connection, probeMs) : []
  if (connection.closed) return false
  while (isFull() && silent.length > 0) silent.pop()!.giveUp()
  if (isFull()) return false
  // In the same turn as the check, so that two sockets cannot take the last place.
  channel.waiting.delete(connection)
  channel.connections.add(connection)
  return true
}

async function findSilent(
  channel: LiveChannel,
  connection: Connection,
  probeMs: number,
): Promise<Connection[]> {
  if (channel.waiting.size >= MAX_WAITING_PER_USER) return []
  channel.waiting.add(connection)
  channel.probe ??= probe(channel, probeMs).finally(() => {
    channel.probe = undefined
  })
  return channel.probe
}

/** @returns the sockets that did not answer, the longest silent one last. All sockets that wait take from this one list. */
async function probe(channel: LiveChannel, probeMs: number): Promise<Connection[]> {
  const askedAt = performance.now()
  const asked = [...channel.connections]
  const answers = asked.map((connection) => {
    connection.sendPing()
    return connection.pulse.next(probeMs)
  })
  await Promise.all(answers)
  const silent = asked.filter(({ pulse }) => pulse.heardAt < askedAt)
  return silent.sort((a, b) => b.pulse.heardAt - a.pulse.heardAt)
}
