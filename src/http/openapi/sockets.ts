/** The three sockets. OpenAPI cannot describe their frames, so a text does, and the AsyncAPI document. */
import { CONNECT_QUERY } from '../../protocol/live/connect.ts'
import { type AnswerHeaders, withHeaders } from './headers.ts'

const text = (description: string, headers: AnswerHeaders = {}) =>
  withHeaders({ description, content: { 'text/plain': { schema: { type: 'string' } } } }, headers)

const ANSWERS = {
  '101': { description: 'The socket is open. Its frames and close codes are at /api/docs/live.' },
  '400': text('The upgrade failed.'),
  '403': text('Pages of this origin may not connect: ALLOWED_ORIGINS does not name it.'),
  '426': text('This address speaks WebSocket; the request was no upgrade.', { Upgrade: 'always' }),
  '503': text('The server is restarting.', { 'Retry-After': 'always' }),
}

const query = (name: string, description: string) => ({
  name,
  in: 'query',
  required: false,
  description,
  schema: { type: 'string' },
})

const connect = (operationId: string) => ({
  get: {
    operationId,
    summary: 'Open the live channel, a WebSocket',
    tags: ['live: sockets'],
    description: [
      'JSON text frames, each `{type, …}`. Sign in by `token` or `ticket` in the address, by an Authorization',
      'header, or within ten seconds by a first frame `{"type":"auth","token":"…"}`. The server answers `welcome` and',
      'then sends every event of the user once and in order. The server closes a socket with an invalid credential with',
      '4401. [Every frame, event and close code](/api/docs/live) has a page of its own.',
    ].join(' '),
    security: [{}, { bearerAuth: [] }, { accessTokenInQuery: [] }, { ticket: [] }],
    parameters: Object.entries(CONNECT_QUERY).map(([name, description]) => query(name, description)),
    responses: ANSWERS,
  },
})

export const socketPaths = {
  '/ws/connect': connect('liveConnect'),
  '/api/ws/connect': connect('liveConnectApi'),
  '/ws/node': {
    get: {
      operationId: 'liveConnectNode',
      summary: 'Connect a GPU node, over a WebSocket',
      tags: ['live: sockets'],
      description: [
        'JSON text frames, each `{type, …}`. The node sends `hello` first. The server closes a socket with an invalid',
        'node_token with 4401. [Every frame and close code](/api/docs/live) has a page of its own.',
      ].join(' '),
      security: [{ nodeToken: [] }, { accessTokenInQuery: [] }],
      responses: ANSWERS,
    },
  },
}
