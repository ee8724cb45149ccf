/** A mistake of the operator or of the machine that keeps the server from starting. `message` says what to do. */
export class StartupError extends Error {
  override name = 'StartupError'
}
