/** `bun run demo` shows what it promises, goes on where it was, and leaves nothing behind. */
import { afterAll, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { api } from '../support/api.ts'
import { eventually, freePort, Program, ROOT, temporaryDirectory } from '../support/process.ts'

const place = temporaryDirectory('demo')
afterAll(() => rmSync(place, { recursive: true, force: true }))
const directory = join(place, 'data')
const port = freePort()
const server = { url: `http://localhost:${port}` }

const program = (log: string) =>
  new Program(
    [process.execPath, '--no-env-file', 'src/demo/main.ts', directory],
    { PORT: String(port) },
    join(place, log),
  )

/** With the password that it prints. */
async function signIn(demo: Program) {
  const password = await eventually(
    () => /demo@example\.com +password: (\S+)/.exec(demo.output)?.[1],
    () => `a password in ${demo.output}`,
    120_000,
  )
  const body = { username: 'demo@example.com', password }
  const session = await api(server, 'POST', '/v1/auth/login', { body })
  const token: string = session.body.data.access_token
  return { password, get: async (path: string) => (await api(server, 'GET', path, { token })).body }
}
type User = Awaited<ReturnType<typeof signIn>>

interface Photo {
  taken_at: string
  processing_status: string
}
const photosOf = async (user: User): Promise<Photo[]> => (await user.get('/v1/photos?limit=100')).data

/** Without the one with a reminder, which each day has anew. */
const appointmentsOf = async (user: User): Promise<number> =>
  (await user.get('/api/v1/schedule-items')).filter(({ title }: { title: string }) => title !== 'Coffee')
    .length

const isListening = () =>
  fetch(`${server.url}/ready`).then(
    () => true,
    () => false,
  )

test('shows what it promises, and goes on after a stop', async () => {
  const before = { password: '', photos: 0, items: 0 }
  {
    await using demo = program('first.log')
    demo.launch()
    const user = await signIn(demo)
    // It goes on to sixty, which takes long on a busy machine: the processes that make renditions leave others the way.
    await eventually(async () => (await photosOf(user)).length >= 8, 'photos', 150_000)
    await eventually(async () => (await user.get('/api/courses/list')).length === 1, 'a course', 60_000)

    const { data: overview } = await user.get('/api/gpu/cluster/overview')
    expect(overview.online_servers).toBe(2)
    const { data: servers } = await user.get('/api/gpu/servers')
    const simulated = servers.find(({ name }: { name: string }) => name === 'simulated-gpus')
    const figuresNow = async () => (await user.get(`/api/gpu/servers/${simulated.id}/status`)).data.gpu_usage
    const figures = await figuresNow()
    expect(figures.map(({ name }: { name: string }) => name)).toEqual(
      ['80GB', '80GB', '40GB', '40GB'].map((size) => `Simulated A100 ${size}`),
    )
    await eventually(async () => !Bun.deepEquals(await figuresNow(), figures), 'figures that move')

    const { data: tasks } = await user.get('/api/tasks?page_size=100')
    expect(tasks.items.map(({ status }: { status: string }) => status)).toEqual(
      expect.arrayContaining(['pending', 'running', 'completed', 'failed', 'cancelled']),
    )
    const photos = await photosOf(user)
    expect(new Set(photos.map(({ taken_at }) => taken_at.slice(0, 7))).size).toBeGreaterThan(3)
    expect(photos.every(({ processing_status }) => processing_status === 'completed')).toBe(true)
    expect((await user.get('/api/v1/materials')).total).toBeGreaterThan(1)
    before.items = await appointmentsOf(user)
    expect(before.items).toBeGreaterThan(6)
    const { items: chats } = await user.get('/api/v1/agent-chats')
    expect((await user.get(`/api/v1/agent-chats/${chats[0].session_id}`)).messages.length).toBeGreaterThan(8)
    expect((await user.get('/api/recharge/records')).data.items).toHaveLength(1)
    expect((await user.get('/v1/webhooks')).data).toHaveLength(1)

    before.password = user.password
    before.photos = (await photosOf(user)).length
    demo.signal('SIGINT')
    expect(await demo.exited).toBe(0)
    expect(await isListening()).toBe(false)
  }
  await using demo = program('second.log')
  demo.launch()
  const user = await signIn(demo)
  expect(user.password).toBe(before.password)
  await eventually(async () => (await photosOf(user)).length > before.photos, 'more photos', 100_000)
  expect(await appointmentsOf(user)).toBe(before.items)
  // Nobody starts a server again that ends by itself, so the demo ends too.
  const [, pid] = /process (\d+)/.exec(readFileSync(join(directory, 'server.log'), 'utf8'))!
  process.kill(Number(pid), 'SIGKILL')
  expect(await demo.exited).toBe(1)
  expect(demo.output).toContain('The server has ended')
}, 300_000)

test('takes no directory that has something else', async () => {
  const foreign = join(place, 'foreign')
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'thesis.txt'), 'mine')
  const command = [process.execPath, '--no-env-file', 'src/demo/main.ts', foreign, '--fresh']
  const child = Bun.spawn(command, { cwd: ROOT, stderr: 'pipe' })
  expect([await child.exited, await child.stderr.text()]).toEqual([
    1,
    `${foreign} has files that are not of a demo. Name another directory.\n`,
  ])
  expect(existsSync(join(foreign, 'thesis.txt'))).toBe(true)
})
