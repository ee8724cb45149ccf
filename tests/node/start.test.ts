import { expect, test } from 'bun:test'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskProgram } from '../../src/node/runner.ts'
import {
  cleanUpAfterEach,
  connectArgs,
  fakeServer,
  keptLog,
  runNode,
  shell,
  startNode,
  temporaryDirectory,
  tokenEnv,
} from './support.ts'

cleanUpAfterEach()

function program(text: string, mode = 0o755): string {
  const path = join(temporaryDirectory(), 'program')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

const run = (...command: string[]): TaskProgram => ({ command, env: { PATH: process.env.PATH ?? '' } })

test('a task whose program cannot start is given back, and the log names the program and the cause', async () => {
  const server = fakeServer()
  const { log, lines } = keptLog()
  await startNode(
    server,
    {
      missing: run('/nonexistent/program'),
      forbidden: run(program('#!/bin/sh\n', 0o644)),
      directory: run(temporaryDirectory()),
      interpreter: run(program('#!/nonexistent/interpreter\n')),
      format: run(program('\x00\x01\x02')),
      script: { ...run('python3', '/nonexistent/train.py'), files: ['/nonexistent/train.py'] },
      fine: shell('exit 0'),
    },
    {},
    log,
  )
  await server.frame('heartbeat')
  const reasons: [string, RegExp][] = [
    ['missing', /ENOENT.*\/nonexistent\/program/],
    ['forbidden', /EACCES/],
    ['directory', /EACCES/],
    ['interpreter', /ENOENT/],
    ['format', /ENOEXEC/],
    ['script', /ENOENT: \/nonexistent\/train\.py is not there any more/],
  ]
  let number = 17
  for (const [type, detail] of reasons) {
    server.send({
      type: 'assign',
      task_id: type,
      id: number,
      attempt: 3,
      task_type: type,
      config: {},
      estimated_duration: null,
    })
    expect(await server.frame('reject', type)).toEqual({
      type: 'reject',
      task_id: type,
      attempt: 3,
      reason: 'cannot_start',
      detail: expect.stringMatching(detail),
    })
    const line = lines.find((each) => each.includes(`task ${number} `)) ?? ''
    expect(line).toStartWith(
      `error task ${number} (${type}, attempt 3, ${type}) cannot start and was given back: `,
    )
    number++
  }
  // The slot is free again, and no frame was sent twice.
  server.assign('f', 'fine')
  await server.frame('completed', 'f')
  expect(server.of('accept').map(({ task_id }) => task_id)).toEqual(['f'])
  expect(server.of('failed')).toEqual([])
})

test('an attempt that waited for the older one is given back when it cannot start', async () => {
  const server = fakeServer()
  const path = program(`#!/bin/sh\ntrap 'sleep 0.3; exit' TERM; echo running; while :; do sleep 0.05; done\n`)
  await startNode(server, { slow: run(path) })
  await server.frame('heartbeat')
  server.assign('t', 'slow', {}, 1)
  await server.frame('log', 't')
  rmSync(path)
  server.assign('t', 'slow', {}, 2)
  expect(await server.frame('reject', 't')).toMatchObject({ attempt: 2, reason: 'cannot_start' })
})

test('a script that is deleted while the node runs is noticed, although its interpreter exists', async () => {
  const server = fakeServer()
  const dir = temporaryDirectory()
  const script = join(dir, 'train.py')
  writeFileSync(script, 'print(\'{"result": {"ok": true}}\')')
  const config = join(dir, 'node.json')
  writeFileSync(config, JSON.stringify({ tasks: { train: { command: ['python3', script] } } }))
  const { said } = runNode(connectArgs(server, dir, '--config', config), tokenEnv)
  await server.frame('heartbeat')
  server.assign('a', 'train')
  expect(await server.frame('completed', 'a')).toMatchObject({ result: { ok: true } })
  rmSync(script)
  server.assign('b', 'train')
  expect(await server.frame('reject', 'b')).toMatchObject({ reason: 'cannot_start' })
  await said('train.py is not there any more')
})
