/** The credentials, for both documents. */
export const SECURITY_SCHEMES = {
  bearerAuth: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The access_token of a sign-in.',
  },
  nodeToken: { type: 'http', scheme: 'bearer', description: 'The node_token of a GPU server.' },
  feedToken: {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'The secret in the address of a calendar, from POST /api/v1/schedule-items/feed.',
  },
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
