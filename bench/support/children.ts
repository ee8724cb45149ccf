/** The processes of a measurement. Each is ended by its own pid, at the latest when this one ends. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

type Handlers = Record<string, (...args: never[]) => unknown>

/** A process that answers calls (`answer.ts`); `H` is the type of its handlers. */
export interface Worker<H extends Handlers> {
  pid: number
  call<K extends keyof H & string>(name: K, ...args: Parameters<H[K]>): Promise<Awaited<ReturnType<H[K]>>>
  stop(): Promise<void>
}

const BENCH = join(import.meta.dir, '..')
const GRACE_MS = 10_000
const START_MS = 60_000
const POLL_MS = 10
/** The limit of a call, so that every program ends. */
const CALL_MS = 120_000
const running = new Set<Bun.Subprocess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** One processor for the measured server and one for its load, so that neither takes time from the other. */
export type Processor = 'server' | 'load'
const PROCESSORS: Record<Processor, number> = { server: 0, load: 1 }
const pinned = (processor: Processor | undefined, command: string[]): string[] =>
  processor === undefined ? command : ['taskset', '-c', String(PROCESSORS[processor]), ...command]

/** Starts `bench/<file>` and talks to it. */
export function startWorker<H extends Handlers>(
  file: string,
  env: Record<string, string> = {},
  processor?: Processor,
): Worker<H> {
  const waiting = new Map<number, PromiseWithResolvers<never>>()
  let calls = 0
  const child = Bun.spawn(pinned(processor, ['bun', join(BENCH, file)]), {
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'inherit',
    ipc({ id, result, error }: { id: number; result: never; error?: string }) {
      const { resolve, reject } = waiting.get(id)!
      waiting.delete(id)
      if (error === undefined) resolve(result)
      else reject(new Error(`${file}: ${error}`))
    },
    onExit(_child, code) {
      for (const { reject } of waiting.values()) reject(new Error(`${file} ended with ${code}`))
    },
  })
  track(child)
  return {
    pid: child.pid,
    call(name, ...args) {
      const id = ++calls
      const answer = Promise.withResolvers<never>()
      waiting.set(id, answer)
      child.send({ id, name, args })
      const timer = setTimeout(() => answer.reject(new Error(`${file}: ${name} took too long`)), CALL_MS)
      return answer.promise.finally(() => clearTimeout(timer))
    },
    stop: () => end(child),
  }
}

export interface Server {
  pid: number
  port: number
  /** From the start of the process to the first answer of `/health`, in milliseconds. */
  startMs: number
  /** Collects garbage, so that a memory reading shows what is in use. */
  gc(): Promise<void>
  stop(): Promise<void>
}

/** The server as in production, with its request log (to /dev/null), on a port and a data directory of its own. */
export async function startRoost(env: Record<string, string>, processor?: Processor): Promise<Server> {
  const port = freePort()
  const startedAt = performance.now()
  const child = Bun.spawn(
    pinned(processor, [
      'bun',
      '--preload',
      join(BENCH, 'support/gc-on-signal.ts'),
      join(BENCH, '../src/main.ts'),
    ]),
    {
      env: { ...process.env, ...env, HOST: '127.0.0.1', PORT: String(port) },
      stdin: 'ignore',
      stdout: Bun.file('/dev/null'),
      stderr: 'inherit',
    },
  )
  track(child)
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${port}/health`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) break
    if (performance.now() - startedAt > START_MS || child.exitCode !== null) {
      throw new Error('the server did not start')
    }
    await Bun.sleep(POLL_MS)
  }
  return {
    pid: child.pid,
    port,
    startMs: performance.now() - startedAt,
    async gc() {
      child.kill('SIGUSR2')
      await Bun.sleep(1000)
    },
    stop: () => end(child),
  }
}

/** The Socket.IO server of `bench/socket-io`, on Node. Its packages are installed there when they are missing. */
export async function startSocketIo(
  env: Record<string, string>,
  processor?: Processor,
): Promise<Omit<Server, 'gc' | 'startMs'>> {
  const cwd = join(BENCH, 'socket-io')
  if (!existsSync(join(cwd, 'node_modules'))) {
    const installed = Bun.spawnSync(['bun', 'install', '--frozen-lockfile'], { cwd })
    if (!installed.success) throw new Error(`bun install in ${cwd} failed: ${installed.stderr}`)
  }
  const child = Bun.spawn(pinned(processor, ['node', 'server.js']), {
    cwd,
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  track(child)
  for await (const line of child.stdout) {
    return { pid: child.pid, port: Number(new TextDecoder().decode(line)), stop: () => end(child) }
  }
  throw new Error('the Socket.IO server did not start')
}

function track(child: Bun.Subprocess): void {
  running.add(child)
  void child.exited.then(() => running.delete(child))
}

async function end(child: Bun.Subprocess): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  await child.exited
  clearTimeout(timer)
}

function freePort(): number {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  return port
}
