/** Environment → config → server → app → listen; signals → drain. */
import { type Config, readConfig } from './config/index.ts'
import { startEmbeddedPostgres } from './db/embedded.ts'
import type { Server } from './server.ts'
import { readArguments } from './util/arguments.ts'
import { localUrl } from './util/local-url.ts'
import { flushLog, openLogger } from './util/logger.ts'
import { exitWithMessage, StartupError } from './util/startup-error.ts'
import { onStopSignals, STOP_WAIT_MS } from './util/stop-signals.ts'

/** How long a whole stop may take, also when a part hangs. Most supervisors kill a process after five seconds or more. */
const STOP_MS = 4800

const USAGE =
  'Usage: bun start. Environment variables configure the server: docs/operations.md, "Configuration".'

try {
  readArguments({ usage: USAGE, names: [0, 0] })
  await start()
} catch (error) {
  exitWithMessage(error)
}

async function start(): Promise<void> {
  const config = readConfig(process.env)
  assertPortIsFree(config)
  const log = await openLogger(config.logLevel)
  // Starts in a worker while this thread imports the server's modules: a start takes half a second less.
  const embeddedDatabase = config.databaseUrl ? undefined : startEmbeddedPostgres(config.dataDir, log)
  // `createServer` throws the error.
  embeddedDatabase?.catch(() => {})
  const { createServer } = await import('./server.ts')
  const { createApp } = await import('./app.ts')
  const server = await createServer(config, {
    log,
    embeddedDatabase,
    onAdministratorMade: (password) =>
      console.log(
        `First administrator: ${config.admin.email}  password: ${password}  (shown only this once)`,
      ),
  })
  const app = createApp(server.ctx)
  try {
    app.listen({ port: config.port, hostname: config.host, reusePort: false })
  } catch (error) {
    await server.close()
    throw cannotListen(config, error)
  }
  announce(server, localUrl(config.host, app.server!.port!))

  const stop = async (signal: string) => {
    server.ctx.log.info({ signal }, 'draining')
    setTimeout(() => {
      server.ctx.log.error('a part did not close in time')
      process.exit(1)
    }, STOP_MS).unref()
    // Not awaited, because it resolves only when every connection is closed, and idle ones stay open.
    void app.server?.stop(false)
    await Promise.all([server.drain(), requestsEnd(app)])
    await server.close()
    await flushLog(log)
    process.exit(0)
  }
  onStopSignals(['SIGTERM', 'SIGINT', 'SIGHUP'], stop, () => process.exit(1))
}

/** Waits until no request is under way, but not longer than `STOP_WAIT_MS`. */
async function requestsEnd({ server }: { server: Bun.Server<unknown> | null }): Promise<void> {
  for (let waited = 0; (server?.pendingRequests ?? 0) > 0 && waited < STOP_WAIT_MS; waited += 50) {
    await Bun.sleep(50)
  }
}

/** Called before the database is opened, so that a start that cannot listen leaves no data behind. */
function assertPortIsFree(config: Config): void {
  try {
    Bun.serve({
      port: config.port,
      hostname: config.host,
      reusePort: false,
      fetch: () => new Response(null, { status: 503 }),
    }).stop(true)
  } catch (error) {
    throw cannotListen(config, error)
  }
}

function cannotListen({ host, port }: Config, error: unknown): StartupError {
  const { code, message } = error as { code?: string; message: string }
  const reasons: Record<string, string> = {
    EADDRINUSE: `Port ${port} is in use. Stop what listens there, or set PORT to another one.`,
    EADDRNOTAVAIL: `This machine does not have the address ${host}. Set HOST to one of its own, or to 0.0.0.0 for all of them.`,
    EACCES: `The user who runs the server may not listen on port ${port}. Set PORT to one above 1023.`,
  }
  return new StartupError(
    reasons[code ?? ''] ?? `The server can't listen on HOST ${host}, PORT ${port}: ${code ?? message}.`,
  )
}

function announce({ ctx, embedded }: Server, url: string): void {
  const parts = [
    `database: ${embedded.database ? `embedded, in ${ctx.config.dataDir}` : 'PostgreSQL'}`,
    `objects: ${embedded.storage ? `files in ${ctx.config.dataDir}` : 'S3'}`,
    `bus: ${embedded.bus ? 'embedded' : 'Redis'}`,
    `mail: ${embedded.mail ? `files in ${ctx.config.dataDir}/outbox` : 'SMTP'}`,
    `agent: ${ctx.config.llm ? ctx.config.llm.model : 'built in, without a model'}`,
  ]
  const lines = [
    `Roost listens on ${url} (process ${process.pid})`,
    `  Page:      ${url}`,
    `  API docs:  ${url}/api/docs`,
    `  Live:      ${url.replace('http', 'ws')}/ws/connect`,
    `  Parts:     ${parts.join('; ')}`,
  ]
  console.log(lines.join('\n'))
}
