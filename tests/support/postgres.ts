/** A PostgreSQL cluster of the test's own, to be crashed, frozen and started again. */
import { chownSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { eventually, freePort, temporaryDirectory } from './process.ts'

const HOME = '/usr/lib/postgresql'
const MIN_VERSION = 15

/** Where the newest installed PostgreSQL has its programs. */
function findBinaries(): string | undefined {
  const versions = existsSync(HOME) ? readdirSync(HOME).map(Number) : []
  const newest = Math.max(0, ...versions.filter((version) => existsSync(`${HOME}/${version}/bin/initdb`)))
  return newest >= MIN_VERSION ? `${HOME}/${newest}/bin` : undefined
}

export const postgresBinaries = findBinaries()
export const NO_POSTGRES = `no PostgreSQL ${MIN_VERSION} or newer in ${HOME}`

// PostgreSQL refuses to run as root.
const isRoot = process.getuid?.() === 0
const AS_POSTGRES = isRoot ? ['setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--clear-groups'] : []
const TETHER = isRoot ? ['--pdeathsig', 'QUIT', '--'] : []

export class PostgresCluster implements AsyncDisposable {
  private readonly directory = temporaryDirectory('fault-pg')
  private readonly data = join(this.directory, 'data')
  private readonly port = freePort()
  private server: Bun.Subprocess | undefined
  private databases = 0

  private constructor(private readonly bin: string) {}

  /** @throws when there is no PostgreSQL: ask `postgresBinaries` first */
  static async start(): Promise<PostgresCluster> {
    if (!postgresBinaries) throw new Error(NO_POSTGRES)
    const cluster = new PostgresCluster(postgresBinaries)
    if (isRoot) {
      const id = (flag: string) => Number(Bun.spawnSync(['id', flag, 'postgres']).stdout.toString())
      chownSync(cluster.directory, id('-u'), id('-g'))
    }
    const made = Bun.spawnSync([
      ...[...AS_POSTGRES, `${cluster.bin}/initdb`, '-D', cluster.data, '-U', 'postgres', '-A', 'trust'],
      ...['-E', 'UTF8', '--locale', 'C', '--no-sync'],
    ])
    if (made.exitCode !== 0) throw new Error(`initdb: ${made.stderr.toString()}`)
    await cluster.start()
    return cluster
  }

  url(database = 'postgres'): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`
  }

  async createDatabase(): Promise<string> {
    const name = `fault_${++this.databases}`
    await this.query(this.url(), `create database ${name}`)
    return this.url(name)
  }

  async query(database: string, text: string): Promise<Record<string, unknown>[]> {
    const client = postgres(database, { max: 1, onnotice: () => {} })
    try {
      return await client.unsafe(text)
    } finally {
      await client.end()
    }
  }

  async start(): Promise<void> {
    // Only the process crashes. The kernel still has everything that the process wrote, also without fsync.
    const settings = {
      fsync: 'off',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.directory,
      // Tests that share a cluster have some twenty servers on it, of ten connections each.
      max_connections: 400,
    }
    this.server = Bun.spawn(
      [
        ...[...AS_POSTGRES, ...TETHER, `${this.bin}/postgres`, '-D', this.data, '-p', String(this.port)],
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore', cwd: this.directory },
    )
    await eventually(() => this.answers(), 'PostgreSQL answers', 30_000)
  }

  /** `pg_ctl stop -m immediate`: clients get no message, and the next start recovers. */
  async crash(): Promise<void> {
    this.server?.kill('SIGQUIT')
    await this.server?.exited
  }

  /** Stops every process of the cluster: connections stay open and nothing answers. */
  freeze(): void {
    // The parent first, because it would start new processes.
    for (const pid of this.pids()) process.kill(pid, 'SIGSTOP')
  }

  thaw(): void {
    for (const pid of this.pids().reverse()) {
      try {
        process.kill(pid, 'SIGCONT')
      } catch {
        // A worker that ended in between.
      }
    }
  }

  private pids(): number[] {
    const parent = this.server!.pid
    return [
      parent,
      ...readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ').map(Number),
    ].filter(Boolean)
  }

  private async answers(): Promise<boolean> {
    const client = postgres(this.url(), { max: 1, connect_timeout: 2 })
    try {
      await client`select 1`
      return true
    } catch {
      if (this.server!.exitCode !== null) throw new Error(`PostgreSQL ended with ${this.server!.exitCode}`)
      return false
    } finally {
      await client.end({ timeout: 0 })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.server?.exitCode === null) {
      this.thaw()
      await this.crash()
    }
    rmSync(this.directory, { recursive: true, force: true })
  }
}
