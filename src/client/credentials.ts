import type { ConnectOptions } from './options.ts'

/** The session has ended: there is no token any more. */
export class SignedOut extends Error {
  override name = 'SignedOut'
}

/** The access token that the application gives. */
export class Credentials {
  private last: string | undefined
  private refused = false
  private asking: Promise<string> | undefined

  constructor(private readonly source: ConnectOptions['token']) {}

  /** @throws SignedOut; or what the application's function has thrown, after which another try may succeed */
  get(): Promise<string> {
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined
    })
    return this.asking
  }

  /** The server has refused this token. */
  refuse(token: string): void {
    if (token === this.last) this.refused = true
  }

  private async ask(): Promise<string> {
    const { refused, source } = this
    const token = typeof source === 'string' ? source : await source(refused)
    if (!token || (refused && token === this.last)) throw new SignedOut('the session has ended')
    this.last = token
    this.refused = false
    return token
  }
}
