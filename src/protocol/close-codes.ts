/** Why the server closed a socket of a user or of a node. */
export const CLOSE = {
  badFrame: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
  authTimeout: 4408,
  tooManyConnections: 4409,
  frameTooLarge: 4413,
  tooManyFrames: 4429,
  tooSlow: 4508,
  restarting: 1012,
} as const

interface Meaning {
  /** What it means for a user's client, and what that client does. */
  user: string
  /** The same for a node. */
  node: string
}

/**
 * For the documentation. "Come back" means that the same client may reconnect by itself; a user's client then goes on from its
 * cursor.
 */
export const CLOSE_MEANINGS: Record<keyof typeof CLOSE, Meaning> = {
  badFrame: {
    user: 'The client sent a frame that is no JSON object with a type. Fix the client.',
    node: 'Too many frames do not fit their schemas: 20 at once, then one in five seconds. Fix the node.',
  },
  unauthenticated: {
    user: 'Not signed in, or the token has expired. Come back with a new token.',
    node: 'The token is unknown. Do not come back.',
  },
  forbidden: {
    user: 'The session has ended, or an auth frame is of another user. Do not come back without a new sign-in.',
    node: 'An administrator has replaced the token or removed the node. Do not come back.',
  },
  authTimeout: {
    user: 'No auth frame within ten seconds, or too many sockets that are not signed in. Come back and sign in at once.',
    node: 'No hello within ten seconds.',
  },
  tooManyConnections: {
    user: 'The user has 20 other sockets on this server, and all of them answer. Close one.',
    node: 'The node has a newer socket: a second program may be using its token.',
  },
  frameTooLarge: {
    user: 'A frame over 16 KB, or over 6 KB before the sign-in. Fix the client.',
    node: 'A frame over 512 KB. Fix the node.',
  },
  tooManyFrames: {
    user: 'More than 30 frames a second, 300 at once. Fix the client.',
    node: 'More than 500 frames a second, 2,000 at once, or too much that the server has yet to handle.',
  },
  tooSlow: {
    user: 'The client did not read for 30 seconds, or answered nothing for 60. Come back: the log has every event.',
    node: 'The node does not read, or has answered no ping for 60 seconds. Come back.',
  },
  restarting: {
    user: 'The server restarts. Come back after the delay that the draining frame named.',
    node: 'The server restarts. Come back after the delay that the draining frame named.',
  },
}
