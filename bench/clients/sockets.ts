/** Many live sockets in a process of their own, which count what comes. */
import { answer } from '../support/answer.ts'
import { now } from '../support/readings.ts'

const OPENING_AT_ONCE = 50

let sockets: WebSocket[] = []
let count = 0
let closedEarly = 0
let closing = false
let waiting: { count: number; resolve: () => void } | undefined
/** When each event came, by its cursor's number and the user it is for. */
let arrivals: [key: string, at: number][] | undefined

const handlers = answer({
  /** `each` sockets for every token. Resolves when all have been welcomed. */
  async open(port: number, tokens: string[], each: number, userIds: number[] = []) {
    closing = false
    const wanted = tokens.flatMap((token, n) =>
      Array.from({ length: each }, () => ({ token, user: userIds[n] })),
    )
    const next = wanted.values()
    await Promise.all(
      Array.from({ length: OPENING_AT_ONCE }, async () => {
        for (const { token, user } of next) sockets.push(await openOne(port, token, user))
      }),
    )
    count = 0
  },
  /** Waits until `wanted` frames have come since the last call, and begins to count anew. */
  async received(wanted: number, timeoutMs = 60_000) {
    if (count < wanted) {
      const arrived = new Promise<void>((resolve) => {
        waiting = { count: wanted, resolve }
      })
      await Promise.race([arrived, Bun.sleep(timeoutMs)])
    }
    if (count !== wanted)
      throw new Error(`${count} frames came and not ${wanted}; ${closedEarly} sockets closed`)
    count = 0
  },
  record() {
    arrivals = []
  },
  recorded() {
    const result = arrivals!
    arrivals = undefined
    count = 0
    return result
  },
  async close() {
    closing = true
    for (const socket of sockets) socket.close()
    while (sockets.some((socket) => socket.readyState !== WebSocket.CLOSED)) await Bun.sleep(50)
    sockets = []
  },
})
export type SocketClient = typeof handlers

function openOne(port: number, token: string, user: number | undefined): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>()
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/connect?token=${token}`)
  socket.onmessage = () => {
    socket.onmessage = onEvent
    resolve(socket)
  }
  const onEvent = ({ data }: MessageEvent<string>) => {
    count++
    if (arrivals) arrivals.push([`${user}.${seqOf(data)}`, now()])
    if (waiting && count >= waiting.count) {
      waiting.resolve()
      waiting = undefined
    }
  }
  socket.onclose = ({ code }) => {
    reject(new Error(`a socket was closed with ${code}`))
    if (!closing) closedEarly++
  }
  return promise
}

/** The number at the end of `"cursor":"epoch.seq"`, without parsing the rest. */
function seqOf(frame: string): string {
  const from = frame.indexOf('.', frame.indexOf('"cursor":"'))
  return frame.slice(from + 1, frame.indexOf('"', from))
}
