import { makeNode } from './factories.ts'
import type { TestServer } from './server.ts'
import { type NodeOptions, openNode } from './sockets.ts'

/** A node that sends heartbeats, and whose tasks go on when the test says so. */
export async function steeredNode(server: TestServer, options: NodeOptions = {}) {
  const { token } = await makeNode(server, options.max)
  const socket = await openNode(server, token, options)
  const timer = setInterval(
    () => socket.send({ type: 'heartbeat', cpu_usage: 1, memory_usage: 1, gpus: [] }),
    2000,
  )
  return {
    socket,
    /** Accepts the task's next attempt whose number is at least `least`. */
    async take(uuid: string, least = 1) {
      const { task_id, attempt } = await socket.next(
        'assign',
        (frame) => frame.task_id === uuid && frame.attempt >= least,
      )
      const send = (type: string, fields: object = {}) => socket.send({ type, task_id, attempt, ...fields })
      send('accept')
      return { attempt: attempt as number, send }
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      socket.close()
    },
  }
}
