/**
 * The programs and commands that the documents print, run as they are. They go to http://localhost:8000; this machine leads them
 * to the server of the test. Only factory's document prints any.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../support/server.ts'
import { pythonPrograms } from './python-environment.ts'
import { run } from './run.ts'

const DOCUMENTS = join(import.meta.dir, 'documents')
const folder = mkdtempSync(join(tmpdir(), 'roost-documents-'))
const server = await startServer()
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.stop()
})
const { port } = new URL(server.url)
// `~/.curlrc` of these commands.
writeFileSync(
  join(folder, '.curlrc'),
  `connect-to = "localhost:8000:127.0.0.1:${port}"\nsilent\nshow-error\n`,
)
const read = (name: string) => Bun.file(join(DOCUMENTS, name)).text()

/** Runs a command of a document with the token that its reader puts in. @returns the JSON that it prints */
async function shell(name: string, token = '') {
  const command = (await read(name)).replace('YOUR_TOKEN_HERE', token)
  return JSON.parse(await run(['sh', '-c', command], { env: { ...process.env, CURL_HOME: folder } }))
}

describe.skipIf(!Bun.which('curl'))("factory's curl commands", () => {
  test('sign in, tell who that is, and create a task', async () => {
    const { success, data } = await shell('factory-login.sh')
    expect({ success, user: data.user }).toMatchObject({
      success: true,
      user: { email: 'admin@example.com', role: 'super_admin' },
    })
    const me = await shell('factory-me.sh', data.access_token)
    expect(me.data.email).toBe('admin@example.com')
    const task = await shell('factory-task.sh', data.access_token)
    expect(task.data).toMatchObject({
      title: '测试任务',
      task_type: 'test',
      description: '这是一个测试任务',
      status: 'pending',
      progress: 0,
    })
  })
})

test("factory's Python program signs in, tells who that is, and creates a task", async () => {
  const env = {
    ...process.env,
    PYTHONPATH: join(DOCUMENTS, 'redirected'),
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONIOENCODING: 'utf-8',
    ROOST_PORT: port,
  }
  const output = await run([join(await pythonPrograms(), 'python'), join(DOCUMENTS, 'factory.py')], { env })
  const [, token, user, task] = /^Token: (\S+)\n用户信息: (\{.*\})\n创建任务: (\{.*\})\n$/s.exec(output) ?? []
  expect(token, output).toMatch(/^eyJ/)
  expect(JSON.parse(user!)).toMatchObject({ success: true, data: { email: 'admin@example.com' } })
  expect(JSON.parse(task!)).toMatchObject({
    success: true,
    data: { title: '测试任务', task_type: 'test', description: 'API测试任务', status: 'pending' },
  })
})

test("factory's Postman collection signs in", async () => {
  const { variable, item } = JSON.parse(await read('factory-postman.json'))
  const base: string = variable.find(({ key }: { key: string }) => key === 'baseUrl').value
  const [{ request }] = item[0].item
  const url = request.url.raw.replace('{{baseUrl}}', base).replace('localhost:8000', `127.0.0.1:${port}`)
  const headers = request.header.map(({ key, value }: { key: string; value: string }) => [key, value])
  const answer = await fetch(url, { method: request.method, headers, body: request.body.raw })
  expect(answer.status).toBe(200)
  const { data } = (await answer.json()) as { data: { access_token: string } }
  expect(data.access_token).toMatch(/^eyJ/)
})
