/** Asks the running server of a data directory for a copy of its embedded database. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { BackupEnd } from '../core/backup/backups.ts'
import { StartupError } from '../util/startup-error.ts'
import { type ControlAnswer, type ControlRequest, linesOf, SOCKET_NAME_FILE } from './control.ts'

export interface BackupControl {
  /** A directory with the copy. The server removes it when the connection ends. */
  copy: string
  /** Aborted when the server has gone. */
  lost: AbortSignal
  /** @throws StartupError when objects may have been deleted meanwhile */
  assertHeld(): Promise<void>
  end(result: BackupEnd): Promise<void>
  close(): void
}

/**
 * @returns undefined when no server uses the directory
 * @throws StartupError when the server can't make the copy
 */
export async function askForBackup(dataDir: string, fileName: string): Promise<BackupControl | undefined> {
  const socket = await connectTo(dataDir)
  if (!socket) return undefined
  const lost = new AbortController()
  const answers = linesOf<ControlAnswer>(socket)
  const ask = async (request: ControlRequest): Promise<ControlAnswer> => {
    socket.write(`${JSON.stringify(request)}\n`)
    const { done, value } = await answers.next()
    if (done) throw new StartupError(GONE)
    if ('failed' in value) throw new StartupError(value.failed)
    return value
  }
  socket.on('error', () => {})
  socket.on('close', () => lost.abort(new StartupError(GONE)))
  try {
    const answer = await ask({ begin: fileName })
    return {
      copy: (answer as { copy: string }).copy,
      lost: lost.signal,
      assertHeld: async () => void (await ask({ held: true })),
      end: async (end) => void (await ask({ end })),
      close: () => socket.destroy(),
    }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

const GONE = 'The server ended in the middle of the backup. Start the backup again.'

async function connectTo(dataDir: string): Promise<Socket | undefined> {
  try {
    const path = readFileSync(join(dataDir, SOCKET_NAME_FILE), 'utf8').trim()
    return await new Promise((resolve, reject) => {
      const socket = connect(path, () => resolve(socket))
      socket.once('error', reject)
    })
  } catch {
    // A killed server leaves the file. The lock of the data directory says whether one runs.
    return undefined
  }
}
