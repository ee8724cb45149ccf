/**
 * Every HTTP request to a URL that a user gave goes through this file, so that no user can make the server or a node send
 * requests to addresses that only these can reach (SSRF).
 */
import { lookup as dnsLookup } from 'node:dns/promises'
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from './public-address.ts'

export type EgressErrorCode =
  | 'BAD_URL'
  | 'BLOCKED_ADDRESS'
  | 'DNS_FAILED'
  | 'CONNECTION_FAILED'
  | 'TIMEOUT'
  | 'ABORTED'
  | 'TOO_LARGE'
  | 'TOO_MANY_REDIRECTS'

/** Why a request was not sent, or its answer not received. `message` may be shown to users. */
export class EgressError extends Error {
  override name = 'EgressError'
  constructor(
    readonly code: EgressErrorCode,
    message: string,
  ) {
    super(message)
  }
}

export interface ResolvedAddress {
  address: string
  family: 4 | 6
}

export interface EgressOptions {
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** Largest body of an answer, in bytes. A larger one fails with TOO_LARGE. Default 10 MiB. */
  maxBytes?: number
  /** For everything together: DNS, redirects and the whole body. Default 30 s. */
  timeoutMs?: number
  /** 0 (the default) hands a 3xx answer to the caller; beyond it, TOO_MANY_REDIRECTS. */
  maxRedirects?: number
  /** Lets private addresses through: `ALLOW_PRIVATE_EGRESS`, for tests and intranets. */
  allowPrivate?: boolean
  /** Stops the request, with ABORTED. */
  signal?: AbortSignal
  /** Instead of the system's DNS. */
  resolve?: (hostname: string) => Promise<ResolvedAddress[]>
}

export interface EgressResponse {
  status: number
  headers: IncomingHttpHeaders
  /** The URL that answered, after redirects. */
  url: URL
  /** Read it or `cancel()` it. Otherwise it is cancelled after `timeoutMs`. Fails with EgressError. */
  body: ReadableStream<Uint8Array>
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const DEFAULT_MAX_BYTES = 10 * 1024 * 1024

/** Sends a request to a public http(s) URL. Rejects with EgressError; any HTTP status is an answer, not an error. */
export async function egressRequest(url: string | URL, options: EgressOptions = {}): Promise<EgressResponse> {
  const { maxRedirects = 0, timeoutMs = 30_000, maxBytes = DEFAULT_MAX_BYTES } = options
  const deadline = new Deadline(timeoutMs, options.signal)
  try {
    let target = checkedUrl(url)
    let request = { method: options.method ?? 'GET', headers: options.headers ?? {}, body: options.body }
    for (let hops = 0; ; hops++) {
      const addresses = await deadline.race(publicAddresses(target, options))
      const message = await send(target, request, addresses, deadline)
      const status = message.statusCode ?? 0
      const location = message.headers.location
      if (maxRedirects === 0 || !REDIRECTS.has(status) || location === undefined)
        return {
          status,
          headers: message.headers,
          url: target,
          body: limitedBody(message, maxBytes, deadline),
        }

      message.destroy()
      if (hops >= maxRedirects) throw new EgressError('TOO_MANY_REDIRECTS', 'too many redirects')
      const next = checkedUrl(location, target)
      request = redirected(request, status, next.origin === target.origin)
      target = next
    }
  } catch (error) {
    deadline.clear()
    throw deadline.explain(error)
  }
}

/** Ports of other protocols, whose servers could take the lines of a request for commands: https://fetch.spec.whatwg.org/#port-blocking */
const NOT_WEB = new Set(
  `0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135 137 139 143
  161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045
  4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080`.split(/\s+/),
)
export const isWebPort = ({ port }: URL): boolean => !NOT_WEB.has(port)

function checkedUrl(value: string | URL, base?: URL): URL {
  const url = URL.parse(String(value), base?.href)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '')
    throw new EgressError('BAD_URL', 'not an http or https URL')
  if (url.username || url.password) throw new EgressError('BAD_URL', 'the URL must not contain credentials')
  if (!isWebPort(url)) throw new EgressError('BAD_URL', `port ${url.port} is not used for HTTP`)
  return url
}

/** The addresses of the URL's host. One that is not public refuses all, because such an answer is an attack or a mistake. */
async function publicAddresses(url: URL, options: EgressOptions): Promise<ResolvedAddress[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const literal = isIP(host)
  const addresses =
    literal === 0 ? await resolved(host, options.resolve) : [{ address: host, family: literal as 4 | 6 }]
  if (!options.allowPrivate && !addresses.every(({ address }) => isPublicAddress(address)))
    throw new EgressError('BLOCKED_ADDRESS', `the address of ${url.hostname} is not public`)
  return addresses
}

async function resolved(host: string, resolve: EgressOptions['resolve']): Promise<ResolvedAddress[]> {
  const addresses = await (resolve ? resolve(host) : dnsLookup(host, { all: true })).catch(() => [])
  if (addresses.length === 0) throw new EgressError('DNS_FAILED', `${host} could not be resolved`)
  return addresses as ResolvedAddress[]
}

interface OutgoingRequest {
  method: string
  headers: Record<string, string>
  body: string | Uint8Array | undefined
}

/** As `fetch` does: 303, and 301 or 302 after POST, become GET. Another origin does not get header fields with credentials. */
function redirected(request: OutgoingRequest, status: number, sameOrigin: boolean): OutgoingRequest {
  let { method, body } = request
  const dropped = new Set(sameOrigin ? [] : ['authorization', 'cookie', 'proxy-authorization'])
  if ((status === 303 && method !== 'HEAD') || ((status === 301 || status === 302) && method === 'POST')) {
    method = 'GET'
    body = undefined
    for (const name of ['content-type', 'content-length', 'content-encoding']) dropped.add(name)
  }
  const kept = Object.entries(request.headers).filter(([name]) => !dropped.has(name.toLowerCase()))
  return { method, body, headers: Object.fromEntries(kept) }
}

/**
 * Connects only to the addresses that were checked, and asks DNS no second time. The URL keeps the host's name, for Host,
 * SNI and the check of the certificate. There is no agent, because a pooled connection would skip `lookup`.
 */
function send(
  url: URL,
  request: OutgoingRequest,
  addresses: ResolvedAddress[],
  deadline: Deadline,
): Promise<IncomingMessage> {
  const lookup: LookupFunction = (_hostname, options, callback) => {
    const [first] = addresses
    if (options.all) callback(null, addresses)
    else if (first) callback(null, first.address, first.family)
  }
  const { method, headers, body } = request
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const outgoing = (url.protocol === 'https:' ? https : http).request(
      url,
      { method, headers: { ...headers, ...length }, lookup, agent: false, signal: deadline.signal },
      resolve,
    )
    // Not removed after the answer begins, because Bun reports an abort during the body here and on the message.
    outgoing.on('error', (error) => reject(deadline.explain(error)))
    outgoing.end(body)
  })
}

function limitedBody(
  message: IncomingMessage,
  maxBytes: number,
  deadline: Deadline,
): ReadableStream<Uint8Array> {
  const tooLarge = () => new EgressError('TOO_LARGE', `the answer is larger than ${maxBytes} bytes`)
  const close = () => {
    deadline.clear()
    message.destroy()
  }
  if (Number(message.headers['content-length'] ?? 0) > maxBytes) {
    close()
    throw tooLarge()
  }
  const chunks = message[Symbol.asyncIterator]()
  let received = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next()
          if (done) {
            deadline.clear()
            return controller.close()
          }
          received += value.length
          if (received > maxBytes) throw tooLarge()
          controller.enqueue(value)
        } catch (error) {
          close()
          controller.error(deadline.explain(error))
        }
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  )
}

/** One timeout for all steps of a request. */
class Deadline {
  private readonly controller = new AbortController()
  private readonly timer: Timer
  readonly signal = this.controller.signal

  private readonly expire = () => this.controller.abort()

  constructor(
    timeoutMs: number,
    private readonly outer: AbortSignal | undefined,
  ) {
    this.timer = setTimeout(this.expire, timeoutMs)
    outer?.addEventListener('abort', this.expire, { once: true })
    if (outer?.aborted) this.expire()
  }

  clear(): void {
    clearTimeout(this.timer)
    this.outer?.removeEventListener('abort', this.expire)
  }

  /** For DNS, which cannot be aborted. */
  async race<T>(step: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>()
    const expired = () => reject(this.explain(undefined))
    // An abort before this line calls no listener.
    if (this.signal.aborted) expired()
    this.signal.addEventListener('abort', expired, { once: true })
    try {
      return await Promise.race([step, promise])
    } finally {
      this.signal.removeEventListener('abort', expired)
    }
  }

  explain(error: unknown): EgressError {
    if (error instanceof EgressError) return error
    if (this.outer?.aborted) return new EgressError('ABORTED', 'the request was stopped')
    if (this.signal.aborted) return new EgressError('TIMEOUT', 'no complete answer in time')
    return new EgressError('CONNECTION_FAILED', 'the connection failed or broke off')
  }
}
