/** The header fields of answers. What sets a field names it in `headers` of its answer; this table says what it means. */
import { REPLAYED_HEADER } from '../idempotency.ts'
import { LIMIT_HEADERS } from '../limit-fields.ts'
import type { JsonSchema } from './schemas.ts'

export interface HeaderObject {
  description: string
  schema: JsonSchema
  required?: true
}

const text = (description: string, example: string): HeaderObject => ({
  description,
  schema: { type: 'string', example },
})
const whole = (description: string): HeaderObject => ({
  description,
  schema: { type: 'integer', minimum: 0 },
})

const HEADERS = {
  'Accept-Patch': text(
    'The media type that a PATCH of this address takes (RFC 5789).',
    'application/partial-upload',
  ),
  'Accept-Ranges': text('The unit in which Range may ask for a part.', 'bytes'),
  'Content-Disposition': text(
    'Whether a browser shows the file, and the name under which it saves it (RFC 6266).',
    'attachment; filename="statement.csv"',
  ),
  'Content-Range': text(
    'The part that the answer has, or after 416 the length of the file.',
    'bytes 0-1023/4096',
  ),
  ETag: text(
    'The version of what is shown, for If-None-Match, and for If-Match where a change takes it.',
    '"67ab43"',
  ),
  'Last-Modified': text('When the file was stored.', 'Tue, 15 Jan 2030 09:00:00 GMT'),
  Link: text(
    'The address of the next page as `rel="next"` (RFC 8288). The last page has no Link.',
    '</api/v1/schedule-items?page=2>; rel="next"',
  ),
  Location: text('The address of what the request has made.', '/v1/photos/42'),
  'MCP-Session-Id': text(
    'The session that `initialize` has begun. The client sends it with each further message.',
    '8e03978e-40d5-43dd-bc93-6894a57f9324',
  ),
  'Retry-After': whole('After how many seconds the client may try again.'),
  Upgrade: text('The protocol of this address.', 'websocket'),
  'Upload-Complete': text('Whether the upload is complete: `?1` or `?0`.', '?0'),
  'Upload-Length': whole('The bytes of the whole file, once the client has said it.'),
  'Upload-Limit': text(
    'The bytes that a file may have, and the seconds until an unfinished upload is deleted.',
    'max-size=104857600, max-age=86400',
  ),
  'Upload-Offset': whole('The bytes that have arrived. The client goes on there.'),
  'WWW-Authenticate': text(
    'That the request needs a valid access token (RFC 6750).',
    'Bearer error="invalid_token"',
  ),
  ...LIMIT_HEADERS,
  ...REPLAYED_HEADER,
} satisfies Record<string, HeaderObject>

export type HeaderName = keyof typeof HEADERS

/** The header fields of an answer, and whether each such answer has them. */
export type AnswerHeaders = Partial<Record<HeaderName, 'always' | 'sometimes'>>

export const HEADER_NAMES = Object.keys(HEADERS) as HeaderName[]

/** `components.headers`. Fields that are always there have a component of their own, because `required` is part of it. */
export const HEADER_COMPONENTS: Record<string, HeaderObject> = Object.fromEntries(
  Object.entries(HEADERS).flatMap(([name, header]) => [
    [componentOf(name, 'always'), { ...header, required: true }],
    [componentOf(name, 'sometimes'), header],
  ]),
)

/** The fields of rate limits. No answer has them with RATE_LIMITS=off. */
export const LIMIT_FIELDS: AnswerHeaders = Object.fromEntries(
  Object.keys(LIMIT_HEADERS).map((name) => [name, 'sometimes']),
)

type References = Record<string, { $ref: string }>

/** Adds header fields to the description of an answer, as references to their components. */
export function withHeaders<A extends { description: string; headers?: References }>(
  answer: A,
  headers: AnswerHeaders,
): A & { headers?: References } {
  const entries = Object.entries(headers)
  if (entries.length === 0) return answer
  const references = entries.map(([name, when]) => [
    name,
    { $ref: `#/components/headers/${componentOf(name, when)}` },
  ])
  return { ...answer, headers: { ...answer.headers, ...Object.fromEntries(references) } }
}

function componentOf(name: string, when: 'always' | 'sometimes'): string {
  return when === 'always' ? name : `${name}-optional`
}
