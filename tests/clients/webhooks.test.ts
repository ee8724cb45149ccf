/**
 * The official libraries of Standard Webhooks in three languages verify what a receiver gets. Python needs PyPI at its first run;
 * Go's library is in `webhooks/go`.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { api } from '../support/api.ts'
import { makeTask, makeUser } from '../support/factories.ts'
import { type Received, Receiver } from '../support/receiver.ts'
import { startServer } from '../support/server.ts'
import { pythonPrograms } from './python-environment.ts'
import { run } from './run.ts'

const folder = join(import.meta.dir, 'webhooks')
const built = mkdtempSync(join(tmpdir(), 'roost-webhooks-'))
const goProgram = join(built, 'verify')
const server = await startServer({ ALLOW_PRIVATE_EGRESS: '1' })
const receiver = new Receiver()
afterAll(async () => {
  await server.stop()
  await receiver.stop()
  rmSync(built, { recursive: true, force: true })
})

/** A delivery to a webhook with this secret, or with one that the server makes. */
async function deliver(given?: string): Promise<{ secret: string; one: Received }> {
  const user = await makeUser(server)
  const body = { url: receiver.url, events: ['task.created'], ...(given && { secret: given }) }
  const made = await api(server, 'POST', '/v1/webhooks', { token: user.token, body })
  const task = await makeTask(server, user, { title: '夜景 "quoted"' })
  const [one] = await receiver.wait(1, (other) => other.body.data.task_id === task.uuid)
  return { secret: made.body.data.secret, one: one! }
}

async function build(): Promise<void> {
  const go = Bun.which('go') ?? '/usr/local/go/bin/go'
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: join(folder, 'go') }
  await run([go, 'build', '-o', goProgram, 'verify.go'], { cwd: folder, env })
}

async function verify(command: string[], secret: string, { text, headers }: Received): Promise<unknown> {
  const stdin = new Blob([JSON.stringify({ secret, body: text, headers })])
  return JSON.parse(await run(command, { cwd: folder, stdin }))
}

describe.each([
  ['made by the server', undefined],
  ['of the user', 'webhook_secret_key 密钥'],
])('a secret %s', (_, given) => {
  test('JavaScript', async () => {
    const { secret, one } = await deliver(given)
    const webhook = given ? new Webhook(Buffer.from(secret).toString('base64')) : new Webhook(secret)
    expect(webhook.verify(one.text, one.headers)).toEqual(one.body)
    expect(() => webhook.verify(`${one.text} `, one.headers)).toThrow()
  })

  // What a language needs is there before the delivery, because the libraries refuse one that is five minutes old.
  test('Python', async () => {
    const python = join(await pythonPrograms(), 'python')
    const { secret, one } = await deliver(given)
    expect(await verify([python, 'verify.py'], secret, one)).toEqual({ event: 'task.created', refused: true })
  })

  test('Go', async () => {
    await build()
    const { secret, one } = await deliver(given)
    expect(await verify([goProgram], secret, one)).toEqual({ event: 'task.created', refused: true })
  })
})
