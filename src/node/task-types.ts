import { accessSync, constants, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StartupError } from '../util/startup-error.ts'
import type { NodeConfig } from './config.ts'
import type { NodeOptions } from './options.ts'
import type { TaskProgram } from './runner.ts'

const DEFAULT_MAX_DOWNLOAD_BYTES = 500 * 1024 * 1024
const VIDEO_TIMEOUT_SECONDS = 2 * 3600

/** The task types of this node: the built-in ones, then the configured ones, which may replace built-in ones. */
export function taskPrograms(config: NodeConfig, options: NodeOptions): Map<string, TaskProgram> {
  const programs = new Map<string, TaskProgram>()
  const builtin = (name: string, args: string[] = []) => [
    process.execPath,
    // A task must not read the `.env` of the directory in which the node was started.
    '--no-env-file',
    join(import.meta.dir, 'builtin', `${name}.ts`),
    ...args,
  ]
  programs.set('test', { command: builtin('test'), env: options.taskEnv })
  const tools = findFfmpeg(options.ffmpeg)
  if (tools) {
    const settings = {
      ...tools,
      maxDownloadBytes: config.max_download_bytes ?? DEFAULT_MAX_DOWNLOAD_BYTES,
      allowPrivate: options.allowPrivateEgress,
    }
    programs.set('video_analysis', {
      command: builtin('video-analysis', [JSON.stringify(settings)]),
      timeout_seconds: VIDEO_TIMEOUT_SECONDS,
      files: [tools.ffmpeg, tools.ffprobe],
      env: options.taskEnv,
    })
  }
  for (const [type, { command, timeout_seconds, gpus, env = {} }] of Object.entries(config.tasks ?? {}))
    programs.set(type, {
      command,
      timeout_seconds,
      gpus,
      files: filesIn(command),
      env: { ...options.taskEnv, ...chosen(env, options.nodeEnv) },
    })
  return programs
}

/** `python3 train.py` cannot start without train.py, although python3 exists. */
const filesIn = (command: string[]): string[] => command.slice(1).filter(isFile)

function isFile(argument: string): boolean {
  try {
    return statSync(argument).isFile()
  } catch {
    return false
  }
}

function chosen(env: Record<string, string | true>, nodeEnv: NodeOptions['nodeEnv']): Record<string, string> {
  const values = Object.entries(env).map(([name, value]) => [name, value === true ? nodeEnv[name] : value])
  return Object.fromEntries(values.filter(([, value]) => value !== undefined))
}

/**
 * @returns both programs, because `video_analysis` needs both, or undefined.
 * @throws StartupError when the operator named one that does not exist
 */
function findFfmpeg(named: string | undefined): { ffmpeg: string; ffprobe: string } | undefined {
  const ffmpeg = named ?? Bun.which('ffmpeg')
  if (named !== undefined && !isExecutable(named))
    throw new StartupError(`FFMPEG_PATH: ${named} is no program`)
  if (!ffmpeg) return undefined
  const ffprobe = join(dirname(ffmpeg), 'ffprobe')
  return isExecutable(ffprobe) ? { ffmpeg, ffprobe } : undefined
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
