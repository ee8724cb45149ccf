/** Many live sockets in a process of their own, which counts the frames that they receive. */
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
  /** Opens `each` sockets for every token. Resolves when all have received `welcome`. */
  open: (port: number, tokens: string[], each: number, userIds: number[] = []) =>
    openAll(tokens, each, (token, n) => openOne(port, token, userIds[n])),
  /** The same for a Socket.IO server, whose sockets name their user in the query. */
  openSocketIo: (port: number, users: string[], each: number) =>
    openAll(users, each, (user) => openSocketIo(port, user)),
  /** Waits until `wanted` frames have come since the last call, and resets the count. */
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

async function openAll(
  users: string[],
  each: number,
  open: (user: string, n: number) => Promise<WebSocket>,
): Promise<void> {
  closing = false
  const next = users.flatMap((user, n) => Array.from({ length: each }, () => [user, n] as const)).values()
  await Promise.all(
    Array.from({ length: OPENING_AT_ONCE }, async () => {
      for (const [user, n] of next) sockets.push(await open(user, n))
    }),
  )
  count = 0
}

function openOne(port: number, token: string, user: number | undefined): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>()
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws/connect?token=${token}`)
  socket.onmessage = () => {
    socket.onmessage = onEvent
    resolve(socket)
  }
  const onEvent = ({ data }: MessageEvent<string>) => {
    if (arrivals) arrivals.push([`${user}.${seqOf(data)}`, now()])
    counted()
  }
  socket.onclose = closed(reject)
  return promise
}

/** Engine.IO 4 in a few lines, which need less CPU than its own client: `0` open, `2` ping, `3` pong, `40` connect, `42` event. */
function openSocketIo(port: number, user: string): Promise<WebSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>()
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket&user=${user}`)
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    if (data.startsWith('42')) counted()
    else if (data.startsWith('40')) resolve(socket)
    else if (data.startsWith('0')) socket.send('40')
    else if (data === '2') socket.send('3')
  }
  socket.onclose = closed(reject)
  return promise
}

function counted(): void {
  count++
  if (waiting && count >= waiting.count) {
    waiting.resolve()
    waiting = undefined
  }
}

const closed =
  (reject: (error: Error) => void) =>
  ({ code }: CloseEvent) => {
    reject(new Error(`a socket was closed with ${code}`))
    if (!closing) closedEarly++
  }

/** The number at the end of `"cursor":"epoch.seq"`, without parsing the rest. */
function seqOf(frame: string): string {
  const from = frame.indexOf('.', frame.indexOf('"cursor":"'))
  return frame.slice(from + 1, frame.indexOf('"', from))
}
