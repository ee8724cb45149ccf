/** GPU nodes and the dashboards that watch them, in one process, so that one clock measures both ends. */
import { answer } from '../support/answer.ts'

const HELLO = {
  type: 'hello',
  name: 'bench',
  max_concurrent_tasks: 1,
  task_types: ['test'],
  gpus: [{ gpu_id: 0, name: 'Bench GPU', memory_total: 24 }],
  running: [],
}
const GPU = { gpu_id: 0, usage: 50, memory_used: 3, memory_total: 24, temperature: 60, power: 150 }
/** The server takes 300 frames at once from one socket. */
const SUBSCRIBE_AT_ONCE = 200

// biome-ignore lint/suspicious/noExplicitAny: frames of two protocols and of a floor
type Frame = any

let sockets: WebSocket[] = []
let node: WebSocket
let onFrame: (frame: Frame) => void = () => {}
const timers: ReturnType<typeof setInterval>[] = []
/** When each heartbeat was sent, by its power value, which is unique. */
const sentAt = new Map<number, number>()
let beats = 0

const heartbeat = (power: number) => ({
  type: 'heartbeat',
  cpu_usage: 10,
  memory_usage: 20,
  gpus: [{ ...GPU, power }],
})

function sendHeartbeat(socket: WebSocket): void {
  const power = ++beats / 100
  sentAt.set(power, performance.now())
  socket.send(JSON.stringify(heartbeat(power)))
}

const handlers = answer({
  /** One node for `dispatch`. */
  async openNode(port: number, token: string) {
    node = await open(`ws://127.0.0.1:${port}/ws/node`, token, (frame) => onFrame(frame))
    node.send(JSON.stringify(HELLO))
    // The server would soon call a silent node offline.
    setInterval(() => node.send(JSON.stringify(heartbeat(150))), 1000)
    await Bun.sleep(500)
  },
  /**
   * Makes tasks one after the other. @returns for each the milliseconds from the request to its `assign`.
   * @param finishes whether the node completes each task, so that it is idle for the next one; the floor's does not
   */
  async dispatch(port: number, token: string, tasks: number, finishes: boolean) {
    const times: number[] = []
    for (let n = 0; n < tasks; n++) {
      const assigned = next('assign')
      const startedAt = performance.now()
      const created = fetch(`http://127.0.0.1:${port}/api/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ title: 'bench', task_type: 'test', config: { n } }),
      })
      const answered = created.then(async (response) => {
        const text = await response.text()
        if (!response.ok) throw new Error(`POST /api/tasks answered ${response.status} ${text}`)
        return assigned
      })
      const { task_id, attempt } = await Promise.race([assigned, answered])
      times.push(performance.now() - startedAt)
      await answered
      if (!finishes) continue
      node.send(JSON.stringify({ type: 'accept', task_id, attempt }))
      const acked = next('ack')
      node.send(JSON.stringify({ type: 'completed', task_id, attempt, result: {} }))
      await acked
    }
    return times
  },

  /** Opens nodes that only send heartbeats: one a second each, spread over the second. */
  async openNodes(port: number, tokens: string[]) {
    for (const token of tokens) {
      const socket = await open(`ws://127.0.0.1:${port}/ws/node?token=${token}`, token, () => {})
      socket.send(JSON.stringify(HELLO))
      sockets.push(socket)
    }
    await Bun.sleep(1000)
  },
  /** Opens dashboards that watch the cluster and every node. */
  async watch(port: number, tokens: string[], nodeIds: string[]) {
    for (const token of tokens) {
      const socket = await open(`ws://127.0.0.1:${port}/ws/connect?token=${token}`, token, (frame) => {
        if (frame.type === 'gpu_update' || frame.type === 'heartbeat') onFrame(frame)
      })
      const topics = ['gpu:cluster', ...nodeIds.map((id) => `gpu:server:${id}`)]
      for (const [n, topic] of topics.entries()) {
        socket.send(JSON.stringify({ type: 'subscribe', topic }))
        if ((n + 1) % SUBSCRIBE_AT_ONCE === 0) await Bun.sleep(1000)
      }
      sockets.push(socket)
    }
    await Bun.sleep(2000)
  },
  /** Lets every node send a heartbeat each second, spread over the second. */
  async beat() {
    const nodes = sockets.filter((socket) => socket.url.includes('/ws/node'))
    for (const socket of nodes) {
      timers.push(setInterval(() => sendHeartbeat(socket), 1000))
      sendHeartbeat(socket)
      await Bun.sleep(1000 / nodes.length)
    }
  },
  /** @returns the number of heartbeats sent, and the milliseconds from each heartbeat to each of its `gpu_update` frames */
  async sample(seconds: number) {
    sentAt.clear()
    const delays: number[] = []
    onFrame = ({ data, gpus }) => {
      const at = sentAt.get((data?.gpu_usage ?? gpus)[0]?.power)
      if (at !== undefined) delays.push(performance.now() - at)
    }
    const before = beats
    await Bun.sleep(seconds * 1000)
    onFrame = () => {}
    return { delays, sent: beats - before }
  },
  async pause() {
    for (const timer of timers.splice(0)) clearInterval(timer)
    await Bun.sleep(300)
  },
  async close() {
    for (const socket of sockets) socket.close()
    sockets = []
    await Bun.sleep(500)
  },
})
export type NodesClient = typeof handlers

function next(type: string): Promise<Frame> {
  return new Promise((resolve) => {
    const before = onFrame
    onFrame = (frame) => {
      if (frame.type !== type) return before(frame)
      onFrame = before
      resolve(frame)
    }
  })
}

/** Opens a socket. A dashboard is ready after its `welcome`; a node may send its `hello` at once. */
function open(url: string, token: string, hear: (frame: Frame) => void): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>()
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } } as never)
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data)
    if (frame.type === 'welcome') resolve(socket)
    else hear(frame)
  }
  if (url.includes('/ws/node')) socket.onopen = () => resolve(socket)
  socket.onclose = ({ code }) => reject(new Error(`a socket was closed with ${code}`))
  return promise
}
