/**
 * Why the server closed a socket of a user or of a node. "Come back" means that the same client may reconnect by itself;
 * a user's client then goes on from its cursor.
 */
export const CLOSE = {
  badFrame: 4400,
  /** Not signed in, or the token has expired: come back with a new token. */
  unauthenticated: 4401,
  /** The session or the node was revoked: do not come back without a new sign-in. */
  forbidden: 4403,
  authTimeout: 4408,
  tooManyConnections: 4409,
  frameTooLarge: 4413,
  tooManyFrames: 4429,
  /** The client did not read, or did not answer a ping. Come back: the log has every event. */
  tooSlow: 4508,
  /** The server restarts. Come back after the delay that the `draining` frame named. */
  restarting: 1012,
} as const
