import { expect, test } from 'bun:test'
import { join } from 'node:path'
import type { FakeServer } from './fake-server.ts'
import {
  cleanUpAfterEach,
  fakeServer,
  filesIn,
  gone,
  isRunning,
  shell,
  startNode,
  temporaryDirectory,
} from './support.ts'

cleanUpAfterEach()

/** A task that starts another process and logs the numbers of both. */
const FAMILY = `sleep 300 & echo "pids $$ $!"; echo '{"progress": 10}'; wait`

async function family(server: FakeServer, task_id: string): Promise<number[]> {
  const { message } = await server.frame('log', task_id)
  const pids = message.split(' ').slice(1).map(Number)
  expect(pids.map(isRunning)).toEqual([true, true])
  return pids
}

test('a configured program gets the task on its standard input, and its output reaches the server', async () => {
  const server = fakeServer()
  const script = `
    echo '{"progress": 45.5, "current_item": "page 3"}'
    echo '{"log": {"level": "ERROR", "message": "careful"}}'
    echo plain text
    echo oops >&2
    printf '{"result": {"task": %s, "env": "%s"}}\\n' "$(cat)" "$(env | cut -d= -f1 | sort | tr '\\n' ' ')"`
  const stateDir = temporaryDirectory()
  await startNode(
    server,
    { render: shell(script, { env: { PATH: process.env.PATH ?? '', LEVEL: '3' } }) },
    { stateDir },
  )
  await server.frame('heartbeat')
  server.send({
    type: 'assign',
    task_id: 'a-task',
    attempt: 7,
    task_type: 'render',
    config: { scene: '夜景', nested: { list: [1, null] } },
    estimated_duration: 30,
  })
  const completed = await server.frame('completed', 'a-task')
  expect(completed.attempt).toBe(7)
  expect(completed.result.task).toEqual({
    task_id: 'a-task',
    attempt: 7,
    task_type: 'render',
    config: { scene: '夜景', nested: { list: [1, null] } },
    estimated_duration: 30,
    gpus: [],
  })
  // The shell itself sets PWD and similar variables.
  const names = String(completed.result.env).trim().split(' ')
  expect(names.filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name))).toEqual([
    'LEVEL',
    'PATH',
    'TMPDIR',
  ])
  expect(server.of('accept', 'a-task')).toEqual([{ type: 'accept', task_id: 'a-task', attempt: 7 }])
  expect(server.of('progress', 'a-task')[0]).toMatchObject({
    progress: 45.5,
    current_item: 'page 3',
    attempt: 7,
  })
  const logs = server.of('log', 'a-task').map(({ level, message }) => `${level} ${message}`)
  expect(logs.toSorted()).toEqual(['ERROR careful', 'INFO plain text', 'WARNING oops'])
  await server.until(() => filesIn(join(stateDir, 'results')).length === 0, 'acknowledged result')
  expect(filesIn(join(stateDir, 'running'))).toEqual([])
})

test('a program without output that exits with 0 has completed', async () => {
  const server = fakeServer()
  await startNode(server, { quiet: shell('exit 0') })
  await server.frame('heartbeat')
  server.assign('q', 'quiet')
  expect(await server.frame('completed', 'q')).toMatchObject({ result: {} })
})

test('failures say why: the error line, else the end of standard error, else how the process ended', async () => {
  const server = fakeServer()
  await startNode(
    server,
    {
      says: shell(`echo '{"error": "no such model"}'; echo noise >&2; exit 3`),
      complains: shell('echo first >&2; echo last >&2; exit 4'),
      silent: shell('exit 5'),
      killed: shell('kill -9 $$'),
      slow: shell('sleep 300', { timeout_seconds: 0.1 }),
    },
    { maxConcurrentTasks: 10 },
  )
  await server.frame('heartbeat')
  const failed = async (type: string) => {
    server.assign(type, type)
    const { type: _, task_id, attempt, error, ...facts } = await server.frame('failed', type)
    return { error, ...facts }
  }
  expect(await failed('says')).toEqual({ error: 'no such model', exit_code: 3 })
  expect(await failed('complains')).toEqual({ error: 'first\nlast', exit_code: 4 })
  expect(await failed('silent')).toEqual({ error: 'exited with code 5', code: 'exited', exit_code: 5 })
  expect(await failed('killed')).toEqual({ error: 'killed by SIGKILL', code: 'exited', signal: 'SIGKILL' })
  expect(await failed('slow')).toEqual({
    error: 'timed out after 0.1 seconds',
    code: 'timed_out',
    seconds: 0.1,
  })
})

test('a node rejects an unknown type, too many tasks, and any task while it drains', async () => {
  const server = fakeServer()
  await startNode(server, { wait: shell('sleep 300') }, { maxConcurrentTasks: 1 })
  await server.frame('heartbeat')
  server.assign('u', 'rm -rf /')
  expect(await server.frame('reject', 'u')).toMatchObject({ attempt: 1, reason: 'unknown task type' })
  server.assign('first', 'wait')
  await server.frame('accept', 'first')
  server.assign('second', 'wait')
  expect(await server.frame('reject', 'second')).toMatchObject({ reason: 'busy' })
  server.send({ type: 'cancel', task_id: 'first', attempt: 1 })
  await server.frame('failed', 'first')
  server.send({ type: 'drain' })
  server.assign('third', 'wait')
  expect(await server.frame('reject', 'third')).toMatchObject({ reason: 'draining' })
})

test('an assignment that comes twice runs once', async () => {
  const server = fakeServer()
  await startNode(server, { wait: shell('echo running; sleep 0.3') })
  await server.frame('heartbeat')
  server.assign('t', 'wait')
  server.assign('t', 'wait')
  await server.frame('completed', 't')
  expect(server.of('accept', 't')).toHaveLength(2)
  expect(server.of('log', 't')).toHaveLength(1)
})

test('`cancel` ends the whole process tree, and the node reports `failed`', async () => {
  const server = fakeServer()
  await startNode(server, { family: shell(FAMILY) })
  await server.frame('heartbeat')
  server.assign('t', 'family')
  const pids = await family(server, 't')
  server.send({ type: 'cancel', task_id: 't', attempt: 1 })
  expect(await server.frame('failed', 't')).toMatchObject({
    error: 'cancelled',
    code: 'cancelled',
    attempt: 1,
  })
  await gone(pids)
})

test('a process that ignores SIGTERM is killed 5 seconds later', async () => {
  const server = fakeServer()
  await startNode(server, { stubborn: shell(`trap '' TERM; echo "pids $$ $$"; while :; do sleep 0.1; done`) })
  await server.frame('heartbeat')
  server.assign('t', 'stubborn')
  const pids = await family(server, 't')
  server.send({ type: 'cancel', task_id: 't', attempt: 1 })
  expect(await server.frame('failed', 't')).toMatchObject({ error: 'cancelled' })
  await gone(pids)
}, 15_000)

test('a task that has ended leaves no process behind', async () => {
  const server = fakeServer()
  await startNode(server, { litter: shell(`sleep 300 & echo "pids $!"`) })
  await server.frame('heartbeat')
  server.assign('t', 'litter')
  await server.frame('completed', 't')
  const { message } = await server.frame('log', 't')
  await gone(message.split(' ').slice(1).map(Number))
})

test('an attempt that is stale is stopped and never reported', async () => {
  const server = fakeServer()
  const stateDir = temporaryDirectory()
  await startNode(server, { family: shell(FAMILY), quick: shell('exit 0') }, { stateDir })
  await server.frame('heartbeat')
  server.assign('t', 'family')
  const pids = await family(server, 't')
  server.send({ type: 'error', code: 'STALE_ATTEMPT', message: 'not yours', task_id: 't', attempt: 1 })
  await gone(pids)

  server.ack = false
  server.assign('q', 'quick')
  await server.frame('completed', 'q', 2)
  server.send({ type: 'error', code: 'STALE_ATTEMPT', message: 'not yours', task_id: 'q', attempt: 1 })
  await server.until(() => filesIn(join(stateDir, 'results')).length === 0, 'forgotten result')
  const repeats = server.of('completed', 'q').length
  await Bun.sleep(250)
  expect(server.of('completed', 'q')).toHaveLength(repeats)
  expect(server.of('failed')).toEqual([])
})

test('a newer attempt starts when the older one is dead, also on a full node', async () => {
  const server = fakeServer()
  const script = `trap 'sleep 0.3; echo "end $$"; exit' TERM; echo "pids $$ $$"; while :; do sleep 0.05; done`
  await startNode(server, { slow: shell(script) }, { maxConcurrentTasks: 1 })
  await server.frame('heartbeat')
  server.assign('t', 'slow', {}, 1)
  const [older = 0] = await family(server, 't')
  server.assign('t', 'slow', {}, 2)
  await server.until(() => server.of('accept', 't', 2).length === 1, 'accept of attempt 2')
  expect(isRunning(older)).toBe(true)
  await server.until(() => server.of('log', 't', 2).length === 1, 'sign of life of attempt 2')
  expect(isRunning(older)).toBe(false)
  server.assign('t', 'slow', {}, 1)
  await server.until(() => server.of('reject', 't', 1).length === 1, 'reject of attempt 1')
})

test('a flood of log lines and progress is reduced; the last progress arrives', async () => {
  const server = fakeServer()
  const script = `i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo line $i; echo "{\\"progress\\": $((i / 20))}"; done`
  await startNode(server, { flood: shell(script) })
  await server.frame('heartbeat')
  server.assign('t', 'flood')
  await server.frame('completed', 't')
  const logs = server.of('log', 't')
  expect(logs.length).toBeLessThan(300)
  expect(logs.some(({ message }) => /^\d+ lines dropped/.test(message))).toBe(true)
  const progress = server.of('progress', 't')
  expect(progress.length).toBeLessThan(50)
  expect(progress.at(-1)?.progress).toBe(100)
  expect(server.frames.findLastIndex(({ type }) => type === 'progress')).toBeLessThan(
    server.frames.findIndex(({ type }) => type === 'completed'),
  )
})

test('a task that writes without end does not stop the heartbeats', async () => {
  const server = fakeServer()
  await startNode(server, { endless: shell('yes') })
  await server.frame('heartbeat')
  server.assign('t', 'endless')
  await server.frame('log', 't')
  await server.frame('heartbeat', undefined, server.of('heartbeat').length + 3)
  server.send({ type: 'cancel', task_id: 't', attempt: 1 })
  await server.frame('failed', 't')
})

test('texts are cut to the limits of the protocol, a result to the size of a frame', async () => {
  const server = fakeServer()
  const long = (count: number) => `$(head -c ${count} /dev/zero | tr '\\0' a)`
  await startNode(server, {
    wordy: shell(`
      echo "${long(9000)}"
      echo "{\\"progress\\": 1, \\"current_item\\": \\"${long(9000)}\\"}"
      echo "{\\"result\\": {\\"text\\": \\"${long(500_000)}\\"}}"`),
    fails: shell(`echo "{\\"error\\": \\"${long(9000)}\\"}"`),
  })
  await server.frame('heartbeat')
  server.assign('w', 'wordy')
  expect((await server.frame('completed', 'w')).result.text).toHaveLength(500_000)
  expect(server.of('log', 'w')[0]?.message).toHaveLength(4000)
  expect(server.of('progress', 'w')[0]?.current_item).toHaveLength(500)
  server.assign('f', 'fails')
  expect((await server.frame('failed', 'f')).error).toHaveLength(4000)
})

test('a result is repeated until it is acknowledged', async () => {
  const server = fakeServer({ ack: false })
  const stateDir = temporaryDirectory()
  await startNode(server, { quick: shell(`echo '{"result": {"n": 1}}'`) }, { stateDir })
  await server.frame('heartbeat')
  server.assign('t', 'quick')
  const third = await server.frame('completed', 't', 3)
  expect(third.result).toEqual({ n: 1 })
  expect(filesIn(join(stateDir, 'results'))).toHaveLength(1)
  server.send({ type: 'ack', task_id: 't', attempt: 1 })
  await server.until(() => filesIn(join(stateDir, 'results')).length === 0, 'removed file')
  const repeats = server.of('completed', 't').length
  await Bun.sleep(250)
  expect(server.of('completed', 't')).toHaveLength(repeats)
})
