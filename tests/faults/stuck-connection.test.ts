/**
 * A client vanishes in the middle of a message, and a load balancer or proxy keeps its socket to PostgreSQL open. PostgreSQL
 * waits for the rest without a limit, with the rows of the transaction locked. The servers end such connections.
 */
import { test } from 'bun:test'
import postgres from 'postgres'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { hasPostgres, NO_DATABASE, openParts } from './parts.ts'

if (!hasPostgres) console.log(`skipped: a client that is gone in the middle of a message: ${NO_DATABASE}`)

const text = (value: string) => Buffer.from(`${value}\0`)
const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff])
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
/** A message of the frontend: its type, the length of the rest, the rest. */
const message = (type: string, ...parts: Uint8Array[]) => {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

/** Begins a transaction, locks rows by `query`, and never sends the Sync that would end the message. */
async function halfMessage(url: string, query: string): Promise<Bun.Socket> {
  const { hostname, port, username, pathname } = new URL(url)
  const socket = await Bun.connect({ hostname, port: Number(port), socket: { data() {} } })
  const parameters = { user: username, database: pathname.slice(1), application_name: 'roost vanished' }
  socket.write(
    message(
      '',
      int32(196_608),
      ...Object.entries(parameters).flatMap(([name, value]) => [text(name), text(value)]),
      Buffer.from([0]),
    ),
  )
  socket.write(message('Q', text('begin')))
  socket.write(
    Buffer.concat([
      message('P', text(''), text(query), int16(0)),
      message('B', text(''), text(''), int16(0), int16(0), int16(0)),
      message('E', text(''), int32(0)),
      message('H'),
    ]),
  )
  return socket as Bun.Socket
}

test.skipIf(!hasPostgres)('its transaction is ended, and its rows are free again', async () => {
  await using parts = await openParts('PostgreSQL')
  const server = await startServer({ DATABASE_URL: parts.databaseUrl! })
  const client = postgres(parts.databaseUrl!, { max: 1, onnotice: () => {} })
  const socket = await halfMessage(parts.databaseUrl!, 'select id from users for update')
  try {
    const isLocked = async () => {
      const free = await client`select id from users for update skip locked`
      return free.length === 0
    }
    await eventually(isLocked, 'the rows are locked')
    await eventually(async () => !(await isLocked()), 'the rows are free', 90_000)
  } finally {
    socket.end()
    await client.end()
    await server.stop()
  }
})
