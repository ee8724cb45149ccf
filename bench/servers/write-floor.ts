/**
 * The floors of `write` and `recharge`: the changes of each request, written by hand as transactions of the same driver, in the process
 * that has the connection. No HTTP, no input, no limits, no sockets.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type postgres from 'postgres'
import { readConfig } from '../../src/config/index.ts'
import { hashPassword } from '../../src/core/accounts/passwords.ts'
import { openDatabase } from '../../src/db/client.ts'
import { createLogger } from '../../src/util/logger.ts'
import { answer } from '../support/answer.ts'

const config = readConfig(process.env)
const database = await openDatabase(config, createLogger('silent'))
const sql = (database.db as unknown as { $client: postgres.Sql }).$client
const files = join(config.dataDir, 'floor')
await mkdir(files, { recursive: true })
await sql`create table if not exists bench_rows (
  id bigserial primary key, user_id integer not null, amount bigint not null, at timestamptz not null default now())`

/** The number of the new event, and the event. */
async function event(tx: postgres.TransactionSql, userId: number, type: string, data: object) {
  const [head] = await tx`
    insert into channels (user_id, last_seq) values (${userId}, 1)
    on conflict (user_id) do update set last_seq = channels.last_seq + 1 returning last_seq`
  await tx`
    insert into events (user_id, seq, type, data, at)
    values (${userId}, ${head!.last_seq}, ${type}, ${JSON.stringify(data)}::text::json, clock_timestamp())`
}

const transactions = {
  task: (userId: number) =>
    sql.begin(async (tx) => {
      const [task] = await tx`
        insert into tasks (uuid, user_id, kind, title, course_ids)
        values (${Bun.randomUUIDv7()}, ${userId}, 'study', 'bench', '["1"]'::jsonb) returning *`
      const data = {
        task_id: task!.uuid,
        id: task!.id,
        status: 'pending',
        progress: 0,
        title: 'bench',
        attempt: 0,
      }
      await event(tx, userId, 'task.created', data)
    }),
  taskAsOneStatement: (userId: number) => sql`
    with task as (
      insert into tasks (uuid, user_id, kind, title, course_ids)
      values (${Bun.randomUUIDv7()}, ${userId}, 'study', 'bench', '["1"]'::jsonb) returning *
    ), head as (
      insert into channels (user_id, last_seq) values (${userId}, 1)
      on conflict (user_id) do update set last_seq = channels.last_seq + 1 returning last_seq
    )
    insert into events (user_id, seq, type, data, at)
    select task.user_id, head.last_seq, 'task.created',
      json_build_object('task_id', task.uuid, 'id', task.id, 'status', task.status, 'title', task.title),
      clock_timestamp()
    from task, head returning seq`,
  /** The least that moves money: the two sides of a transfer and what it belongs to, without any check. */
  threeRows: (userId: number) =>
    sql.begin(async (tx) => {
      for (let row = 0; row < 3; row++)
        await tx`insert into bench_rows (user_id, amount) values (${userId}, ${1000})`
    }),
  signUp: async () => {
    const name = `floor${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`
    const passwordHash = await hashPassword(name)
    await sql.begin(async (tx) => {
      const [user] = await tx`
        insert into users (uuid, username, display_name, email, email_key, username_key, username_look,
          username_typed_look, search_key, password_hash, role, last_login_at)
        values (${Bun.randomUUIDv7()}, ${name}, ${name}, ${`${name}@example.com`}, ${`${name}@example.com`}, ${name},
          ${name}, ${name}, ${name}, ${passwordHash}, 'user', now()) returning *`
      const session = Bun.randomUUIDv7()
      await tx`
        insert into sessions (id, user_id, user_agent, ip, expires_at)
        values (${session}, ${user!.id}, 'bench', '127.0.0.1', now() + interval '30 days')`
      await tx`insert into refresh_tokens (hash, session_id) values (${crypto.randomUUID()}, ${session})`
    })
  },
  message: async (userId: number) => {
    const [session, run] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
    await sql.begin(async (tx) => {
      await tx`insert into agent_sessions (id, user_id, title) values (${session}, ${userId}, 'bench')`
      await tx`
        insert into agent_runs (id, session_id, status, first_seq) values (${run}, ${session}, 'running', 1)`
      await tx`
        insert into agent_messages (id, session_id, run_id, role, content)
        values (${Bun.randomUUIDv7()}, ${session}, ${run}, 'user', 'hello')`
    })
    await frames(sql, session, run, 1)
    await sql.begin(async (tx) => {
      await tx`update agent_runs set status = 'completed', ended_at = now() where id = ${run}`
      await frames(tx, session, run, 4)
      await tx`
        insert into agent_messages (id, session_id, run_id, role, content)
        values (${Bun.randomUUIDv7()}, ${session}, ${run}, 'assistant', 'hello to you too')`
      await tx`update agent_sessions set last_seq = 6, updated_at = now() where id = ${session}`
      await event(tx, userId, 'agent.run_finished', { session_id: session, run_id: run, status: 'completed' })
    })
  },
  upload: async (userId: number) => {
    const path = `materials/${userId}/${Bun.randomUUIDv7()}.mp4`
    const id = await sql.begin(async (tx) => {
      const [material] = await tx`
        insert into materials (user_id, title, type, file_format, file_path, status)
        values (${userId}, 'bench', 'video', 'mp4', ${path}, 'processing') returning *`
      await event(tx, userId, 'upload.started', { material_id: material!.id, title: 'bench', type: 'video' })
      return material!.id as number
    })
    await Bun.write(join(files, `${id}.mp4`), UPLOAD)
    await sql.begin(async (tx) => {
      await tx`update materials set status = 'active', file_size = ${UPLOAD.byteLength}, updated_at = now()
        where id = ${id} returning *`
      await event(tx, userId, 'upload.completed', { material_id: id, title: 'bench', type: 'video' })
      await tx`insert into pgboss.job (name, data) values ('thumbnail', ${JSON.stringify({ material: id })}::text::jsonb)`
    })
  },
}
export type Transaction = keyof typeof transactions

/** Three frames from `first` on. */
const frames = (on: postgres.ISql, session: string, run: string, first: number) => {
  const delta = JSON.stringify({ type: 'TEXT_MESSAGE_CONTENT', delta: 'hello to you too' })
  return on`
    insert into agent_frames (session_id, seq, run_id, event)
    select ${session}, ${first}::int + n, ${run}, ${delta}::text::json from generate_series(0, 2) n`
}

const UPLOAD = Buffer.alloc(4096, 'x')

const handlers = answer({
  /** Runs this many transactions at a time, for this long. @returns how many, and how many a second */
  async run(name: Transaction, userIds: number[], inFlight: number, ms: number) {
    let [done, running] = [0, true]
    const startedAt = performance.now()
    const lanes = Array.from({ length: inFlight }, async (_, lane) => {
      const own = userIds.filter((_, n) => n % inFlight === lane)
      for (let n = 0; running; n++) {
        await transactions[name](own[n % own.length]!)
        done++
      }
    })
    await Bun.sleep(ms)
    running = false
    await Promise.all(lanes)
    return { perSecond: (done * 1000) / (performance.now() - startedAt), done }
  },
})
export type WriteFloor = typeof handlers

process.on('SIGTERM', async () => {
  await database.close()
  process.exit(0)
})
