/** One upload over a raw socket, as fast as the server reads it. The client needs less CPU than the server that it measures. */
import type { Socket } from 'bun'
import { answer } from '../support/answer.ts'

export interface Upload {
  port: number
  token: string
  /** Bytes of the file. */
  size: number
}

const SLICE_BYTES = 1024 * 1024
const BOUNDARY = 'bench-boundary'
/** The first box of an mp4. The file has nothing that can be decoded. */
const HEAD = Buffer.concat([
  Buffer.from([0, 0, 0, 24]),
  Buffer.from('ftypisom'),
  Buffer.from([0, 0, 2, 0]),
  Buffer.from('isomiso2'),
])
/** Random bytes, which no layer can compress. They are sent over and over. */
const FILLER = Buffer.from(crypto.getRandomValues(new Uint8Array(64 * 1024)))
const slice = Buffer.alloc(SLICE_BYTES, FILLER)

const handlers = answer({
  /** @returns the status and body of the answer, and the milliseconds from the first byte sent to it */
  async upload({ port, token, size }: Upload) {
    const before = Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="title"\r\n\r\nbench\r\n` +
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="bench.mp4"\r\n` +
        'Content-Type: video/mp4\r\n\r\n',
    )
    const after = Buffer.from(`\r\n--${BOUNDARY}--\r\n`)
    const head = Buffer.from(
      [
        'POST /api/v1/upload HTTP/1.1',
        'Host: 127.0.0.1',
        'Connection: close',
        `Authorization: Bearer ${token}`,
        `Content-Type: multipart/form-data; boundary=${BOUNDARY}`,
        `Content-Length: ${before.byteLength + size + after.byteLength}\r\n\r\n`,
      ].join('\r\n'),
    )
    const pieces = piecesOf([head, before, HEAD], size - HEAD.byteLength, after)
    const done = Promise.withResolvers<string>()
    let received = ''
    let pending: Uint8Array | undefined
    const pump = (socket: Socket) => {
      for (;;) {
        pending ??= pieces.next().value ?? undefined
        if (!pending) return
        const written = socket.write(pending)
        if (written < pending.byteLength) {
          pending = pending.subarray(Math.max(0, written))
          return
        }
        pending = undefined
      }
    }
    const startedAt = performance.now()
    await Bun.connect({
      hostname: '127.0.0.1',
      port,
      socket: {
        open: pump,
        drain: pump,
        data(_socket, chunk) {
          received += chunk.toString()
        },
        close: () => done.resolve(received),
        error: (_socket, error) => done.reject(error),
      },
    })
    const text = await done.promise
    const ms = performance.now() - startedAt
    return { ms, status: Number(text.slice(9, 12)), body: text.slice(text.indexOf('\r\n\r\n') + 4) }
  },
})
export type UploadClient = typeof handlers

function* piecesOf(first: Buffer[], filler: number, last: Buffer): Generator<Uint8Array, undefined> {
  yield Buffer.concat(first)
  for (let left = filler; left > 0; left -= SLICE_BYTES) yield slice.subarray(0, Math.min(left, SLICE_BYTES))
  yield last
  return undefined
}
