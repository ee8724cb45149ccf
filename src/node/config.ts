import { readFile } from 'node:fs/promises'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { TaskType } from '../protocol/node/node-frames.ts'
import { StartupError } from '../util/startup-error.ts'
import { TOKEN_VARIABLE } from './options.ts'

const strict = { additionalProperties: false }

// setTimeout fires at once beyond 2^31 ms (24.8 days).
const MAX_TIMEOUT_SECONDS = 20 * 86_400

const TaskCommand = Type.Object(
  {
    /** The node runs the command without a shell, in its own working directory. */
    command: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
    timeout_seconds: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: MAX_TIMEOUT_SECONDS })),
    /** How many GPUs a task gets. Default 1; 0 hides them all. */
    gpus: Type.Optional(Type.Integer({ minimum: 0, maximum: 128 })),
    /** A value, or `true` for the value of the node's own variable. A list of names means `true` for each. */
    env: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }),
        Type.Union([Type.String(), Type.Literal(true)]),
        strict,
      ),
    ),
  },
  strict,
)

const NodeConfig = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    /** Default: one for each GPU, at least one. */
    max_concurrent_tasks: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    /** Largest video that the built-in `video_analysis` fetches, in bytes. Default: 500 MB. */
    max_download_bytes: Type.Optional(Type.Integer({ minimum: 1 })),
    tasks: Type.Optional(Type.Record(TaskType, TaskCommand, { ...strict, maxProperties: 98 })),
  },
  strict,
)
export type NodeConfig = Static<typeof NodeConfig>

/** Reads and checks the config file. Throws StartupError that names every mistake in it. */
export async function readConfig(path: string | undefined): Promise<NodeConfig> {
  if (path === undefined) return {}
  let value: unknown
  try {
    value = withNamedVariables(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    throw new StartupError(`config ${path}: ${(error as Error).message}`)
  }
  const problems = new Map<string, string>()
  for (const { path: place, message } of Value.Errors(NodeConfig, value))
    if (!problems.has(place)) problems.set(place, message)
  if (problems.size === 0) {
    for (const [type, { command, env = {} }] of Object.entries((value as NodeConfig).tasks ?? {})) {
      if (!Bun.which(command[0] ?? ''))
        problems.set(`/tasks/${type}/command/0`, `no program '${command[0]}' found`)
      if (env[TOKEN_VARIABLE] === true)
        problems.set(`/tasks/${type}/env/${TOKEN_VARIABLE}`, 'tasks never see the token of the node')
    }
  }
  if (problems.size === 0) return value as NodeConfig
  const list = [...problems].map(
    ([place, message]) => `${place.slice(1).replaceAll('/', '.') || 'file'}: ${message}`,
  )
  throw new StartupError(`config ${path}: ${list.join('; ')}`)
}

/** `"env": ["HF_HOME"]` is short for `"env": {"HF_HOME": true}`. */
function withNamedVariables(value: unknown): unknown {
  const tasks = (value as { tasks?: unknown } | null)?.tasks
  if (typeof tasks !== 'object' || tasks === null) return value
  for (const task of Object.values(tasks) as { env?: unknown }[])
    if (Array.isArray(task?.env)) task.env = Object.fromEntries(task.env.map((name) => [String(name), true]))
  return value
}
