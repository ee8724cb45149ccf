/**
 * The floors of `rest`. Under `/bare`: a route that answers one prepared SELECT as large as the server's, to anybody. Under
 * `/api`: the server's routes as a program usually has them. They verify the access token with Elysia's plugin, run the
 * query of the server through Drizzle on the same driver, and answer the same JSON. They have no hooks, no log, no model of
 * the input, no sessions that can be revoked, and texts in one language.
 */
import { jwt } from '@elysiajs/jwt'
import { and, eq, sql } from 'drizzle-orm'
import { Elysia } from 'elysia'
import type postgres from 'postgres'
import { readConfig } from '../../src/config/index.ts'
import { openDatabase } from '../../src/db/client.ts'
import { nodes, taskLogs, tasks, users } from '../../src/db/schema/index.ts'
import { createLogger } from '../../src/util/logger.ts'
import { answer } from '../support/answer.ts'

const database = await openDatabase(readConfig(process.env), createLogger('silent'))
const { db } = database
const client = (db as unknown as { $client: postgres.Sql }).$client

const totalTasks = sql<number>`(select count(*)::int from ${tasks} t where t.user_id = ${users}.id)`

const stored = (kind: string) =>
  sql<number>`(select balance_minor from ledger_accounts a where a.user_id = ${users}.id and a.kind = ${sql.raw(`'${kind}'`)})`.mapWith(
    Number,
  )

const logs = sql<{ id: number; level: string; message: string; createdAt: string }[]>`(
  select coalesce(json_agg(json_build_object('id', l.id, 'level', l.level, 'message', l.message,
    'createdAt', to_char(l.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by l.id), '[]')
  from (select * from ${taskLogs} where ${taskLogs.taskId} = ${tasks.id} order by ${taskLogs.id} desc limit 100) l)`

const userById = db
  .select({ user: users, totalTasks, available: stored('available'), held: stored('held') })
  .from(users)
  .where(eq(users.id, sql.placeholder('id')))
  .prepare('user_by_id')

const taskOfUser = db
  .select({ task: tasks, nodeUuid: nodes.uuid, logs })
  .from(tasks)
  .leftJoin(nodes, eq(nodes.id, tasks.nodeId))
  .where(and(eq(tasks.id, sql.placeholder('id')), eq(tasks.userId, sql.placeholder('userId'))))
  .prepare('task_of_user')

const app = new Elysia()
  .use(jwt({ secret: process.env.JWT_SECRET!, iss: 'roost' }))
  .get('/bare/tasks/:id', async ({ params }) => {
    const [row] = await client`
      select t.*, n.uuid as node_uuid, (
        select coalesce(json_agg(json_build_object('id', l.id, 'level', l.level, 'message', l.message,
          'created_at', to_char(l.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by l.id), '[]')
        from (select * from task_logs where task_id = t.id order by id desc limit 100) l) as logs
      from tasks t left join nodes n on n.id = t.node_id where t.id = ${Number(params.id)}`
    return row
  })
  .get('/api/users/me', async ({ jwt, headers, status }) => {
    const token = await jwt.verify(headers.authorization?.slice('Bearer '.length))
    if (!token) return status(401)
    const [row] = await userById.execute({ id: Number(token.sub) })
    if (!row) return status(404)
    const { user, available, held } = row
    return success({
      id: user.uuid,
      email: user.email,
      username: user.username,
      full_name: user.displayName,
      role: user.role,
      balance: (available + held) / 100,
      available_balance: available / 100,
      total_tasks: row.totalTasks,
      created_at: user.createdAt,
      last_login: user.lastLoginAt,
    })
  })
  .get('/api/tasks/:id', async ({ jwt, headers, params, status }) => {
    const token = await jwt.verify(headers.authorization?.slice('Bearer '.length))
    if (!token) return status(401)
    const [row] = await taskOfUser.execute({ id: Number(params.id), userId: Number(token.sub) })
    if (!row) return status(404)
    const { task } = row
    const times = {
      started_at: task.startedAt,
      completed_at: task.completedAt,
      created_at: task.createdAt,
      updated_at: task.updatedAt,
    }
    return {
      id: task.id,
      name: task.title,
      status: task.status,
      progress: task.progress,
      course_ids: task.courseIds ?? [],
      error_message: task.errorMessage,
      ...times,
      logs: row.logs.map(({ id, level, message, createdAt }) => ({
        id,
        level,
        message,
        created_at: createdAt,
      })),
      ...success({
        id: task.uuid,
        title: task.title,
        description: task.description,
        task_type: task.taskType,
        status: task.status,
        progress: task.progress,
        priority: task.priority,
        gpu_server_id: row.nodeUuid,
        config: task.config,
        result: task.result,
        error_message: task.errorMessage,
        failure_code: task.failureCode,
        exit_code: task.failureParams?.exitCode ?? null,
        cost: task.costMinor / 100,
        estimated_duration: task.estimatedMinutes,
        ...times,
      }),
    }
  })

const success = <T>(data: T) => ({ success: true, message: '操作已完成', data, error_code: null })

const handlers = answer({
  listen() {
    app.listen({ port: 0, hostname: '127.0.0.1' })
    return app.server!.port!
  },
})
export type RestFloor = typeof handlers

process.on('SIGTERM', async () => {
  await app.server?.stop(true)
  await database.close()
  process.exit(0)
})
