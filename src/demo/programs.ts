import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { localUrl } from '../util/local-url.ts'
import { StartupError } from '../util/startup-error.ts'

const SOURCES = join(import.meta.dir, '..')
const START_MS = 120_000
const STOP_MS = 8000

/** What the programs may see of the environment: nothing of another installation's settings. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES']

type Env = Record<string, string | undefined>

/** The server and the nodes, as processes. Each writes to a file of its own. */
export class Programs {
  private readonly running: Subprocess[] = []
  private server: Subprocess | undefined

  constructor(
    private readonly directory: string,
    private readonly env: Env,
  ) {}

  /**
   * @returns its URL, when it answers
   * @throws StartupError with what it said, when it ends instead
   */
  async startServer(adminPassword: string): Promise<string> {
    const port = this.env.PORT || '8000'
    const host = this.env.HOST || '127.0.0.1'
    const server = this.start('server', ['main.ts'], {
      DATA_DIR: this.directory,
      PORT: port,
      // Not for the network: the demo's limits are off.
      HOST: host,
      ADMIN_PASSWORD: adminPassword,
      LOG_LEVEL: 'warn',
      RATE_LIMITS: 'off',
      NODE_HEARTBEAT_SECONDS: '2',
      // Its webhook goes to the demo itself.
      ALLOW_PRIVATE_EGRESS: '1',
    })
    this.server = server
    const url = localUrl(host, port)
    for (const deadline = performance.now() + START_MS; performance.now() < deadline; ) {
      if (server.exitCode !== null) throw new StartupError(this.lastOf('server'))
      const answer = await fetch(`${url}/ready`).catch(() => undefined)
      if (answer?.ok && this.lastOf('server').includes('Roost listens')) return url
      await Bun.sleep(100)
    }
    throw new StartupError(`The server does not start; it said: ${this.lastOf('server')}`)
  }

  /** @throws StartupError when the server ends, which nothing starts again */
  async untilServerEnds(): Promise<never> {
    await this.server?.exited
    throw new StartupError(`The server has ended; it said: ${this.lastOf('server') || 'nothing'}`)
  }

  startNode(name: string, url: string, token: string, args: string[], env: Env): void {
    const state = join(this.directory, `${name}-results`)
    const options = ['--server', url, '--name', name, '--state', state, '--drain-timeout', '0.5']
    this.start(name, ['node/main.ts', ...options, ...args], { ROOST_NODE_TOKEN: token, ...env })
  }

  /** Ends all of them: nodes first, so that the server sees them go. */
  async stop(): Promise<void> {
    for (const program of this.running.toReversed()) program.kill('SIGTERM')
    const ended = Promise.all(this.running.map(({ exited }) => exited))
    await Promise.race([ended, Bun.sleep(STOP_MS)])
    for (const program of this.running) program.kill('SIGKILL')
  }

  private start(name: string, [script = '', ...args]: string[], env: Env): Subprocess {
    const log = openSync(this.logOf(name), 'w', 0o600)
    const program = Bun.spawn([process.execPath, '--no-env-file', join(SOURCES, script), ...args], {
      env: { ...Object.fromEntries(PASSED_ON.map((key) => [key, this.env[key]])), ...env },
      stdin: 'ignore',
      stdout: log,
      stderr: log,
    })
    closeSync(log)
    this.running.push(program)
    return program
  }

  private logOf = (name: string): string => join(this.directory, `${name}.log`)

  private lastOf = (name: string): string => readFileSync(this.logOf(name), 'utf8').trim().slice(-2000)
}
