/** The live client as a program for browsers: small, without the server's libraries, and the same program under Node. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { makeTask, makeUser } from '../support/factories.ts'
import { eventually, Program, ROOT, temporaryDirectory } from '../support/process.ts'
import { startServer } from '../support/server.ts'

const MOST_BYTES = 10_000
const node = Bun.which('node')
if (!node) console.log('skipped: the client under Node: there is no Node')

const server = await startServer()
const directory = temporaryDirectory('bundle')
afterAll(async () => {
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
})

let program: string
beforeAll(async () => {
  const entry = join(directory, 'entry.ts')
  await Bun.write(
    entry,
    ['connect', 'tabs'].map((name) => `export * from '${ROOT}/src/client/${name}.ts'\n`).join(''),
  )
  const { outputs } = await Bun.build({ entrypoints: [entry], target: 'browser', minify: true })
  program = await outputs[0]!.text()
  await Bun.write(join(directory, 'client.mjs'), program)
})

test('is small, with its tabs and its ways around blocked sockets', () => {
  const { length } = brotliCompressSync(program)
  console.log(`the live client: ${length} bytes in brotli`)
  expect(length).toBeLessThan(MOST_BYTES)
  expect(program).not.toContain('typebox')
})

test.skipIf(!node).each([
  ['without a WebSocket, as before version 22', 'delete globalThis.WebSocket', 'polling'],
  ['with a WebSocket', '', 'live'],
])('runs under Node %s', async (_, prepare, status) => {
  const owner = await makeUser(server)
  await Bun.write(
    join(directory, 'main.mjs'),
    `${prepare}
    import { connect } from './client.mjs'
    const client = connect({ url: '${server.url}', token: '${owner.token}' })
    client.onStatus((status) => console.log(status))
    client.on('task.created', ({ data }) => {
      console.log(data.title)
      client.close()
    })`,
  )
  const log = join(directory, `${status}.log`)
  await using run = new Program([node!, '--experimental-websocket', join(directory, 'main.mjs')], {}, log)
  run.launch()
  await eventually(
    () => run.output.includes(status),
    () => run.output,
  )
  await makeTask(server, owner, { title: 'from the server' })
  // It ends by itself: a closed client keeps nothing running.
  expect(await run.exited).toBe(0)
  expect(run.output).toContain('from the server')
})
