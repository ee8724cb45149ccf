/** Sends keep-alive requests over raw sockets, so that the client needs less CPU than the server that it measures. */
import type { Socket } from 'bun'
import { answer } from '../support/answer.ts'

interface State {
  requests: Buffer[]
  next: number
  startedAt: number
  pending: Buffer
}

export interface Request {
  method?: string
  path: string
  token: string
  body?: string
  /** Of the body; JSON unless given. */
  type?: string
}

export interface Load {
  port: number
  /** One list for each connection, which sends the requests of its list over and over. */
  requests: Request[][]
  /** How long the load lasts, or how many requests each connection sends. */
  ms?: number
  times?: number
  /** Of every answer; 200 unless given. */
  status?: number
}

const handlers = answer({
  /** Each connection sends one request at a time. `total` includes the answers that came after the time was over. */
  async load({ port, requests, ms, times = Number.POSITIVE_INFINITY, status = 200 }: Load) {
    const wanted = requests.length * times
    const done = Promise.withResolvers<void>()
    let answered = 0
    let bytes = 0
    let failure: string | undefined
    let running = true
    let closing = false
    let sent = 0
    const latencies: number[] = []
    const send = (socket: Socket<State>) => {
      const { data } = socket
      data.startedAt = performance.now()
      sent++
      socket.write(data.requests[data.next++ % data.requests.length]!)
    }
    const sockets = await Promise.all(
      requests.map((list) =>
        Bun.connect<State>({
          hostname: '127.0.0.1',
          port,
          data: {
            requests: list.map(toRequest),
            next: 0,
            startedAt: 0,
            pending: Buffer.alloc(0),
          },
          socket: {
            data(socket, chunk) {
              const { data } = socket
              const text = data.pending.length === 0 ? chunk : Buffer.concat([data.pending, chunk])
              const size = answerSize(text)
              if (size === undefined || text.length < size) {
                data.pending = text
                return
              }
              data.pending = Buffer.alloc(0)
              if (text.toString('latin1', 9, 12) !== String(status)) failure = text.toString('utf8', 0, 500)
              answered++
              bytes += size
              latencies.push(performance.now() - data.startedAt)
              if (answered === wanted) done.resolve()
              if (running && data.next < times) send(socket)
            },
            close() {
              if (!closing) failure ??= 'the server closed a connection'
              done.resolve()
            },
          },
        }),
      ),
    )
    const startedAt = performance.now()
    for (const socket of sockets) send(socket)
    await (ms === undefined ? done.promise : Bun.sleep(ms))
    running = false
    const seconds = (performance.now() - startedAt) / 1000
    const result = { perSecond: answered / seconds, answered, bytes: bytes / answered, latencies }
    // Each connection still waits for the answer to its last request.
    for (let tries = 0; answered < sent && !failure && tries < 100; tries++) await Bun.sleep(100)
    const total = answered
    closing = true
    for (const socket of sockets) socket.end()
    if (failure) throw new Error(`a request failed: ${failure}`)
    return { ...result, total }
  },
})
export type HttpClient = typeof handlers

const toRequest = ({ method = 'GET', path, token, body = '', type = 'application/json' }: Request) =>
  Buffer.from(
    [
      `${method} ${path} HTTP/1.1`,
      'Host: 127.0.0.1',
      `Authorization: Bearer ${token}`,
      ...(body && [`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`]),
      `\r\n${body}`,
    ].join('\r\n'),
  )

/** Bytes of the answer that `text` begins with; undefined before its head is complete. */
function answerSize(text: Buffer): number | undefined {
  const head = text.indexOf('\r\n\r\n')
  if (head === -1) return undefined
  const length = /content-length: (\d+)/i.exec(text.toString('latin1', 0, head))
  if (!length) throw new Error('an answer without Content-Length')
  return head + 4 + Number(length[1])
}
