/** Environment → config → context → app → listen; signals → drain. */
import { createApp } from './app.ts'
import { ConfigError, readConfig } from './config.ts'
import { type Context, createContext } from './context.ts'
import { StartupError } from './util/startup-error.ts'

/** How long requests that are under way at a stop may take. */
const REQUESTS_MS = 3000
/** And the whole stop, also when a part hangs: whoever asked would kill the process soon after. */
const STOP_MS = 4800

try {
  await start()
} catch (error) {
  if (!(error instanceof StartupError || error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exit(1)
}

async function start(): Promise<void> {
  const config = readConfig(process.env)
  const context = await createContext(config)
  const app = createApp(context)
  try {
    app.listen({ port: config.port, hostname: config.host, reusePort: false })
  } catch (error) {
    await context.close()
    const { code, message } = error as { code?: string; message: string }
    throw new StartupError(
      code === 'EADDRINUSE'
        ? `Port ${config.port} is in use. Stop what listens there, or set PORT to another one.`
        : `The server can't listen on HOST ${config.host}, PORT ${config.port}: ${code ?? message}.`,
    )
  }
  announce(context, `http://localhost:${app.server!.port}`)

  let stopping = false
  const stop = async (signal: string) => {
    // A second signal does not wait.
    if (stopping) process.exit(1)
    stopping = true
    context.core.log.info({ signal }, 'draining')
    setTimeout(() => {
      context.core.log.error('a part did not close in time')
      process.exit(1)
    }, STOP_MS).unref()
    // Not awaited: it resolves only when every connection is gone, and idle ones need not go.
    void app.server?.stop(false)
    await context.drain()
    for (let waited = 0; (app.server?.pendingRequests ?? 0) > 0 && waited < REQUESTS_MS; waited += 50) {
      await Bun.sleep(50)
    }
    await context.close()
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

function announce({ core, embedded, madePassword }: Context, url: string): void {
  const parts = [
    `database: ${embedded.database ? `embedded, in ${core.config.dataDir}` : 'PostgreSQL'}`,
    `objects: ${embedded.storage ? `files in ${core.config.dataDir}` : 'S3'}`,
    `bus: ${embedded.bus ? 'embedded' : 'Redis'}`,
    `mail: ${embedded.mail ? `files in ${core.config.dataDir}/outbox` : 'SMTP'}`,
    `agent: ${core.config.llm ? core.config.llm.model : 'built in, without a model'}`,
  ]
  const lines = [
    `Roost listens on ${url}`,
    `  API docs:  ${url}/api/docs`,
    `  Live:      ${url.replace('http', 'ws')}/ws/connect`,
    `  Parts:     ${parts.join('; ')}`,
  ]
  if (madePassword) {
    lines.push(
      `  First administrator: ${core.config.admin.email}  password: ${madePassword}  (shown only this once)`,
    )
  }
  console.log(lines.join('\n'))
}
