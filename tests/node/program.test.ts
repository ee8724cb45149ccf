import { expect, test } from 'bun:test'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { USAGE } from '../../src/node/options.ts'
import { acquireFileLock } from '../../src/util/file-lock.ts'
import { TOKEN } from './fake-server.ts'
import {
  cleanUpAfterEach,
  connectArgs,
  fakeServer,
  filesIn,
  gone,
  later,
  runNode,
  temporaryDirectory,
  tokenEnv,
} from './support.ts'

cleanUpAfterEach()

const WAIT = `echo "pids $$ $TMPDIR"; while [ -d "$TMPDIR" ] && [ ! -e "$TMPDIR/go" ]; do sleep 0.02; done; echo '{"result": {"went": true}}'`

function configFile(config: unknown): string {
  const path = join(temporaryDirectory(), 'node.json')
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config))
  return path
}
const waitConfig = () =>
  configFile({
    name: 'from-config',
    max_concurrent_tasks: 2,
    tasks: {
      wait: { command: ['sh', '-c', WAIT] },
      quick: { command: ['sh', '-c', `echo '{"result": {"n": 1}}'`] },
    },
  })

test('mistakes at the start: one readable message, exit 1', async () => {
  const server = 'http://127.0.0.1:1'
  const cases: [string[], Record<string, string>, RegExp][] = [
    [[], {}, /no server.*no token/],
    [['--server', 'ftp://x', '--token', 'a b'], {}, /--server: a URL.*the token contains/],
    [['--server', server, '--nonsense'], tokenEnv, /--nonsense.*--help/],
    [['--server', server, '--drain-timeout', 'long'], tokenEnv, /--drain-timeout/],
    [['--server', server, '--config', '/nonexistent.json'], tokenEnv, /config \/nonexistent\.json/],
    [['--server', server], { ...tokenEnv, FFMPEG_PATH: '/nonexistent/ffmpeg' }, /FFMPEG_PATH/],
    [['--server', server, '--state', '/dev/null/x'], tokenEnv, /state directory/],
  ]
  await Promise.all(
    cases.map(async ([args, env, message]) => {
      const { code, stdout, stderr } = await runNode(args, env).finished()
      expect(stderr).toMatch(message)
      expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 })
      expect(stdout + stderr).not.toContain(TOKEN)
    }),
  )
})

test('config mistakes are named together', async () => {
  const config = configFile({
    max_concurrent_tasks: 0,
    color: 'red',
    tasks: {
      Bad: { command: ['true'] },
      good: { command: [], timeout_seconds: -1, env: { A: 1 } },
    },
  })
  const args = ['--server', 'http://127.0.0.1:1', '--config', config]
  const { code, stderr } = await runNode(args, tokenEnv).finished()
  expect(code).toBe(1)
  for (const place of [
    'max_concurrent_tasks',
    'color',
    'tasks.Bad',
    'good.command',
    'good.timeout_seconds',
    'good.env.A',
  ])
    expect(stderr).toContain(`${place}: `)

  const missing = configFile({ tasks: { render: { command: ['no-such-program-here'] } } })
  const second = await runNode(['--server', 'http://127.0.0.1:1', '--config', missing], tokenEnv).finished()
  expect(second.stderr).toContain("tasks.render.command.0: no program 'no-such-program-here' found")
})

test('--help', async () => {
  const { code, stdout } = await runNode(['--help']).finished()
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${USAGE}\n` })
})

test('a refused token: one message, exit 1, and the token is not printed', async () => {
  const server = fakeServer({ refuse: 401 })
  const { code, stdout, stderr } = await runNode(
    connectArgs(server, temporaryDirectory()),
    tokenEnv,
  ).finished()
  expect(stderr).toBe(
    `roost node: the server refuses this node token (HTTP 401): ${server.url} does not know it, or it was replaced\n`,
  )
  expect(code).toBe(1)
  expect(stdout).not.toContain(TOKEN)
})

test('a token that is refused later ends the program and its tasks', async () => {
  const server = fakeServer()
  const { finished } = runNode(connectArgs(server, temporaryDirectory(), '--config', waitConfig()), tokenEnv)
  await server.frame('heartbeat')
  server.assign('t', 'wait')
  const [, pid] = (await server.frame('log', 't')).message.split(' ')
  server.closeSocket(4401)
  expect(await finished()).toMatchObject({ code: 1, stderr: expect.stringContaining('close code 4401') })
  await gone([Number(pid)])
})

test('only one program may use a state directory', async () => {
  const server = fakeServer()
  const stateDir = temporaryDirectory()
  runNode(connectArgs(server, stateDir), tokenEnv)
  await server.frame('heartbeat')
  const second = await runNode(connectArgs(server, stateDir), tokenEnv).finished()
  expect(second).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`another node program uses ${stateDir}`),
  })
})

test('the address of the socket means the server, too', async () => {
  const server = fakeServer()
  const args = ['--server', `${server.url.replace('http', 'ws')}/ws/node/`, '--state', temporaryDirectory()]
  runNode(args, tokenEnv)
  await server.frame('heartbeat')
})

test('the program goes on when the reader of its output goes away, and ends well', async () => {
  const server = fakeServer()
  const args = connectArgs(server, temporaryDirectory(), '--config', waitConfig())
  const command = ['src/node/main.ts', ...args].map((arg) => `'${arg}'`).join(' ')
  const node = Bun.spawn(
    ['sh', '-c', `(echo $$; exec '${process.execPath}' --no-env-file ${command}; ) 2>&1 | head -n 1`],
    {
      cwd: join(import.meta.dir, '../..'),
      env: { PATH: process.env.PATH ?? '', ...tokenEnv },
      stdout: 'ignore',
    },
  )
  later(() => node.kill('SIGKILL'))
  await server.frame('heartbeat')
  for (let i = 0; i < 5; i++) {
    server.assign(`t${i}`, 'quick')
    await server.frame('completed', `t${i}`)
  }
  expect(server.connections).toBe(1)
  // Nothing reads its last lines either.
  server.closeSocket(4401)
  await node.exited
})

test('SIGTERM: no new task, the running one ends, its result is acknowledged, exit 0', async () => {
  const server = fakeServer({ ack: false })
  const args = connectArgs(server, temporaryDirectory(), '--config', waitConfig(), '--token', TOKEN)
  const { child, finished, said } = runNode(args)
  expect(await server.frame('hello')).toMatchObject({ name: 'from-config', max_concurrent_tasks: 2 })
  server.assign('t', 'wait')
  const [, , scratch] = (await server.frame('log', 't')).message.split(' ')
  child.kill('SIGTERM')
  await said('SIGTERM: no new tasks')
  server.assign('u', 'quick')
  expect(await server.frame('reject', 'u')).toMatchObject({ reason: 'draining' })
  await Bun.write(`${scratch}/go`, '')
  await server.frame('completed', 't')
  await Bun.sleep(100)
  expect(child.exitCode).toBe(null)
  server.send({ type: 'ack', task_id: 't', attempt: 1 })
  const { code, stdout } = await finished()
  expect(code).toBe(0)
  expect(stdout).not.toContain(TOKEN)
  expect(stdout).toMatch(
    /^\d\d:\d\d:\d\d info {2}connected to http:\/\/127\.0\.0\.1:\d+ as from-config \(0 GPUs\)$/m,
  )
})

/** A signal that comes sooner after the first one is a repeat of it. */
const SECOND_SIGNAL_MS = 2100

test('a later second signal, or the end of --drain-timeout, stops at once and reports nothing', async () => {
  const stop = async (more: string[], signals: NodeJS.Signals[]) => {
    const server = fakeServer()
    const args = connectArgs(server, temporaryDirectory(), '--config', waitConfig(), ...more)
    const { child, finished, said } = runNode(args, tokenEnv)
    await server.frame('heartbeat')
    server.assign('t', 'wait')
    const [, pid] = (await server.frame('log', 't')).message.split(' ')
    for (const [i, signal] of signals.entries()) {
      if (i > 0) await Bun.sleep(SECOND_SIGNAL_MS)
      child.kill(signal)
      await said(`${signal}: no new tasks`)
    }
    expect((await finished()).code).toBe(1)
    await gone([Number(pid)])
    expect([...server.of('failed'), ...server.of('completed')]).toEqual([])
  }
  await Promise.all([stop([], ['SIGINT', 'SIGINT']), stop(['--drain-timeout', '0.1'], ['SIGTERM'])])
})

test('after kill -9 and a restart: results are named and repeated, processes are gone', async () => {
  const server = fakeServer({ ack: false })
  const stateDir = temporaryDirectory()
  const args = connectArgs(server, stateDir, '--config', waitConfig())
  const { child } = runNode(args, tokenEnv)
  await server.frame('heartbeat')
  server.assign('finished', 'quick', {}, 3)
  server.assign('running', 'wait', {}, 5)
  await server.frame('completed', 'finished')
  const [, pid, scratch] = (await server.frame('log', 'running')).message.split(' ')
  child.kill('SIGKILL')
  await child.exited

  const before = server.of('completed', 'finished').length
  runNode(args, tokenEnv)
  await server.frame('hello', undefined, 2)
  await gone([Number(pid)])
  expect(existsSync(String(scratch))).toBe(false)
  expect(server.of('hello')[1]?.running).toEqual([{ task_id: 'finished', attempt: 3 }])
  expect(await server.frame('completed', 'finished', before + 1)).toMatchObject({
    attempt: 3,
    result: { n: 1 },
  })
  expect(filesIn(join(stateDir, 'results'))).toHaveLength(1)
  server.send({ type: 'ack', task_id: 'finished', attempt: 3 })
  await server.until(() => filesIn(join(stateDir, 'results')).length === 0, 'removed file')
  expect(filesIn(join(stateDir, 'running'))).toEqual([])
})

test('a file lock is held as long as its process lives, also when no variable holds it', async () => {
  const path = join(temporaryDirectory(), 'lock.sqlite')
  const script = `
    const { acquireFileLock } = await import('${join(import.meta.dir, '../../src/util/file-lock.ts')}')
    ;(() => { if (!acquireFileLock(process.argv[1])) process.exit(1) })()
    for (let i = 0; i < 5; i++) { Bun.gc(true); await Bun.sleep(1) }
    console.log('held')
    await Bun.sleep(60_000)`
  const child = Bun.spawn([process.execPath, '-e', script, path], { stdout: 'pipe' })
  later(() => child.kill('SIGKILL'))
  const { value } = await child.stdout.getReader().read()
  expect(new TextDecoder().decode(value)).toBe('held\n')
  expect(acquireFileLock(path)).toBeUndefined()
  child.kill('SIGKILL')
  await child.exited
  const lock = acquireFileLock(path)
  expect(lock).toBeDefined()
  lock?.release()
})

test('a file lock is held once, and again after its release', () => {
  const path = join(temporaryDirectory(), 'lock.sqlite')
  const lock = acquireFileLock(path)
  expect(lock).toBeDefined()
  Bun.gc(true)
  expect(acquireFileLock(path)).toBeUndefined()
  lock?.release()
  const again = acquireFileLock(path)
  expect(again).toBeDefined()
  again?.release()
  expect(() => acquireFileLock('/nonexistent/lock.sqlite')).toThrow()
})
