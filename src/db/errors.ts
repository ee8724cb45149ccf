interface DriverError {
  code?: unknown
  routine?: unknown
  constraint_name?: unknown
  cause?: unknown
}

function* causes(error: unknown): Generator<DriverError> {
  for (let e = error; e && typeof e === 'object'; e = (e as DriverError).cause) yield e as DriverError
}

/** The SQLSTATE or driver code of a database error, also when Drizzle has wrapped it. */
export function sqlState(error: unknown): string | undefined {
  for (const { code } of causes(error)) if (typeof code === 'string') return code
  return undefined
}

/** The name of the unique constraint that an insert or update violated. */
export const violatedConstraint = (error: unknown): string | undefined => violated(error, '23505')

/** The name of the check constraint that an insert or update violated. */
export const violatedCheck = (error: unknown): string | undefined => violated(error, '23514')

function violated(error: unknown, state: string): string | undefined {
  for (const { code, constraint_name: name } of causes(error)) {
    if (code === state && typeof name === 'string') return name
  }
  return undefined
}

const UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'ECONNABORTED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  // The driver's own.
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECTION_SILENT',
  'QUERY_TIMEOUT',
])

/**
 * 08: connection exceptions; 53: too many connections, disk or memory full; 57P: shutdown and crash; 25P03 and 25P04: a
 * transaction was idle for too long; 25006: a former primary; 40001, 40P01 and 55P03: conflicts with other transactions;
 * 57014: timeout.
 */
const UNAVAILABLE_STATE = /^(08|53|57P|25P0[34]$|25006$|40001$|40P01$|55P03$|57014$)/

/** Whether other transactions held a row for longer than the lock timeout. */
export const isLocked = (error: unknown): boolean => sqlState(error) === '55P03'

/** Whether the database is away or refuses work for now, so that the same request may succeed later. */
export function isUnavailable(error: unknown): boolean {
  const state = sqlState(error)
  if (!state) return false
  return UNAVAILABLE.has(state) || UNAVAILABLE_STATE.test(state)
}

/**
 * Whether the transaction may succeed when it runs again as a whole: 40001 serialization_failure and 40P01
 * deadlock_detected, after which PostgreSQL has rolled it back, and a prepared statement that was made before a
 * migration changed what it answers (the driver has forgotten it) or that the connection has lost (26000).
 */
export function isRetryable(error: unknown): boolean {
  for (const { code, routine } of causes(error)) {
    if (code === '40001' || code === '40P01' || code === '26000') return true
    if (code === '0A000' && routine === 'RevalidateCachedQuery') return true
  }
  return false
}

/** Whether a row was refused because its user has been deleted meanwhile: migration 0014. */
export const isOwnerDeleted = (error: unknown): boolean => sqlState(error) === 'UD001'

/** Whether a value can't be stored as it is: a zero byte, a lone surrogate, a number out of range. */
export const isUnstorable = (error: unknown): boolean => sqlState(error)?.startsWith('22') ?? false
