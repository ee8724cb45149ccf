/** A TCP proxy between a server and a part, which disturbs connections as the test asks. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Random } from './random.ts'

/** How the proxy treats a new connection. `silence`: it accepts it and never sends anything. `close`: it closes it at once. */
export type Arrivals = 'forward' | 'reset' | 'close' | 'silence'

export class TcpProxy implements AsyncDisposable {
  readonly links = new Set<Link>()
  arrivals: Arrivals = 'forward'

  private constructor(
    private readonly server: Server,
    private readonly target: { host: string; port: number },
  ) {
    server.on('connection', (client) => this.take(client))
  }

  /** In front of what `url` names. */
  static async start(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url)
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const proxy = new TcpProxy(server, { host: hostname, port: Number(port) })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** The same URL, by way of this proxy. */
  through(url: string): string {
    const through = new URL(url)
    through.hostname = '127.0.0.1'
    through.port = String((this.server.address() as { port: number }).port)
    return through.href
  }

  resetAll(): void {
    for (const link of [...this.links]) link.reset()
  }

  stallAll(): void {
    for (const link of this.links) link.stall()
  }

  resumeAll(): void {
    for (const link of this.links) link.resume()
  }

  /** Disturbs connections at random moments until the signal aborts. After that, everything passes again. */
  async disturb(
    random: Random,
    signal: AbortSignal,
    gapMs: [number, number],
  ): Promise<Record<string, number>> {
    const done: Record<string, number> = {}
    while (!signal.aborted) {
      await Bun.sleep(random.between(...gapMs))
      const harm = random.pick(BAG)
      const links = [...this.links].filter(({ passes }) => passes)
      if (links.length === 0) continue
      done[harm.name] = (done[harm.name] ?? 0) + 1
      harm.act(this, random.pick(links), random)
    }
    this.arrivals = 'forward'
    this.resumeAll()
    return done
  }

  private take(client: Socket): void {
    client.on('error', () => {})
    if (this.arrivals === 'reset') return void client.resetAndDestroy()
    if (this.arrivals === 'close') return void client.end()
    const upstream =
      this.arrivals === 'silence' ? undefined : connect({ ...this.target, allowHalfOpen: true })
    const link = new Link(client, upstream)
    this.links.add(link)
    client.on('close', () => this.links.delete(link))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.arrivals = 'reset'
    for (const link of [...this.links]) link.end()
    this.server.close()
  }
}

/** The sockets to a client and to its upstream. */
export class Link {
  private state: 'passes' | 'stalled' | 'over' = 'passes'
  /** Answers that still pass before the reset. */
  private left = Number.POSITIVE_INFINITY

  constructor(
    private readonly client: Socket,
    private readonly upstream: Socket | undefined,
  ) {
    if (!upstream) this.state = 'over'
    upstream?.setNoDelay(true)
    this.forward(client, upstream)
    if (upstream) this.forward(upstream, client)
  }

  get passes(): boolean {
    return this.state === 'passes'
  }

  /** Both ends see a reset. */
  reset(): void {
    this.state = 'over'
    this.client.resetAndDestroy()
    this.upstream?.resetAndDestroy()
  }

  /** Resets the connection after this many bytes of the next answers, which is in the middle of one. */
  resetAfter(bytes: number): void {
    this.left = bytes
  }

  /** Both ends stay open, and nothing passes. */
  stall(): void {
    if (this.state !== 'passes') return
    this.state = 'stalled'
    this.client.pause()
    this.upstream!.pause()
  }

  resume(): void {
    if (this.state !== 'stalled') return
    this.state = 'passes'
    this.client.resume()
    this.upstream!.resume()
  }

  /** Cuts the upstream off and drops the client's bytes, without telling the client. */
  halfOpen(): void {
    this.state = 'over'
    this.upstream?.resetAndDestroy()
    this.client.resume()
  }

  /** Cuts the client off without telling the upstream, which keeps the client's locks. */
  vanish(): void {
    this.state = 'over'
    this.client.resetAndDestroy()
    this.upstream?.resume()
  }

  end(): void {
    this.state = 'over'
    this.client.destroy()
    this.upstream?.destroy()
  }

  private forward(from: Socket, to: Socket | undefined): void {
    from.on('data', (chunk: Buffer) => {
      if (this.state === 'over' || !to) return
      if (from === this.upstream && chunk.length > this.left) {
        to.write(chunk.subarray(0, this.left), () => this.reset())
        this.state = 'over'
        return
      }
      if (from === this.upstream) this.left -= chunk.length
      if (to.write(chunk)) return
      from.pause()
      to.once('drain', () => this.state === 'passes' && from.resume())
    })
    from.on('end', () => this.state !== 'over' && to?.end())
    from.on('error', () => {})
    from.on('close', () => {
      if (this.state !== 'over') to?.destroy()
    })
  }
}

interface Harm {
  name: string
  /** How often it is chosen, against the others. */
  weight: number
  act(proxy: TcpProxy, link: Link, random: Random): void
}

const HARMS: Harm[] = [
  { name: 'reset', weight: 4, act: (_, link) => link.reset() },
  {
    name: 'reset in an answer',
    weight: 4,
    act: (_, link, random) => link.resetAfter(random.between(1, 2000)),
  },
  {
    name: 'reset of all',
    weight: 2,
    act: (proxy) => [...proxy.links].filter(({ passes }) => passes).map((link) => link.reset()),
  },
  {
    name: 'half-open',
    weight: 2,
    act(_, link, random) {
      link.halfOpen()
      // Some connections stay disturbed until the client gives them up.
      if (random.chance(0.7)) setTimeout(() => link.reset(), random.between(50, 2000))
    },
  },
  { name: 'vanished client', weight: 2, act: (_, link) => link.vanish() },
  {
    name: 'stall',
    weight: 3,
    act(_, link, random) {
      link.stall()
      setTimeout(() => link.resume(), random.between(50, 1500))
    },
  },
  {
    name: 'refused arrivals',
    weight: 2,
    act(proxy, link, random) {
      proxy.arrivals = random.pick(['reset', 'close', 'silence'])
      link.reset()
      const forward = () => {
        proxy.arrivals = 'forward'
      }
      setTimeout(forward, random.between(50, 500))
    },
  },
]

const BAG = HARMS.flatMap((harm) => Array<Harm>(harm.weight).fill(harm))
