/** What a call failed with, whichever contract answered. */
export class RoostError extends Error {
  override readonly name = 'RoostError'

  /**
   * @param status of the answer; 0 when none came
   * @param code of the contract, such as `RESOURCE_NOT_FOUND`; `UNREACHABLE` or `ABORTED` when no answer came
   * @param details what is wrong with each field, or the values of the message, in the form of the contract
   * @param retryAfter seconds after which another try makes sense; undefined when the server does not say so
   */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: unknown = {},
    readonly retryAfter?: number,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** The members of all error bodies: docs/design.md, "Error bodies". */
interface ErrorBody {
  /** Factory and study. */
  error_code?: string
  details?: unknown
  message?: string
  /** `/api/v1` has a code and details; portfolio has `type` in place of the code. */
  error?: { code?: string; type?: string; details?: unknown }
  /** RFC 9457, outside of the contracts too. */
  title?: string
  detail?: string
}

/** @param body what was read of the answer; anything, for a proxy may have made it */
export function errorOf(status: number, body: unknown, headers: Headers): RoostError {
  const { error_code, details, message, error, title, detail } = (
    typeof body === 'object' && body !== null ? body : {}
  ) as ErrorBody
  const wait = Number.parseInt(headers.get('retry-after') ?? '', 10)
  return new RoostError(
    status,
    error?.code ?? error?.type ?? error_code ?? `HTTP_${status}`,
    message ?? detail ?? title ?? `The server answered with status ${status}`,
    error?.details ?? details,
    Number.isNaN(wait) ? undefined : wait,
  )
}

/**
 * Of an answer that redirects; a browser does not say to which URL. Roost never redirects, and following may
 * turn a POST into a GET, or lose the token.
 */
export function redirectOf(url: string | URL, { type, status, headers }: Response): RoostError | undefined {
  const to = status >= 300 && status < 400 && headers.get('location')
  if (!to && type !== 'opaqueredirect') return undefined
  const where = to || 'another URL'
  return new RoostError(status, 'REDIRECTED', `${url} redirects to ${where}: give the URL of that server`)
}

/** Of a call that got no answer. An error of the session passes through. */
export function unanswered(cause: unknown): RoostError {
  if (cause instanceof RoostError) return cause
  const aborted = cause instanceof Error && cause.name === 'AbortError'
  return aborted
    ? new RoostError(0, 'ABORTED', 'The call was ended', {}, undefined, { cause })
    : new RoostError(0, 'UNREACHABLE', 'The server did not answer', {}, undefined, { cause })
}
