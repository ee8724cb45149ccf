/** The client as others install it: built, copied into an empty folder, checked and run there. The program is that of docs/client.md. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { makeUser } from '../support/factories.ts'
import { ROOT, temporaryDirectory } from '../support/process.ts'
import { startServer } from '../support/server.ts'

const folder = temporaryDirectory('client-package')
const installed = join(folder, 'node_modules/roost')
const server = await startServer()
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

const run = async (command: string[], cwd = folder) => {
  const child = Bun.spawn(command, { cwd, stdout: 'pipe', stderr: 'pipe' })
  const [out, error, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  return { exitCode, output: out + error }
}

const check = (files: string[], options: object = {}) => {
  const compilerOptions = {
    target: 'ESNext',
    module: 'ESNext',
    moduleResolution: 'bundler',
    lib: ['ESNext', 'DOM'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    ...options,
  }
  Bun.write(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  return run([join(ROOT, 'node_modules/.bin/tsc'), '-p', folder])
}

const example = readFileSync(join(ROOT, 'docs/client.md'), 'utf8').match(
  /## In 40 lines[\s\S]*?```ts\n([\s\S]*?)```/,
)![1]!

beforeAll(async () => {
  mkdirSync(installed, { recursive: true })
  expect(await run(['bun', join(ROOT, 'clients/typescript/main.ts'), installed])).toMatchObject({
    exitCode: 0,
  })
})

test('the program is as short as its heading says', () => {
  expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(40)
})

test('its types need a browser’s alone, also without skipLibCheck', async () => {
  await Bun.write(join(folder, 'example.ts'), example)
  expect(await check(['example.ts'])).toEqual({ exitCode: 0, output: '' })
})

test('a wrong call does not compile', async () => {
  const wrong = `import { connect, rest } from 'roost/client'
const roost = rest({ url: 'x' })
// @ts-expect-error a path that no route has
roost.factory.gpu.computers.get()
// @ts-expect-error a method that the path does not have
roost.factory.gpu.servers.delete()
// @ts-expect-error a field of another type
roost.factory.gpu.servers({ server_id: 'x' }).put({ draining: 'yes' })
// @ts-expect-error a required field is missing
roost.portfolio.photos.search.get({ query: {} })
// @ts-expect-error a route of another contract
roost.learning['invite-codes'].post({})
const live = connect({ url: 'x', token: 'x' })
// @ts-expect-error a misspelt type of event
live.on('task.creatd', () => {})
// @ts-expect-error a field that the event lacks
live.on('task.created', ({ data }) => data.name)
// @ts-expect-error a field that the state lacks
live.watch('gpu:cluster', ({ progress }) => progress)
`
  await Bun.write(join(folder, 'wrong.ts'), wrong)
  expect(await check(['wrong.ts'])).toEqual({ exitCode: 0, output: '' })
})

test('Eden’s own treaty takes the type of the app', async () => {
  // Eden's types lead to those of elysia, which name packages and globals that a browser does not have.
  for (const name of ['elysia', '@elysiajs']) {
    if (!existsSync(join(folder, 'node_modules', name)))
      symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  }
  const program = `import { treaty } from '@elysiajs/eden'
import type { App } from 'roost/client/eden'
const client = treaty<App>('x')
const { data } = await client.api.v1.materials.get({ query: { page_size: 9 } })
export const total: number = data!.total
// @ts-expect-error a path that no route has
client.api.gpu.computers.get()
`
  await Bun.write(join(folder, 'treaty.ts'), program)
  expect(await check(['treaty.ts'], { skipLibCheck: true })).toEqual({ exitCode: 0, output: '' })
})

test('the package is small, and has nothing of the server', () => {
  const script = readFileSync(join(installed, 'index.js'))
  expect(script.includes('TypeBox')).toBeFalse()
  expect(brotliCompressSync(script).length).toBeLessThan(20_000)
  const declared = readdirSync(installed).filter((name) => name.endsWith('.d.ts') && name !== 'eden.d.ts')
  for (const name of declared) {
    const text = readFileSync(join(installed, name), 'utf8')
    for (const [, from] of text.matchAll(/from '([^']+)'/g)) expect(from, name).toStartWith('./')
  }
})

test('its README has the example, and no link that leads out of the package', () => {
  const readme = readFileSync(join(installed, 'README.md'), 'utf8')
  expect(readme).toContain(example)
  const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, to]) => to!)
  expect(links.length).toBeGreaterThan(5)
  expect(links.filter((to) => !/^(#|https:)/.test(to))).toEqual([])
})

test.each([
  ['bun', 'live'],
  // Before version 22 Node has no WebSocket: then the events come over HTTP.
  ['node', '(live|polling)'],
])('the program runs under %s', async (runtime, status) => {
  const { user } = await makeUser(server, { balanceMinor: 100_000 })
  const program = example.replace('http://localhost:8000', server.url).replace('ada@example.com', user.email)
  const script = new Bun.Transpiler({ loader: 'ts' }).transformSync(program)
  await Bun.write(join(folder, 'example.mjs'), script)
  const { exitCode, output } = await run([runtime, 'example.mjs'])
  expect(output).toContain('no photo: RESOURCE_NOT_FOUND\n')
  expect(output).toContain('planned: Stand-up\n')
  expect(output).toMatch(new RegExp(`^the task is cancelled, the connection ${status}$`, 'm'))
  expect(output).toEndWith('the session is over: signed_out\n')
  expect(exitCode).toBe(0)
})
