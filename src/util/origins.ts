import { cutText } from './cut.ts'
import type { Logger } from './logger.ts'
import type { ShownPaths } from './shown-path.ts'

/** Limits the memory and the log lines that a client with ever new origins causes. */
const MAX_NAMED = 50
const MAX_NAME_LENGTH = 200

/** Which browser origins may call the API and open sockets. Those that may not are named in the log, once each. */
export class Origins {
  private readonly named = new Set<string>()

  constructor(
    private readonly config: { allowedOrigins: string[]; publicUrl: string | undefined },
    private readonly log: Logger,
    private readonly paths: ShownPaths,
  ) {}

  /** Whether the request comes from a page of an allowed origin, from this server's own page, or from no page. */
  allows(request: Request): boolean {
    const origin = request.headers.get('origin')
    if (!origin || this.isAllowed(origin, request)) return true
    this.name(origin, request)
    return false
  }

  private isAllowed(origin: string, request: Request): boolean {
    const { allowedOrigins, publicUrl } = this.config
    if (allowedOrigins.includes(origin)) return true
    if (publicUrl && new URL(publicUrl).origin === origin) return true
    return URL.canParse(origin) && new URL(origin).host === request.headers.get('host')
  }

  private name(origin: string, request: Request): void {
    // Only an origin: some clients send a whole URL.
    const shown = cutText(URL.parse(origin)?.origin ?? '', MAX_NAME_LENGTH)
    if (this.named.size >= MAX_NAMED || this.named.has(shown)) return
    this.named.add(shown)
    this.log.warn(
      { origin: shown, path: this.paths.of(request, undefined) },
      'a page of this origin called, and ALLOWED_ORIGINS does not list it',
    )
  }
}
