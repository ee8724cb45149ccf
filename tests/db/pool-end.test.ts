/** A pool that ends: its queries have an answer, and it leaves no connection behind that disturbs the pool after it. */
import { expect, test } from 'bun:test'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type postgres from 'postgres'
import { openEmbedded } from '../../src/db/driver.ts'
import type { EmbeddedPostgres } from '../../src/db/embedded.ts'
import { borrowEmbedded } from '../support/embedded-pool.ts'
import { temporaryDirectory } from '../support/process.ts'

/** The driver waits this long before it connects again. */
const BACKOFF_MS = 250

interface Gate {
  database: EmbeddedPostgres
  /** How many connections there were. */
  opened(): number
  /** Cuts all connections. */
  cut(): void
}

/** Runs `body` with an embedded database behind a socket that counts and cuts connections. */
async function withGate(body: (gate: Gate) => Promise<void>): Promise<void> {
  const database = await borrowEmbedded()
  const directory = temporaryDirectory('gate')
  const socketPath = join(directory, 'pg.sock')
  const sockets: Socket[] = []
  let opened = 0
  const gate = createServer((near) => {
    opened++
    const far = createConnection(database.socketPath)
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) socket.on('error', () => {})
    sockets.push(near, far)
  })
  gate.listen(socketPath)
  await once(gate, 'listening')
  try {
    await body({
      database: { ...database, socketPath },
      opened: () => opened,
      cut: () => {
        for (const socket of sockets) socket.destroy()
      },
    })
  } finally {
    gate.close()
    await database.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A transaction that is in its middle until `goOn`. */
async function transactionIn(sql: postgres.Sql) {
  const begun = Promise.withResolvers<void>()
  const { promise, resolve: goOn } = Promise.withResolvers<void>()
  const end = sql.begin(async (tx) => {
    await tx`select 1`
    begun.resolve()
    await promise
    return [...(await tx`select 2 as number`)]
  })
  await begun.promise
  return { end, goOn }
}

const numbers = async (sql: postgres.Sql, number: number) => [...(await sql`select ${number}::int as number`)]
/** The driver takes a query, and the end of the pool, some microtasks after the call. */
const sent = () => Bun.sleep(1)
const codeOf = (error: { code: string }) => error.code

test('queries that wait behind a transaction run before the pool has ended', () =>
  withGate(async ({ database, opened }) => {
    const sql = openEmbedded(database)
    const { end, goOn } = await transactionIn(sql)
    const answers: unknown[] = []
    const waiting = [3, 4].map((number) => numbers(sql, number).then(([row]) => answers.push(row)))
    const later = transactionIn(sql)
    await sent()
    const ended = sql.end()
    goOn()
    expect(await end).toEqual([{ number: 2 }])
    void later.then((transaction) => transaction.goOn())
    await ended
    expect(answers).toEqual([{ number: 3 }, { number: 4 }])
    await Promise.all(waiting)
    expect(await (await later).end).toEqual([{ number: 2 }])
    expect(await numbers(sql, 5).catch(codeOf)).toBe('CONNECTION_ENDED')
    await Bun.sleep(BACKOFF_MS * 2)
    expect(opened()).toBe(1)
  }))

test('a pool that loses its connection while it ends opens no other one', () =>
  withGate(async ({ database, opened, cut }) => {
    const sql = openEmbedded(database)
    const transaction = await transactionIn(sql)
    const lost = transaction.end.catch(codeOf)
    const waiting = numbers(sql, 3).catch(codeOf)
    await sent()
    const ended = sql.end()
    await sent()
    cut()
    await ended
    expect(await lost).toBe('CONNECTION_CLOSED')
    expect(await waiting).toBe('CONNECTION_ENDED')
    await Bun.sleep(BACKOFF_MS * 2)
    expect(opened()).toBe(1)
  }))
