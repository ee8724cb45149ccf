import { RoostError } from './error.ts'
import type { ConnectOptions } from './options.ts'
import type { Report } from './report.ts'

/** The session has ended: there is no token any more. */
export class SignedOut extends Error {
  override name = 'SignedOut'
}

/** The access token that the application gives. */
export class Credentials {
  private last: string | undefined
  private refused = false
  private asking: Promise<string> | undefined

  constructor(
    private readonly source: ConnectOptions['token'],
    private readonly report: Report,
  ) {}

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
    const token = typeof source === 'string' ? source : await this.call(source, refused)
    if (!token || (refused && token === this.last)) throw new SignedOut('the session has ended')
    this.last = token
    this.refused = false
    return token
  }

  /** A session throws a RoostError while the server does not answer. Anything else is a fault that the application should see. */
  private async call(source: Exclude<ConnectOptions['token'], string>, refused: boolean) {
    try {
      return await source(refused)
    } catch (error) {
      if (!(error instanceof RoostError)) this.report(error)
      throw error
    }
  }
}
