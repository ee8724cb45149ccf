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

const number = (description: string) => ({ description, schema: { type: 'integer' } })
const item = (description: string, example: string) => ({ description, schema: { type: 'string', example } })

/** The same fields for the OpenAPI document. */
export const LIMIT_HEADERS = {
  'X-RateLimit-Limit': number('Requests of this class that are allowed in a window.'),
  'X-RateLimit-Remaining': number('Requests that are left in the window.'),
  'X-RateLimit-Reset': number('When the window ends, in seconds since 1970.'),
  'X-RateLimit-Window': number('The length of the window, in seconds.'),
  'RateLimit-Policy': item(
    'draft-ietf-httpapi-ratelimit-headers-11: the limit, its number of requests and its window.',
    '"general";q=1000;w=3600',
  ),
  RateLimit: item(
    'draft-ietf-httpapi-ratelimit-headers-11: the requests that are left, and the seconds until the window ends.',
    '"general";r=999;t=3600',
  ),
}
