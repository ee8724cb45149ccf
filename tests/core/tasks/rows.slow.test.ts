import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'

const MIGRATIONS = join(import.meta.dir, '../../../drizzle')
const files = readdirSync(MIGRATIONS)
  .filter((name) => name.endsWith('.sql'))
  .sort()
const here = files.findIndex((name) => name.endsWith('_task_failures_and_node_sockets.sql'))

test('tasks, logs and nodes from before the migration stay the same', async () => {
  await using database = new PGlite()
  const migrate = async (names: string[]) => {
    for (const name of names) await database.exec(readFileSync(join(MIGRATIONS, name), 'utf8'))
  }
  await migrate(files.slice(0, here))
  await database.exec(`
    insert into users (id, uuid, email, username, display_name, password_hash)
      values (1, gen_random_uuid(), 'a@example.com', 'abc', 'A', 'x');
    insert into nodes (id, uuid, name, host, token_hash, max_concurrent_tasks, online, last_heartbeat_at)
      values (1, gen_random_uuid(), 'gpu-1', 'h', 'x', 1, true, now());
    insert into tasks (id, uuid, user_id, kind, title, task_type, config, result, status, error_message, node_id)
      values (9, gen_random_uuid(), 1, 'gpu', 't', 'test', '{"seed": 9007199254740993, "lr": 0.1}', '{"a": [1, "二"]}',
        'failed', 'The node did not answer', 1);
    insert into task_logs (task_id, attempt, level, message) values (9, 1, 'WARNING', 'The node did not answer');`)
  await migrate(files.slice(here))
  const { rows } = await database.query(`
    select config::text as config, result::text as result, error_message, failure_code, failure_params, lost_by
    from tasks`)
  expect(rows).toEqual([
    {
      config: '{"lr": 0.1, "seed": 9007199254740993}',
      result: '{"a": [1, "二"]}',
      error_message: 'The node did not answer',
      failure_code: null,
      failure_params: null,
      lost_by: [],
    },
  ])
  expect((await database.query('select message, code, params from task_logs')).rows).toEqual([
    { message: 'The node did not answer', code: null, params: null },
  ])
  const read = 'select online, socket::int as socket, socket_heard_at, cannot_start, revision from nodes'
  expect((await database.query(read)).rows).toEqual([
    { online: true, socket: 0, socket_heard_at: null, cannot_start: [], revision: 0 },
  ])
  // A task without a configuration still gets the empty one.
  await database.exec(
    "insert into tasks (uuid, user_id, kind, title) values (gen_random_uuid(), 1, 'study', 'new')",
  )
  expect((await database.query("select config from tasks where title = 'new'")).rows).toEqual([
    { config: {} },
  ])
})
