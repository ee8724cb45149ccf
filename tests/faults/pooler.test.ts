/** A pooler between server and database. Transactions on changing connections would lose statements and locks. */
import { expect, test } from 'bun:test'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { openDatabase } from '../../src/db/client.ts'
import { createLogger } from '../../src/util/logger.ts'
import { NO_POSTGRES, PostgresCluster, postgresBinaries } from '../support/postgres.ts'
import { eventually, freePort, temporaryDirectory } from '../support/process.ts'

const PGBOUNCER = '/usr/sbin/pgbouncer'
const missing = !existsSync(PGBOUNCER) || !postgresBinaries
if (missing) console.log(`skipped: a pooler before the database: no ${PGBOUNCER}, or ${NO_POSTGRES}`)

/** Startup parameters of the server that PgBouncer does not know. */
const IGNORED =
  'statement_timeout,idle_in_transaction_session_timeout,tcp_keepalives_idle,tcp_keepalives_interval,tcp_keepalives_count,tcp_user_timeout'

async function pooled(stack: AsyncDisposableStack, mode: 'session' | 'transaction', more = '') {
  const cluster = stack.use(await PostgresCluster.start())
  const url = new URL(await cluster.createDatabase())
  const directory = temporaryDirectory('pgbouncer')
  stack.defer(() => rmSync(directory, { recursive: true, force: true }))
  const port = freePort()
  const file = join(directory, 'pgbouncer.ini')
  const settings = [
    '[databases]',
    `* = host=127.0.0.1 port=${url.port} user=postgres`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${mode}`,
    `ignore_startup_parameters = ${IGNORED}`,
    more,
  ]
  writeFileSync(file, settings.join('\n'))
  Bun.spawnSync(['chmod', '-R', 'a+rX', directory])
  const program = Bun.spawn([PGBOUNCER, '-q', '-u', 'nobody', file], { stdout: 'ignore', stderr: 'ignore' })
  stack.defer(async () => {
    program.kill('SIGKILL')
    await program.exited
  })
  await eventually(async () => {
    const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } }).catch(
      () => undefined,
    )
    socket?.end()
    return socket !== undefined
  }, 'PgBouncer listens')
  url.port = String(port)
  return openDatabase({ databaseUrl: url.href, dataDir: '' }, createLogger('silent'))
}

test.skipIf(missing)('in session mode is used like the database itself', async () => {
  await using stack = new AsyncDisposableStack()
  const database = await pooled(stack, 'session')
  stack.defer(() => database.close())
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      database.db.transaction(async (tx) => {
        const [row] = await tx.execute<{ n: number }>(sql`select ${n}::int as n`)
        return row!.n
      }),
    ),
  )
  expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => n))
})

for (const more of ['', 'server_round_robin = 1\nmin_pool_size = 4']) {
  test.skipIf(missing)(
    `in transaction mode is refused, with what to set (${more || 'by default'})`,
    async () => {
      await using stack = new AsyncDisposableStack()
      await expect(pooled(stack, 'transaction', more)).rejects.toThrow('set pool_mode=session')
    },
  )
}
