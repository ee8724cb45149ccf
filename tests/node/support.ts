import { afterEach, expect } from 'bun:test'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '../../src/node/log.ts'
import { GpuNode, type NodeSettings } from '../../src/node/node.ts'
import type { TaskProgram } from '../../src/node/runner.ts'
import { FakeServer, TOKEN } from './fake-server.ts'

const cleanUps: (() => unknown)[] = []
/** Closes after a test what it opened, last opened first. */
export function later(cleanUp: () => unknown): void {
  cleanUps.push(cleanUp)
}

/**
 * Every file that uses this module calls this, because a hook of a shared module belongs only to the first file that
 * loads it.
 */
export function cleanUpAfterEach(): void {
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })
}

export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'roost-node-test-'))
  later(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export function fakeServer(options?: ConstructorParameters<typeof FakeServer>[0]): FakeServer {
  const server = new FakeServer(options)
  later(() => {
    server.stop()
    expect(server.problems).toEqual([])
  })
  return server
}

/** A program that takes the place of nvidia-smi. */
export function nvidiaSmi(script: string): string {
  const path = join(temporaryDirectory(), 'nvidia-smi')
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

const PATH = process.env.PATH ?? ''
export const shell = (script: string, more: Partial<TaskProgram> = {}): TaskProgram => ({
  command: ['sh', '-c', script],
  env: { PATH },
  ...more,
})

export const silentLog: Log = { info() {}, warn() {}, error() {} }

/** A log whose lines the test reads: `warn the message`. */
export function keptLog(): { log: Log; lines: string[] } {
  const lines: string[] = []
  const keep = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
  return { log: { info: keep('info'), warn: keep('warn'), error: keep('error') }, lines }
}

/** A node in this process, connected to `server`. */
export const startNode = (
  server: FakeServer,
  programs: Record<string, TaskProgram>,
  settings: Partial<NodeSettings> = {},
  log: Log = silentLog,
): Promise<GpuNode> => startNodeAt(server.url, programs, settings, log)

export async function startNodeAt(
  url: string,
  programs: Record<string, TaskProgram>,
  settings: Partial<NodeSettings> = {},
  log: Log = silentLog,
): Promise<GpuNode> {
  const stateDir = settings.stateDir ?? temporaryDirectory()
  const node = await GpuNode.start(
    {
      server: url,
      socketUrl: `${url.replace('http', 'ws')}/ws/node`,
      token: TOKEN,
      name: 'gpu-01',
      stateDir,
      nvidiaSmi: '/nonexistent/nvidia-smi',
      programs: new Map(Object.entries(programs)),
      maxConcurrentTasks: 2,
      repeatResultsMs: 100,
      onRefused: () => {},
      ...settings,
    },
    log,
  )
  later(async () => {
    node.close()
    while (filesIn(join(stateDir, 'running')).length > 0) await Bun.sleep(5)
  })
  return node
}

/** The node program as a process. */
export function runNode(args: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, '--no-env-file', 'src/node/main.ts', ...args], {
    cwd: join(import.meta.dir, '../..'),
    env: {
      PATH,
      HOME: process.env.HOME ?? '',
      NVIDIA_SMI_PATH: '/nonexistent/nvidia-smi',
      TMPDIR: temporaryDirectory(),
      ...env,
    },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let stdout = ''
  const reading = (async () => {
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) stdout += chunk
  })()
  const stderr = child.stderr.text()
  later(async () => {
    child.kill('SIGKILL')
    await child.exited
  })
  return {
    child,
    /** The exit code and all output. */
    finished: async () => {
      await reading
      return { code: await child.exited, stdout, stderr: await stderr }
    },
    /** Resolves when `text` is on the standard output. */
    said: async (text: string) => {
      for (let tries = 0; !stdout.includes(text); tries++) {
        if (tries > 1000) throw new Error(`never said '${text}' but ${stdout}`)
        await Bun.sleep(5)
      }
    },
  }
}

export const connectArgs = (server: FakeServer, stateDir: string, ...more: string[]) => [
  ...['--server', server.url, '--state', stateDir],
  ...more,
]
export const tokenEnv = { ROOST_NODE_TOKEN: TOKEN }

/** Whether a process runs. A dead process that was not reaped does not run. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat[stat.lastIndexOf(')') + 2] !== 'Z'
  } catch {
    return false
  }
}

export async function gone(pids: number[]): Promise<void> {
  const deadline = performance.now() + 5000
  while (pids.some(isRunning)) {
    if (performance.now() > deadline) throw new Error(`still running: ${pids.filter(isRunning)}`)
    await Bun.sleep(10)
  }
}

export const filesIn = (dir: string): string[] => readdirSync(dir)
