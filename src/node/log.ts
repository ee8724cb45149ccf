/** The node's own log: short lines for the person who started the node. */
export interface Log {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

type Level = keyof Log

/**
 * With more unread bytes on standard output, further lines are dropped, because a reader that stopped must not cost
 * memory.
 */
const MAX_UNREAD_CHARS = 1024 * 1024
let unread = 0

// Messages contain texts of the server and of tasks, in which a control character could forge lines or change the terminal.
const printable = (message: string) => message.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')

function write(level: Level, message: string): void {
  if (unread > MAX_UNREAD_CHARS) return
  const time = new Date().toTimeString().slice(0, 8)
  const line = `${time} ${level.padEnd(5)} ${printable(message)}\n`
  // Bun's `writableLength` is always 0.
  unread += line.length
  process.stdout.write(line, () => {
    unread -= line.length
  })
}

/**
 * The reader of the log may go away at any time (`| head`, a closed terminal, a full disk). Without a listener the
 * failed write would end the node and, with it, its tasks.
 */
export function surviveLostReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
}

export const consoleLog: Log = {
  info: (message) => write('info', message),
  warn: (message) => write('warn', message),
  error: (message) => write('error', message),
}
