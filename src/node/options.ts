import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { cutText } from '../util/cut.ts'
import { StartupError } from '../util/startup-error.ts'

export const USAGE = `Usage: bun run node --server URL [options]

  --server URL           the Roost server, http(s):// or ws(s)://
  --token TOKEN          the node token; better given as ROOST_NODE_TOKEN: arguments are visible to other users
  --config FILE          JSON: the task types that this node runs
  --state DIR            results not yet acknowledged (default: ./data/node/<hash of server and token>)
  --name NAME            for the lines of this program (default: the config's name, or the host name); the server shows the
                         name under which the node is registered
  --drain-timeout SEC    how long SIGTERM and SIGINT wait for running tasks (default: 600); one more, at least 2 s later, stops at once
  --help

Config file:
  { "name": "gpu-01", "max_concurrent_tasks": 2, "max_download_bytes": 524288000,
    "tasks": { "<task_type>": { "command": ["program", "argument"], "timeout_seconds": 3600, "gpus": 1, "env": {} } } }
  A command is started without a shell, in the directory where the node was started. It gets the task as JSON on
  standard input and writes JSON lines: {"progress": 45.5, "current_item": "..."}, {"log": {"level": "INFO",
  "message": "..."}}, {"result": {...}}, {"error": "..."}. TMPDIR is its own and is removed when it ends.
  "gpus": how many GPUs a task gets (default 1), in CUDA_VISIBLE_DEVICES and as "gpus" in its JSON.
  "env": { "NAME": "value", "OTHER": true } sets NAME and passes the node's own OTHER on. Without it, a task sees PATH,
  HOME, LANG, LD_LIBRARY_PATH, PYTHONUNBUFFERED=1 and the variables of CUDA.

Environment: ROOST_NODE_TOKEN, NVIDIA_SMI_PATH, CUDA_VISIBLE_DEVICES (the GPUs of this node: numbers or UUIDs),
FFMPEG_PATH (ffprobe is looked for beside it), ALLOW_PRIVATE_EGRESS=1 (video_url may name private addresses).`

export interface NodeOptions {
  /** The server in messages for people. The socket's address is `socketUrl`. */
  server: string
  socketUrl: string
  token: string
  configFile: string | undefined
  stateDir: string
  name: string | undefined
  drainTimeoutMs: number
  nvidiaSmi: string
  ffmpeg: string | undefined
  allowPrivateEgress: boolean
  /** The GPUs that this node may use. Undefined: all. */
  visibleDevices: string | undefined
  /** The part of the node's environment that every task gets. It never contains the token. */
  taskEnv: Record<string, string>
  /** Variables that the configuration may pass on to tasks by name. */
  nodeEnv: Readonly<Record<string, string | undefined>>
}

/**
 * Command line and environment, the only place of the node program that reads either. 'help' when asked for it. Throws
 * StartupError.
 */
export function readOptions(argv: string[], env: NodeJS.ProcessEnv): NodeOptions | 'help' {
  const values = parsedArgs(argv)
  if (values.help) return 'help'

  const problems: string[] = []
  const server = serverUrl(values.server, problems)
  const token = values.token ?? env[TOKEN_VARIABLE] ?? ''
  if (token === '') problems.push('no token: set ROOST_NODE_TOKEN or give --token')
  else if (!/^[\x21-\x7e]{1,4096}$/.test(token))
    problems.push('the token contains characters that no token has')
  const drainTimeout = Number(values['drain-timeout'] ?? 600)
  if (!(drainTimeout >= 0 && drainTimeout <= 1_000_000))
    problems.push('--drain-timeout: seconds, 0 to 1000000')
  if (values.name !== undefined && !(values.name.length >= 1 && values.name.length <= 100))
    problems.push('--name: 1 to 100 characters')
  if (!server || problems.length > 0) throw new StartupError(problems.join('; '))

  const identity = createHash('sha256').update(server.href).update(token).digest('hex').slice(0, 12)
  const socket = new URL(`${server.href.replace(/\/$/, '')}/ws/node`)
  socket.protocol = server.protocol.replace('http', 'ws')
  return {
    server: server.href.replace(/\/$/, ''),
    socketUrl: socket.href,
    token,
    configFile: values.config,
    stateDir: resolve(values.state ?? join('data', 'node', identity)),
    name: values.name,
    drainTimeoutMs: drainTimeout * 1000,
    nvidiaSmi: env.NVIDIA_SMI_PATH || 'nvidia-smi',
    ffmpeg: env.FFMPEG_PATH || undefined,
    allowPrivateEgress: env.ALLOW_PRIVATE_EGRESS === '1',
    visibleDevices: env.CUDA_VISIBLE_DEVICES,
    taskEnv: taskEnvironment(env),
    nodeEnv: env,
  }
}

/** Variables that no task gets, also not by the configuration. */
export const TOKEN_VARIABLE = 'ROOST_NODE_TOKEN'
const PASSED_ON = new Set([
  'PATH',
  'HOME',
  'LANG',
  'LD_LIBRARY_PATH',
  'NVIDIA_VISIBLE_DEVICES',
  'NVIDIA_DRIVER_CAPABILITIES',
  'NVIDIA_TF32_OVERRIDE',
])
/** The node sets these for every task by the task's GPUs. */
const isCuda = (name: string): boolean =>
  name.startsWith('CUDA_') &&
  name !== 'CUDA_VISIBLE_DEVICES' &&
  !/TOKEN|SECRET|PASSWORD|CREDENTIAL|_KEY/.test(name)

/** Variables for every task. Python must write its output at once, because progress would come late otherwise. */
function taskEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const passed = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (PASSED_ON.has(entry[0]) || isCuda(entry[0])),
  )
  return { ...Object.fromEntries(passed), PYTHONUNBUFFERED: '1' }
}

export const defaultName = (): string => cutText(hostname(), 100) || 'node'

function parsedArgs(argv: string[]) {
  const string = { type: 'string' } as const
  try {
    return parseArgs({
      args: argv,
      options: {
        server: string,
        token: string,
        config: string,
        state: string,
        name: string,
        'drain-timeout': string,
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new StartupError(`${(error as Error).message} (--help shows the options)`)
  }
}

/** The server's base URL as http(s), so that one server has one name however the operator wrote it. */
function serverUrl(value: string | undefined, problems: string[]): URL | undefined {
  if (!value) {
    problems.push('no server: give --server URL')
    return undefined
  }
  // The address of the socket means the same server.
  const url = URL.parse(value.replace(/^ws/i, 'http').replace(/\/ws\/node\/?$/, ''))
  if (url && /^https?:$/.test(url.protocol) && url.hostname && !url.username && !url.search && !url.hash)
    return url
  problems.push(
    `--server: a URL such as https://roost.example.org, without credentials or query; not '${withoutCredentials(value)}'`,
  )
  return undefined
}

/** A password in a URL must not reach a terminal or a log. */
const withoutCredentials = (url: string): string => url.replace(/\/\/[^/]*@/, '//…@').replace(/\?.*$/, '')
