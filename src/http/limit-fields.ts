/** How much of a limit a client has used, as it is told. */
export interface LimitShown {
  policy: string
  limit: number
  remaining: number
  /** Seconds. */
  window: number
  /** Seconds until the window ends. */
  seconds: number
  /** When the window ends, in seconds since 1970. */
  reset: number
}

/** The header fields of an answer whose request was counted: draft-ietf-httpapi-ratelimit-headers-11, and the older names. */
export const limitFields = ({
  policy,
  limit,
  remaining,
  window,
  seconds,
  reset,
}: LimitShown): Record<string, string> => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(reset),
  'x-ratelimit-window': String(window),
  'ratelimit-policy': `"${policy}";q=${limit};w=${window}`,
  ratelimit: `"${policy}";r=${remaining};t=${seconds}`,
})
