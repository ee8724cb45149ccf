/** The node's own log: short lines for the person who started it. */
export interface Log {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

type Level = keyof Log

// Messages carry text of the server and of tasks: a control character could forge lines or repaint a terminal.
const printable = (message: string) => message.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')

function write(level: Level, message: string): void {
  const time = new Date().toTimeString().slice(0, 8)
  process.stdout.write(`${time} ${level.padEnd(5)} ${printable(message)}\n`)
}

export const consoleLog: Log = {
  info: (message) => write('info', message),
  warn: (message) => write('warn', message),
  error: (message) => write('error', message),
}
