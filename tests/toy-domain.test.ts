/** A new domain touches its own folders and one line each in a few lists, which docs/adding-a-domain.md names. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '../src/client/index.ts'
import { upwardImports } from './support/domains.ts'
import { eventually, ROOT, ServerProcess, temporaryDirectory } from './support/process.ts'
import { moduleState, wireNames } from './support/source-rules.ts'
import { FILES, LISTS, scaffold } from './support/toy-domain.ts'
import { importsOf, violations } from './support/walls.ts'

const root = temporaryDirectory('toy')
let server: ServerProcess
beforeAll(async () => {
  scaffold(root)
  server = await ServerProcess.start({}, root)
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  rmSync(root, { recursive: true, force: true })
})

const post = (path: string, body: object, token?: string) =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })

const signIn = async (): Promise<string> => {
  const answer = await post('/api/auth/login', { email: 'admin@example.com', password: 'admin123' })
  return ((await answer.json()) as { data: { access_token: string } }).data.access_token
}

describe('a domain that is added as the document says', () => {
  test('keeps the rules of the sources', () => {
    for (const [path, text] of Object.entries(FILES)) {
      const file = path.replace(/^src\//, '')
      expect(violations(file, importsOf(text)), path).toEqual([])
      expect(upwardImports(file, importsOf(text)), path).toEqual([])
      expect(moduleState(text), path).toEqual([])
      if (file.startsWith('core/') && !file.endsWith('messages.ts')) expect(wireNames(text), path).toEqual([])
    }
  })

  test('has a route, which asks for a sign-in and validates its body', async () => {
    expect((await post('/api/kites', { wind: 5 })).status).toBe(401)
    expect((await post('/api/kites', { wind: 'much' }, await signIn())).status).toBe(422)
  })

  test('has an error in the form of the contract', async () => {
    const answer = await post('/api/kites', { wind: 1 }, await signIn())
    expect(answer.status).toBe(409)
    expect(await answer.json()).toMatchObject({
      error_code: 'INVALID_STATE',
      message: '风速只有 1 级，风筝飞不起来',
      details: { wind: 1 },
    })
  })

  test('has a job, which emits an event and changes a topic', async () => {
    const token = await signIn()
    const live = connect({ url: server.url, token })
    const came: unknown[] = []
    live.on('*', ({ type, data }) => void came.push({ type, data }))
    live.watch<string>('kite', (state) => void came.push(state))
    await eventually(() => came.length === 1, 'the current value of the topic')
    expect(came).toEqual([{ height_metres: 0 }])
    expect((await post('/api/kites', { wind: 5 }, token)).status).toBe(202)
    await eventually(() => came.length === 3, 'the event and the new value')
    live.close()
    expect(came).toContainEqual({ type: 'kite.risen', data: { height_metres: 50 } })
    expect(came).toContainEqual({ height_metres: 50 })
  })

  test('has a schedule, and is in the documentation', async () => {
    const headers = { authorization: `Bearer ${await signIn()}` }
    const status = await fetch(`${server.url}/api/v1/admin/scheduler/status`, { headers })
    expect(((await status.json()) as { jobs: { id: string }[] }).jobs.map(({ id }) => id)).toContain(
      'land_kites',
    )
    const document = (await (await fetch(`${server.url}/api/docs/json`)).json()) as {
      paths: Record<string, Record<string, { security: unknown; responses: object }>>
    }
    const operation = document.paths['/api/kites']!.post!
    expect(operation.security).toEqual([{ bearerAuth: [] }])
    expect(Object.keys(operation.responses).sort()).toEqual([
      '202',
      '401',
      '403',
      '409',
      '413',
      '422',
      '500',
      '503',
    ])
  })

  test.each(Object.keys(LISTS))('is named in %s, which the document names', (path) => {
    expect(readFileSync(join(ROOT, 'docs/adding-a-domain.md'), 'utf8')).toContain(`\`${path}\``)
  })
})
