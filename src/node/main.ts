import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { acquireFileLock } from '../util/file-lock.ts'
import { StartupError } from '../util/startup-error.ts'
import { onStopSignals } from '../util/stop-signals.ts'
import { readConfig } from './config.ts'
import { consoleLog as log, surviveLostReaders } from './log.ts'
import { GpuNode } from './node.ts'
import { defaultName, type NodeOptions, readOptions, USAGE } from './options.ts'
import { taskPrograms } from './task-types.ts'

/** Long enough to send the last frames and the close frame. */
const GOODBYE_MS = 200

async function start(options: NodeOptions): Promise<GpuNode> {
  const config = await readConfig(options.configFile)
  const programs = taskPrograms(config, options)
  if (!programs.has('video_analysis')) log.info('no ffmpeg and ffprobe found: video_analysis is not offered')
  lockStateDir(options.stateDir)
  return GpuNode.start(
    {
      ...options,
      name: options.name ?? config.name ?? defaultName(),
      programs,
      maxConcurrentTasks: config.max_concurrent_tasks,
      onRefused: (message) => fail(message),
    },
    log,
  )
}

/** The lock lasts as long as the process. */
function lockStateDir(dir: string): void {
  let lock: ReturnType<typeof acquireFileLock>
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    lock = acquireFileLock(join(dir, 'lock.sqlite'))
  } catch (error) {
    throw new StartupError(`state directory ${dir}: ${(error as Error).message}`)
  }
  if (!lock) throw new StartupError(`another node program uses ${dir}: stop it, or give --state DIR`)
}

/** The first signal starts a drain; a later one stops at once. */
function stopOnSignals(node: GpuNode, drainTimeoutMs: number): void {
  const exit = async (code: number) => {
    node.close()
    await Bun.sleep(GOODBYE_MS)
    process.exit(code)
  }
  const giveUp = () => {
    const { running, unacknowledged } = node.held
    if (unacknowledged > 0) log.warn(`${unacknowledged} results unacknowledged: kept for the next start`)
    if (running > 0) log.warn(`${running} tasks killed: the server gives them to another node`)
    return exit(running > 0 ? 1 : 0)
  }
  const stop = async (signal: NodeJS.Signals) => {
    const { running } = node.held
    log.info(`${signal}: no new tasks; waiting for ${running} running. Again to stop at once`)
    const timer = setTimeout(giveUp, drainTimeoutMs)
    await node.drain()
    clearTimeout(timer)
    await exit(0)
  }
  onStopSignals(['SIGTERM', 'SIGINT', 'SIGHUP'], stop, giveUp)
  // The tasks end with the program, however it ends, except by kill -9.
  process.on('exit', () => node.close())
}

function fail(message: string): never {
  process.stderr.write(`roost node: ${message}\n`)
  process.exit(1)
}

surviveLostReaders()
try {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options === 'help') console.log(USAGE)
  else stopOnSignals(await start(options), options.drainTimeoutMs)
} catch (error) {
  if (error instanceof StartupError) fail(error.message)
  throw error
}
