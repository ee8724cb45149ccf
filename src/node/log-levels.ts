import { LogLevel as LogLevels, type NodeFrameOf } from '../protocol/node/node-frames.ts'

export type LogLevel = NodeFrameOf<'log'>['level']

const known: ReadonlySet<string> = new Set(LogLevels.anyOf.map((literal) => literal.const))
/** Names of levels in loggers of other languages, and Python's numbers. */
const OTHER_NAMES: Record<string, LogLevel> = {
  TRACE: 'DEBUG',
  VERBOSE: 'DEBUG',
  10: 'DEBUG',
  NOTICE: 'INFO',
  INFORMATION: 'INFO',
  20: 'INFO',
  WARN: 'WARNING',
  30: 'WARNING',
  ERR: 'ERROR',
  SEVERE: 'ERROR',
  40: 'ERROR',
  FATAL: 'CRITICAL',
  CRIT: 'CRITICAL',
  ALERT: 'CRITICAL',
  EMERG: 'CRITICAL',
  EMERGENCY: 'CRITICAL',
  PANIC: 'CRITICAL',
  50: 'CRITICAL',
}

/** Without regard to case. An unknown level is INFO. */
export function logLevel(value: unknown): LogLevel {
  const name = String(value).trim().toUpperCase()
  if (known.has(name)) return name as LogLevel
  return Object.hasOwn(OTHER_NAMES, name) ? OTHER_NAMES[name]! : 'INFO'
}
