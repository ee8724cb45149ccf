import { afterAll, expect, test } from 'bun:test'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeSettings } from '../../src/node/node.ts'
import type { TaskProgram } from '../../src/node/runner.ts'
import { makeNode, makeTask, makeUser, unique } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { startServer } from '../support/server.ts'
import { cleanUpAfterEach, nvidiaSmi, shell, startNodeAt, temporaryDirectory } from './support.ts'

const server = await startServer({ NODE_HEARTBEAT_SECONDS: '1' })
afterAll(() => server.stop())
cleanUpAfterEach()

const admin = await makeUser(server, { role: 'admin' })
/** The fields of tasks and nodes that this file reads. */
interface Shown {
  status: string
  result: unknown
  error_message: string
  running_tasks: unknown[]
  gpu_usage: unknown[]
  cannot_start: unknown[]
}
const get = async (path: string, { token } = admin) => {
  const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${token}` } })
  return ((await response.json()) as { data: Shown }).data
}

async function connect(programs: Record<string, TaskProgram>, settings: Partial<NodeSettings> = {}) {
  const { node, token } = await makeNode(server, 8)
  await startNodeAt(server.url, programs, { token, maxConcurrentTasks: undefined, ...settings })
  await eventually(
    async () => (await get(`/api/gpu/servers/${node.uuid}`)).status === 'online',
    'online node',
  )
  return node
}

const ended = (uuid: string, status: string) =>
  eventually(async () => {
    const task = await get(`/api/tasks/${uuid}`)
    return task.status === status && task
  }, `the task ${status}`)

test('GPUs that appear while the node runs have their names, and more tasks run', async () => {
  const ready = join(temporaryDirectory(), 'ready')
  const rows = `echo '0, NVIDIA A10G, 5, 512, 23028, 511, 60.0'; echo '1, NVIDIA H100, 5, 512, 81559, 40, 60.0'`
  const type = unique('type_')
  const go = join(temporaryDirectory(), 'go')
  const node = await connect(
    { [type]: shell(`while [ ! -e '${go}' ]; do sleep 0.1; done`) },
    { nvidiaSmi: nvidiaSmi(`[ -e '${ready}' ] || exit 9; ${rows}`) },
  )
  const tasks = await Promise.all([1, 2].map(() => makeTask(server, admin, { taskType: type })))
  const running = async () => {
    const { running_tasks } = await get(`/api/gpu/servers/${node.uuid}/status`)
    return running_tasks.length
  }
  await eventually(async () => (await running()) === 1, 'one running task')
  writeFileSync(ready, '')
  await eventually(async () => (await running()) === 2, 'two running tasks')
  const { gpu_usage } = await get(`/api/gpu/servers/${node.uuid}/status`)
  expect(gpu_usage).toMatchObject([{ name: 'NVIDIA A10G' }, { name: 'NVIDIA H100', temperature: 40 }])
  writeFileSync(go, '')
  for (const { uuid } of tasks) await ended(uuid, 'completed')
}, 60_000)

test('another node runs the tasks of a node whose program is gone', async () => {
  const type = unique('type_')
  const program = join(temporaryDirectory(), 'program')
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
  const broken = await connect({ [type]: { command: [program], env: {} } }, { maxConcurrentTasks: 8 })
  rmSync(program)
  const tasks = await Promise.all(
    Array.from({ length: 6 }, () => makeTask(server, admin, { taskType: type })),
  )
  await eventually(
    async () =>
      JSON.stringify((await get(`/api/gpu/servers/${broken.uuid}`)).cannot_start).includes('ENOENT'),
    'the reason for administrators',
  )
  expect(existsSync(program)).toBe(false)
  await connect({ [type]: shell(`echo '{"result": {"loss": NaN}}'`) }, { maxConcurrentTasks: 8 })
  for (const { uuid } of tasks) expect((await ended(uuid, 'completed')).result).toEqual({ loss: null })
}, 60_000)

test('a failed task tells its exit code', async () => {
  const type = unique('type_')
  await connect({ [type]: shell('exit 3') })
  const { uuid } = await makeTask(server, admin, { taskType: type })
  expect((await ended(uuid, 'failed')).error_message).toContain('3')
}, 60_000)
