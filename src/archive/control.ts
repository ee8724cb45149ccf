/**
 * The running server of an embedded database takes part in a backup: it makes a copy of the database, keeps the objects while
 * the other program reads them, and records how the backup ended. They talk by JSON lines on a Unix socket in the data
 * directory, and the backup has failed when the connection ends before `end`.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join, resolve } from 'node:path'
import {
  announceBackups,
  type BackupEnd,
  beginBackup,
  endBackup,
  LEASE_LOST,
  RENEW_MS,
  renewBackup,
} from '../core/backup/backups.ts'
import type { Context } from '../core/context.ts'
import type { CopyTo } from '../db/client.ts'
import { socketPathIn } from '../util/socket-path.ts'
import { textLines } from '../util/text-lines.ts'
import { waitAtMost } from '../util/wait-at-most.ts'
import { messageOf } from '../util/without-query.ts'

/** In the data directory. It holds the path of the socket, because a socket's path may not be long. */
export const SOCKET_NAME_FILE = 'backup-socket'
/** A copy of a large database may take longer. */
const CLOSE_MS = 1000

/** In this order, each once; `held` asks whether the lease never ended. */
export type ControlRequest = { begin: string } | { held: true } | { end: BackupEnd }
export type ControlAnswer = { copy: string } | { done: true } | { failed: string }

/** JSON values, one in each line, until the connection ends. */
export async function* linesOf<T>(socket: Socket): AsyncGenerator<T, undefined> {
  for await (const line of textLines(untilItEnds(socket))) yield JSON.parse(line) as T
}

/** A connection that breaks has ended too. Who reads no further may still write an answer. */
async function* untilItEnds(socket: Socket): AsyncGenerator<Uint8Array> {
  try {
    yield* socket.iterator({ destroyOnReturn: false })
  } catch {
    socket.destroy()
  }
}

/** @returns a function that listens no more, and gives up running backups. Call it while the database is open */
export async function serveBackups(ctx: Context, copyTo: CopyTo): Promise<() => Promise<void>> {
  const dataDir = resolve(ctx.config.dataDir)
  // Copies that a killed server has left.
  const copies = join(dataDir, 'backup')
  rmSync(copies, { recursive: true, force: true })
  const { path, remove } = socketPathIn(dataDir, 'backup.sock')
  const running = new Map<Socket, Promise<void>>()
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    const part = takePart(ctx, copyTo, copies, socket).finally(() => running.delete(socket))
    running.set(socket, part)
  })
  await new Promise<void>((listening, reject) => {
    server.once('error', reject)
    server.listen(path, listening)
  })
  chmodSync(path, 0o600)
  writeFileSync(join(dataDir, SOCKET_NAME_FILE), path, { mode: 0o600 })
  return async () => {
    server.close()
    for (const socket of running.keys()) socket.destroy()
    // Each records how it ended.
    await waitAtMost(CLOSE_MS, Promise.allSettled(running.values()))
    rmSync(join(dataDir, SOCKET_NAME_FILE), { force: true })
    remove()
  }
}

async function takePart(ctx: Context, copyTo: CopyTo, copies: string, socket: Socket): Promise<void> {
  const copy = join(copies, crypto.randomUUID())
  let running: number | undefined
  let timer: ReturnType<typeof setInterval> | undefined
  const answer = (value: ControlAnswer) => socket.write(`${JSON.stringify(value)}\n`)
  try {
    for await (const request of linesOf<ControlRequest>(socket)) {
      if ('begin' in request) {
        if (running !== undefined) throw new Error('one connection makes one backup')
        const id = await beginBackup(ctx.db, request.begin)
        running = id
        timer = setInterval(() => void renewBackup(ctx.db, id).catch(() => {}), RENEW_MS)
        mkdirSync(copy, { recursive: true, mode: 0o700 })
        const start = performance.now()
        await copyTo(join(copy, 'pg'))
        const ms = Math.round(performance.now() - start)
        ctx.log.info({ ms }, 'the database was copied for a backup')
        answer({ copy })
      } else if (running !== undefined) {
        if ('end' in request) {
          await endBackup(ctx.db, running, request.end)
          running = undefined
        } else if (!(await renewBackup(ctx.db, running))) throw new Error(LEASE_LOST)
        answer({ done: true })
      }
    }
  } catch (error) {
    ctx.log.warn({ err: error }, 'a backup could not be made')
    answer({ failed: `The server can't make the backup: ${messageOf(error)}` })
    if (running !== undefined)
      await endBackup(ctx.db, running, { size: null, error: messageOf(error) }).catch(() => {})
    running = undefined
  } finally {
    clearInterval(timer)
    // After the last answer.
    socket.destroySoon()
    rmSync(copy, { recursive: true, force: true })
    await settle(ctx, running).catch((error) =>
      ctx.log.warn({ err: error }, 'administrators were not told of a backup, or its end was not recorded'),
    )
  }
}

/** @param running the backup whose connection has ended before its end */
async function settle(ctx: Context, running: number | undefined): Promise<void> {
  if (running !== undefined)
    await endBackup(ctx.db, running, {
      size: null,
      error: 'The program that made the backup was interrupted.',
    })
  await announceBackups(ctx)
}
