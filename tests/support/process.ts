/** Real processes, as an operator runs them: to be killed, frozen and started again. Each ends with its `await using`. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { watchAnswersOf } from './answers.ts'

type Env = Record<string, string>

export const ROOT = join(import.meta.dir, '../..')
/** A loaded machine needs this long for a cold embedded database. */
const START_MS = 60_000

export const temporaryDirectory = (name: string): string => mkdtempSync(join(tmpdir(), `roost-${name}-`))

const given = new Set<number>()

/** A free port below those that the kernel gives to outgoing connections, and to no other caller of this. */
export function freePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    if (given.has(port)) continue
    given.add(port)
    try {
      Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true)
      return port
    } catch {
      // Somebody else's.
    }
  }
}

/** Polls, since what is waited for happens in another process. `what` may tell how things stand at the deadline. */
export async function eventually<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what: string | (() => string),
  ms = 30_000,
): Promise<T> {
  const deadline = performance.now() + ms
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) {
      throw new Error(`not within ${ms} ms: ${typeof what === 'string' ? what : what()}`)
    }
    await Bun.sleep(25)
  }
}

// A test that is cut off leaves no process behind: the kernel ends the child with its parent.
const TETHER = Bun.which('setpriv') ? ['setpriv', '--pdeathsig', 'KILL', '--'] : []

/** For a process that lives for seconds, the compilers of the fastest code cost more than they gain: a fifth of a start. */
const SHORT_LIVED = { BUN_JSC_useOMGJIT: '0', BUN_JSC_useFTLJIT: '0' }

/** A program with its output in a file, so that a full pipe cannot block it. */
export class Program implements AsyncDisposable {
  private child: Subprocess | undefined

  constructor(
    private readonly command: string[],
    private readonly env: Env,
    private readonly logPath: string,
    private readonly root = ROOT,
  ) {}

  get pid(): number {
    return this.child!.pid
  }

  get running(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  get exited(): Promise<number> {
    return this.child!.exited
  }

  launch(): void {
    const output = openSync(this.logPath, 'a')
    const { PATH = '', HOME = '' } = process.env
    this.child = Bun.spawn([...TETHER, ...this.command], {
      cwd: this.root,
      env: { PATH, HOME, ...SHORT_LIVED, ...this.env },
      stdin: 'ignore',
      stdout: output,
      stderr: output,
    })
    closeSync(output)
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal)
  }

  /** `kill -9`, also when it is frozen. */
  async kill(): Promise<void> {
    if (!this.running) return
    this.signal('SIGKILL')
    await this.exited
  }

  /** Everything that it printed, over all its lives. */
  get output(): string {
    return readFileSync(this.logPath, 'utf8')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

/** The server on a directory and a port of its own, which it keeps over restarts. */
export class ServerProcess implements AsyncDisposable {
  readonly dataDir: string
  private readonly ownsDataDir: boolean
  private readonly program: Program
  private readonly port: number

  private constructor(env: Env, root: string) {
    this.ownsDataDir = env.DATA_DIR === undefined
    this.dataDir = env.DATA_DIR ?? temporaryDirectory('fault')
    this.port = Number(env.PORT ?? freePort())
    this.program = new Program(
      [process.execPath, '--no-env-file', 'src/main.ts'],
      {
        HOST: '127.0.0.1',
        ADMIN_PASSWORD: 'admin123',
        RATE_LIMITS: 'off',
        LOG_LEVEL: 'warn',
        ...env,
        DATA_DIR: this.dataDir,
        PORT: String(this.port),
      },
      join(this.dataDir, `server-${this.port}.log`),
      root,
    )
  }

  /** @param root the folder whose sources it runs */
  static async start(env: Env = {}, root = ROOT): Promise<ServerProcess> {
    const server = new ServerProcess(env, root)
    if (root === ROOT) watchAnswersOf(server.url)
    await server.start()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get wsUrl(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  get running(): boolean {
    return this.program.running
  }

  get output(): string {
    return this.program.output
  }

  /** Resolves when it listens. @throws with what it printed when it ends instead */
  async start(): Promise<void> {
    const starts = () => this.output.split('Roost listens on').length
    this.program.launch()
    const before = starts()
    try {
      await eventually(
        () => {
          if (starts() > before) return true
          if (!this.program.running) throw new Error(`the server ended at start: ${this.output.slice(-2000)}`)
          return false
        },
        () => `the server's start; it printed ${this.output.slice(-2000)}`,
        START_MS,
      )
    } catch (error) {
      await this[Symbol.asyncDispose]()
      throw error
    }
  }

  kill = () => this.program.kill()

  async restart(): Promise<void> {
    await this.kill()
    await this.start()
  }

  freeze = () => this.program.signal('SIGSTOP')
  thaw = () => this.program.signal('SIGCONT')

  /** SIGTERM. @returns the exit code and how long it took */
  async terminate(): Promise<{ code: number; ms: number }> {
    const start = performance.now()
    this.program.signal('SIGTERM')
    const code = await this.program.exited
    if (code !== 0) console.log(`the server ended with ${code}; it printed ${this.output.slice(-2000)}`)
    return { code, ms: performance.now() - start }
  }

  /** What it printed that no fault of the surroundings explains: errors it did not expect, and stack traces. */
  get complaints(): string[] {
    return this.output
      .split('\n')
      .filter((line) => (line.startsWith('{') ? isError(line) : /^\s+at |\berror\b/i.test(line)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    if (this.ownsDataDir) rmSync(this.dataDir, { recursive: true, force: true })
  }
}

const PINO_ERROR = 50

function isError(line: string): boolean {
  try {
    return JSON.parse(line).level >= PINO_ERROR
  } catch {
    // Cut off by kill -9.
    return false
  }
}

/** The node program with a state directory of its own, which it keeps over restarts. */
export class NodeProcess implements AsyncDisposable {
  private readonly stateDir = temporaryDirectory('fault-node')
  private readonly program: Program

  constructor(server: { url: string }, token: string, name: string) {
    this.program = new Program(
      [
        ...[process.execPath, '--no-env-file', 'src/node/main.ts'],
        ...['--server', server.url, '--state', join(this.stateDir, 'state'), '--name', name],
        // SIGTERM then kills its tasks, which are no children of this process, instead of waiting for them.
        ...['--drain-timeout', '0.1'],
      ],
      { ROOST_NODE_TOKEN: token, NVIDIA_SMI_PATH: '/nonexistent/nvidia-smi' },
      join(this.stateDir, 'node.log'),
    )
    this.program.launch()
  }

  get output(): string {
    return this.program.output
  }

  start = () => this.program.launch()
  kill = () => this.program.kill()
  freeze = () => this.program.signal('SIGSTOP')
  thaw = () => this.program.signal('SIGCONT')

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw()
    if (this.program.running) this.program.signal('SIGTERM')
    await Promise.race([this.program.running && this.program.exited, Bun.sleep(1000)])
    await this.kill()
    rmSync(this.stateDir, { recursive: true, force: true })
  }
}
