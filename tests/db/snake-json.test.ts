/** Protects JSON that servers of other versions have stored: its fields keep their snake_case names in the database. */
import { afterAll, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { saveReadings } from '../../src/core/nodes/presence.ts'
import { failure } from '../../src/core/tasks/failures.ts'
import { addLogs, noteLine } from '../../src/core/tasks/logs.ts'
import { nodes, taskLogs, tasks } from '../../src/db/schema/index.ts'
import { makeNode, makeTask, makeUser, unique } from '../support/factories.ts'
import { query, startServer } from '../support/server.ts'

const server = await startServer()
const { ctx } = server
afterAll(() => server.stop())

const gpu = { gpuId: 0, name: 'G', usage: 1, memoryUsed: 2, memoryTotal: 3 }
const storedGpu = { gpu_id: 0, name: 'G', usage: 1, memory_used: 2, memory_total: 3 }
const why = failure('reported', { detail: 'no', exitCode: 3 })
const storedParams = { detail: 'no', exit_code: 3 }

test('GPUs and what a node cannot start', async () => {
  const { node } = await makeNode(server)
  const cannotStart = [{ taskType: 'a', message: 'b', at: '2026-01-01T00:00:00.000Z' }]
  await ctx.db
    .update(nodes)
    .set({ gpus: [gpu], cannotStart })
    .where(eq(nodes.id, node.id))
  const read = async () => {
    const raw = await query(server, sql`select gpus, cannot_start from nodes where id = ${node.id}`)
    const [row] = await ctx.db.select().from(nodes).where(eq(nodes.id, node.id))
    return { raw: raw[0]!, row: row! }
  }
  const first = await read()
  expect(first.raw.gpus).toEqual([storedGpu])
  expect(first.raw.cannot_start).toEqual([{ task_type: 'a', message: 'b', at: '2026-01-01T00:00:00.000Z' }])
  expect(first.row).toMatchObject({ gpus: [gpu], cannotStart })
  const state = {
    nodeId: node.id,
    nodeUuid: node.uuid,
    status: 'online' as const,
    cpuUsage: 5,
    memoryUsage: 6,
    gpus: [{ ...gpu, usage: 9 }],
    runningTasks: [],
    timestamp: '2026-01-01T00:00:00.000Z',
    connected: true,
  }
  await saveReadings(ctx, [state])
  const second = await read()
  expect(second.raw.gpus).toEqual([{ ...storedGpu, usage: 9 }])
  expect(second.row).toMatchObject({ cpuUsage: 5, memoryUsage: 6, gpus: [{ ...gpu, usage: 9 }] })
})

test('the parameters of a failure, of a task and in its log', async () => {
  const owner = await makeUser(server)
  const { id } = await makeTask(server, owner, { taskType: unique('type_') })
  await ctx.db.update(tasks).set({ failureCode: why.code, failureParams: why.params }).where(eq(tasks.id, id))
  await addLogs(ctx, [noteLine({ id, attempt: 0 }, why)])
  const [raw] = await query(
    server,
    sql`select failure_params, params from tasks join task_logs on task_id = tasks.id where tasks.id = ${id}`,
  )
  expect(raw).toEqual({ failure_params: storedParams, params: storedParams })
  const [row] = await ctx.db
    .select({ ofTask: tasks.failureParams, ofLog: taskLogs.params })
    .from(tasks)
    .innerJoin(taskLogs, eq(taskLogs.taskId, tasks.id))
    .where(eq(tasks.id, id))
  expect(row).toEqual({ ofTask: why.params, ofLog: why.params })
})
