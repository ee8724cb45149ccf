/** The three sockets. OpenAPI cannot describe their frames, so a text does. */

const text = (description: string) => ({
  description,
  content: { 'text/plain': { schema: { type: 'string' } } },
})

const answers = (after: string) => ({
  '101': { description: `The socket is open. ${after}` },
  '400': text('The upgrade failed.'),
  '403': text('Pages of this origin may not connect: ALLOWED_ORIGINS does not name it.'),
  '426': text('This address speaks WebSocket; the request was no upgrade.'),
  '503': text('The server is restarting.'),
})

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
      'then sends every event of the user once and in order. The client sends `subscribe_task`, `unsubscribe_task`,',
      '`subscribe`, `unsubscribe` and `ping`. The server closes a socket with an invalid credential with 4401.',
    ].join(' '),
    security: [{}, { bearerAuth: [] }, { accessTokenInQuery: [] }, { ticket: [] }],
    parameters: [
      query('cursor', 'Where to go on: the cursor of the last event that the client has.'),
      query('topics', 'Topics to subscribe to at once, with commas between.'),
      query(
        'language',
        'Of the texts in events: en or zh. Browsers cannot set Accept-Language on an upgrade.',
      ),
      query('agent_seq', 'For a topic agent:<session_id>: the number of the last frame that the client has.'),
    ],
    responses: answers('See the description for its frames and close codes.'),
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
        'JSON text frames, each `{type, …}`. The node sends `hello` first, then `heartbeat`, `accept`, `reject`,',
        '`progress`, `log`, `completed` and `failed`; the server sends `welcome`, `assign`, `cancel`, `drain` and',
        '`ack`. The server closes a socket with an invalid node_token with 4401.',
      ].join(' '),
      security: [{ nodeToken: [] }, { accessTokenInQuery: [] }],
      responses: answers('See the description for its frames.'),
    },
  },
}

/** Credentials that only sockets accept. */
export const socketSchemes = {
  accessTokenInQuery: {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'Sockets only: browsers can’t add a header to an upgrade. Of a node: its node_token.',
  },
  ticket: {
    type: 'apiKey',
    in: 'query',
    name: 'ticket',
    description: 'Sockets only: a one-use ticket from POST /api/ws/ticket.',
  },
}
