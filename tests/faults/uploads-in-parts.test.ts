/**
 * Protects docs/contracts/portfolio.md, "Chunked uploads" and "Resumable uploads": a server that is killed in the middle loses
 * no chunk and no piece that it had stored, and another server, or the next start, goes on.
 */
import { expect, test } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { jpegWith } from '../support/photo-fixtures.ts'
import { eventually, ServerProcess } from '../support/process.ts'
import { must, signInAsAdmin } from './client.ts'
import { type DatabaseKind, hasPostgres, NO_DATABASE, openParts } from './parts.ts'

if (!hasPostgres) console.log(`skipped: uploads that go on at another server: ${NO_DATABASE}`)

const MB = 1024 * 1024
const FILE = Buffer.concat([await jpegWith({}), Buffer.alloc(7 * MB)])
const SHA256 = new Bun.CryptoHasher('sha256').update(FILE).digest('hex')

/** A body of which only the first bytes are sent. */
const hanging = (bytes: Uint8Array) =>
  new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(bytes) })

test('uploads go on at the same server, started again', () => goOn('embedded'))
test.skipIf(!hasPostgres)('uploads go on at another server', () => goOn('PostgreSQL'))

async function goOn(database: DatabaseKind) {
  await using stack = new AsyncDisposableStack()
  const parts = stack.use(await openParts(database))
  const first = stack.use(await ServerProcess.start(parts.env))
  const second = database === 'embedded' ? first : stack.use(await ServerProcess.start(parts.env))
  const token = await signInAsAdmin(first.url)
  const authorization = `Bearer ${token}`

  const body = { filename: 'a.jpg', file_size: FILE.byteLength, chunk_size: MB, sha256: SHA256 }
  const begun = await must(first.url, 'POST', '/v1/upload/chunked/init', { token, body })
  const path = `/v1/upload/chunked/${begun.body.data.upload_id}`
  const chunk = (index: number) => FILE.subarray(index * MB, (index + 1) * MB)
  const put = async ({ url }: ServerProcess, index: number) => {
    const target = `${url}${path}/chunks/${index}`
    const sent = { method: 'PUT', headers: { authorization }, body: new Uint8Array(chunk(index)) }
    expect((await fetch(target, sent)).status).toBe(200)
  }
  await Promise.all([5, 0, 2].map((index) => put(first, index)))
  const half = { method: 'PUT', headers: { authorization }, body: hanging(chunk(1).subarray(0, 500_000)) }
  fetch(`${first.url}${path}/chunks/1`, half).catch(() => {})

  const headers = { authorization, 'upload-complete': '?0' }
  const created = await fetch(`${first.url}/v1/upload/resumable`, { method: 'POST', headers })
  const { pathname } = new URL(created.headers.get('location')!)
  const append = (at: number, isLast: boolean) => ({
    authorization,
    'content-type': 'application/partial-upload',
    'upload-offset': String(at),
    'upload-complete': isLast ? '?1' : '?0',
  })
  const cut = { method: 'PATCH', headers: append(0, true), body: hanging(FILE.subarray(0, 5 * MB)) }
  fetch(first.url + pathname, cut).catch(() => {})
  const folder = join(parts.dataDir, 'objects/incoming', pathname.split('/').pop()!)
  const filesIn = async (directory: string) => (await readdir(directory).catch(() => [])).length
  const drafts = join(parts.dataDir, 'objects/.unfinished')
  // The next piece begins when the first one is recorded; the other draft is the half chunk.
  await eventually(
    async () => (await filesIn(folder)) === 1 && (await filesIn(drafts)) === 2,
    'a piece is stored',
  )

  await first.kill()
  if (database === 'embedded') await first.start()

  const state = await must(second.url, 'GET', path, { token })
  expect(state.body.data).toMatchObject({ received_chunks: 3, missing_chunks: [1, 3, 4, 6, 7] })
  await Promise.all([1, 3, 4, 6, 7].map((index) => put(second, index)))
  const complete = () => must(second.url, 'POST', `${path}/complete`, { token })
  const [one, two] = await Promise.all([complete(), complete()])
  expect(one.body.data).toMatchObject({ sha256: SHA256, file_size: FILE.byteLength })
  expect(two.body.data.file_id).toBe(one.body.data.file_id)

  const reached = await fetch(second.url + pathname, { method: 'HEAD', headers: { authorization } })
  expect(reached.headers.get('upload-offset')).toBe(String(4 * MB))
  const rest = {
    method: 'PATCH',
    headers: append(4 * MB, true),
    body: new Uint8Array(FILE.subarray(4 * MB)),
  }
  const done = await fetch(second.url + pathname, rest)
  expect(done.status).toBe(201)
  expect(((await done.json()) as { data: { sha256: string } }).data.sha256).toBe(SHA256)
  expect(second.complaints).toEqual([])
}
