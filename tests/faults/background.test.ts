/**
 * Protects docs/contracts/portfolio.md, "Watermark", and docs/design.md, "Deleted accounts": a server that is killed while it
 * makes renditions with the watermark, or deletes the data of a deleted user, goes on with it after its start.
 */
import { expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { form, sendForm } from '../support/files.ts'
import { picture96 } from '../support/photo-fixtures.ts'
import { eventually, ServerProcess } from '../support/process.ts'
import { must, signInAsAdmin } from './client.ts'
import { openParts } from './parts.ts'

const PHOTOS = 4

test('a watermark run and the deletion of an account outlive kill -9', async () => {
  await using parts = await openParts('embedded')
  await using server = await ServerProcess.start(parts.env)
  const admin = await signInAsAdmin(server.url)
  const request = (method: string, path: string, body?: object, token = admin) =>
    must(server.url, method, path, { token, ...(body && { body }) })
  const files = () =>
    readdirSync(join(parts.dataDir, 'objects'), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    ).length

  const account = { email: 'owner@example.com', password: 'secret123' }
  const created = await request('POST', '/v1/users', { ...account, username: 'owner', role: 'editor' })
  const login = await request('POST', '/v1/auth/login', { username: 'owner', password: account.password })
  const owner = login.body.data.access_token
  const photo = new Uint8Array(await picture96())
  const ids: number[] = []
  for (let n = 0; n < PHOTOS; n++) {
    const uploaded = await sendForm(server, '/v1/upload/single', owner, form(['file', photo, `${n}.jpg`]))
    const { file_id } = uploaded.body.data
    const body = { title: `Night ${n}`, file_id, status: 'published' }
    ids.push((await request('POST', '/v1/photos', body, owner)).body.data.id)
    await eventually(
      async () =>
        (await request('GET', `/v1/upload/status/${file_id}`, undefined, owner)).body.data.status ===
        'completed',
      'the photo is processed',
    )
  }
  const clean = files()

  const run = async () => (await request('GET', '/v1/settings/watermark')).body.data
  await request('PUT', '/v1/settings', { image: { watermark_enabled: true, watermark_text: 'Roost' } })
  await eventually(async () => (await run()).done >= 1, 'the run has begun')
  await server.kill()
  await server.start()
  const { status, done } = await run()
  expect(status).toBe('running')
  expect(done).toBeWithin(1, PHOTOS)
  await eventually(async () => (await run()).status === 'completed', 'the run ends')
  expect(await run()).toMatchObject({ total: PHOTOS, done: PHOTOS, failed: 0 })
  // Each photo has its second set of five, and no rendition was left twice.
  expect(files()).toBe(clean + PHOTOS * 5)

  await request('DELETE', `/v1/users/${created.body.data.id}`)
  await eventually(() => files() < clean + PHOTOS * 5, 'the deletion has begun')
  await server.kill()
  const left = files()
  await server.start()
  await eventually(
    () => files() === 0,
    () => `all files are deleted; of ${left} there are ${files()}`,
  )
  for (const id of ids) {
    const answer = await fetch(`${server.url}/v1/photos/${id}`)
    expect(answer.status).toBe(404)
  }
  expect(server.complaints).toEqual([])
})
