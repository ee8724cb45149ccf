/** Protects the log of a task: a client that learns of the end reads all lines, and no line is lost in silence. */
import { afterAll, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { LogBuffer } from '../../../src/core/nodes/log-buffer.ts'
import { taskLogs, tasks } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { makeNode, makeTask, makeUser, unique } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import { openLive, openNode } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server

const lineNumbers = (logs: { message: string }[]) => logs.map(({ message }) => Number(message))

test('a client that learns of the end reads every line, whichever tasks log beside it', async () => {
  const TASKS = 12
  const LINES = 40
  const owner = await makeUser(server)
  const live = await openLive(server, owner.token)
  const taskType = unique('type_')
  const { token } = await makeNode(server, TASKS)
  const node = await openNode(server, token, { taskTypes: [taskType], max: TASKS })
  const made = await Promise.all(Array.from({ length: TASKS }, () => makeTask(server, owner, { taskType })))
  const read = made.map(async ({ id, uuid }) => {
    const { attempt } = await node.next('assign', (frame) => frame.task_id === uuid)
    const lease = { task_id: uuid, attempt }
    node.send({ type: 'accept', ...lease })
    for (let n = 0; n < LINES; n++) node.send({ type: 'log', ...lease, level: 'INFO', message: String(n) })
    node.send({ type: 'completed', ...lease, result: {} })
    await live.next('task.completed', ({ data }) => data.task_id === uuid)
    const { body } = await api(server, 'GET', `/api/tasks/${id}`, { token: owner.token })
    return lineNumbers(body.logs)
  })
  const all = Array.from({ length: LINES }, (_, n) => n)
  expect(await Promise.all(read)).toEqual(made.map(() => all))
  node.close()
  live.close()
})

test('lines that the database did not take are counted in the log, those after them follow', async () => {
  const owner = await makeUser(server)
  const { id } = await makeTask(server, owner)
  const [task] = await ctx.db.select().from(tasks).where(eq(tasks.id, id))
  let away = true
  const db = new Proxy(ctx.db, {
    get: (target, name) => {
      if (away && name === 'execute') throw new Error('the database is away')
      return Reflect.get(target, name)
    },
  })
  const warnings: string[] = []
  const log = { ...ctx.log, warn: (_: unknown, text: string) => warnings.push(text) } as never
  const buffer = new LogBuffer({ db, bus: ctx.bus, log })
  const attempt = { taskId: id, attempt: task!.attempt, lines: 0, waiting: 0, lost: 0 }
  for (const message of ['0', '1', '2']) buffer.add(attempt, { level: 'INFO', message })
  await buffer.flush()
  await buffer.flush()
  expect(attempt).toMatchObject({ waiting: 0, lost: 3 })
  away = false
  buffer.add(attempt, { level: 'INFO', message: '3' })
  await buffer.whenStored(attempt)
  expect(attempt).toMatchObject({ waiting: 0, lost: 0 })
  expect(warnings.length).toBeGreaterThan(0)
  const stored = await ctx.db.select().from(taskLogs).where(eq(taskLogs.taskId, id)).orderBy(taskLogs.id)
  expect(stored.map(({ message, code, params }) => ({ message, code, params }))).toEqual([
    { message: '3', code: null, params: null },
    { message: '3 lines could not be stored', code: 'log_lost', params: { lines: 3 } },
  ])
})

test('an end waits for lines of a row that another transaction holds, though not for ever', async () => {
  const owner = await makeUser(server)
  const { id } = await makeTask(server, owner)
  const [task] = await ctx.db.select().from(tasks).where(eq(tasks.id, id))
  const held = { left: 2 }
  // The buffer gets the same answer for a row that another transaction holds.
  const db = new Proxy(ctx.db, {
    get: (target, name) => {
      if (name === 'execute' && held.left-- > 0) return async () => [{ id }]
      return Reflect.get(target, name)
    },
  })
  const buffer = new LogBuffer({ db, bus: ctx.bus, log: ctx.log })
  const attempt = { taskId: id, attempt: task!.attempt, lines: 0, waiting: 0, lost: 0 }
  for (const message of ['0', '1']) buffer.add(attempt, { level: 'INFO', message })
  await buffer.whenStored(attempt)
  const stored = await ctx.db.select().from(taskLogs).where(eq(taskLogs.taskId, id)).orderBy(taskLogs.id)
  expect(lineNumbers(stored)).toEqual([0, 1])
  held.left = Number.POSITIVE_INFINITY
  buffer.add(attempt, { level: 'INFO', message: '2' })
  await buffer.whenStored(attempt)
  expect(attempt.waiting).toBe(1)
})
