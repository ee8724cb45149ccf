/**
 * The header fields of requests. A route that reads a field names it in `requestHeaders`; this table says what it means. Fields
 * that every route reads, such as Accept-Language, and those of which OpenAPI has other words, such as Authorization, are not here.
 */
import { KEY_HEADER } from '../idempotency.ts'
import type { HeaderObject } from './headers.ts'
import type { Parameter } from './operations.ts'

const text = (description: string, example: string): HeaderObject => ({
  description,
  schema: { type: 'string', example },
})

const DIGEST = 'sha-256=:uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=:'

const HEADERS = {
  'Content-Digest': text(
    'The SHA-256 of the bytes of this request (RFC 9530). The server compares it.',
    DIGEST,
  ),
  'Content-Disposition': text(
    'The name of the file, unless the address has `filename`.',
    'attachment; filename="a.jpg"',
  ),
  'If-Match': text(
    'ETags of the version that the client has read. The server changes no other version.',
    '"67ab43"',
  ),
  'If-Modified-Since': text(
    'The Last-Modified that the client has; without effect beside If-None-Match.',
    'Tue, 15 Jan 2030 09:00:00 GMT',
  ),
  'If-None-Match': text(
    'ETags of what the client has. If one of them is current, the answer is 304.',
    '"67ab43"',
  ),
  'If-Range': text(
    'The ETag or Last-Modified of the part that the client has. Range counts only for that version.',
    '"67ab43"',
  ),
  'Last-Event-ID': text('The id of the last event that the client has. The stream goes on after it.', '42'),
  'MCP-Protocol-Version': text('The version of MCP that `initialize` has agreed on.', '2025-11-25'),
  'MCP-Session-Id': text(
    'The session that `initialize` has begun. The message `initialize` itself has none.',
    '8e03978e-40d5-43dd-bc93-6894a57f9324',
  ),
  Range: text(
    'The part of the file that the client wants. The server answers several ranges with the whole file.',
    'bytes=0-1023',
  ),
  'Repr-Digest': text('The SHA-256 of the whole file (RFC 9530). The server compares it.', DIGEST),
  'Upload-Complete': {
    description: 'Whether the file ends with this request: `?1` or `?0`.',
    schema: { type: 'string', example: '?0' },
  },
  'Upload-Length': {
    description: 'The bytes of the whole file.',
    schema: { type: 'integer', minimum: 0 },
  },
  'Upload-Offset': {
    description: 'The bytes that have arrived before this request.',
    schema: { type: 'integer', minimum: 0 },
  },
  ...KEY_HEADER,
} satisfies Record<string, HeaderObject>

/** The header fields that a route reads, and whether a request must have them. */
export type RequestHeaders = Partial<Record<keyof typeof HEADERS, 'required' | 'optional'>>

/** The parameters of an operation that reads these fields. */
export const headerParameters = (headers: RequestHeaders): Parameter[] =>
  (Object.keys(headers) as (keyof RequestHeaders)[]).map((name) => ({
    name,
    in: 'header',
    required: headers[name] === 'required',
    ...HEADERS[name],
  }))
