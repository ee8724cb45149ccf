import { createServer, type Socket } from 'node:net'
import type { PGlite } from '@electric-sql/pglite'

const TERMINATE = 'X'.charCodeAt(0)
/** What a connection may leave behind in PGlite: a transaction, and the prepared statements of the driver. */
const CLEAN_UP = ['rollback', 'discard all']

/**
 * Serves PGlite to one connection of the PostgreSQL driver at a time. Messages that arrive together (parse, bind, execute,
 * sync, or several queries) run in one call, and one write sends all their answers. One by one, each message would cost a
 * turn of the event loop and two system calls.
 * @returns a function that ends the connection and listens no more
 */
export async function serveEmbedded(db: PGlite, path: string): Promise<() => void> {
  let current: Socket | undefined
  const leave = (socket: Socket) => {
    if (socket !== current) return
    current = undefined
    for (const text of CLEAN_UP) run(db, simpleQuery(text))
  }
  const server = createServer((socket) => {
    // The driver opens a new connection only after it has given up the old one.
    const old = current
    if (old) leave(old)
    old?.destroy()
    current = socket
    let rest: Buffer = Buffer.alloc(0)
    let started = false
    socket.on('data', (chunk: Buffer) => {
      if (socket !== current) return
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const { size, ends } = completeMessages(rest, started)
      if (size > 0) {
        started = true
        const answer = run(db, rest.subarray(0, size))
        rest = rest.subarray(size)
        if (answer.length > 0) socket.write(answer)
      }
      if (ends) socket.end()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => leave(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return () => {
    const socket = current
    current = undefined
    socket?.destroy()
    server.close()
  }
}

/**
 * Runs whole messages. PGlite has run them when its call returns, so its promise has nothing to wait for. An exception means
 * that PGlite itself is broken: nothing catches it, and the worker ends.
 */
function run(db: PGlite, messages: Uint8Array): Buffer {
  const answers: Uint8Array[] = []
  // The bytes lie in the memory of PGlite, which reuses them.
  void db.execProtocolRawStream(messages, {
    syncToFs: false,
    onRawData: (data) => answers.push(data.slice()),
  })
  return Buffer.concat(answers)
}

/**
 * How many bytes of `data` are whole messages, and whether a Terminate message follows. The first message of a
 * connection has no type byte.
 */
function completeMessages(data: Buffer, started: boolean): { size: number; ends: boolean } {
  let size = 0
  let typed = started
  for (;;) {
    const head = typed ? 1 : 0
    if (data.length < size + head + 4) return { size, ends: false }
    if (typed && data[size] === TERMINATE) return { size, ends: true }
    const end = size + head + data.readUInt32BE(size + head)
    if (data.length < end) return { size, ends: false }
    size = end
    // PGlite expects the first message alone.
    if (!typed) return { size, ends: false }
    typed = true
  }
}

function simpleQuery(text: string): Buffer {
  const message = Buffer.alloc(text.length + 6)
  message.write('Q', 0)
  message.writeUInt32BE(text.length + 5, 1)
  message.write(text, 5)
  return message
}
