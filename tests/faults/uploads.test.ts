/**
 * Protects docs/contracts/learning.md, "Uploads" and "Thumbnails": a server that is killed in the middle of either leaves
 * no remains, and the thumbnail is made; a file that exceeds the limits is tried once.
 */
import { describe, expect, test } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import sharp from 'sharp'
import { fixture, processesOf } from '../imaging/support.ts'
import { rawClient, startS3 } from '../storage/kinds.ts'
import { form, mp4, sendForm, slowUpload, upload } from '../support/files.ts'
import { eventually, ServerProcess } from '../support/process.ts'
import { type Account, ask, must, register, signInAsAdmin } from './client.ts'
import { openParts } from './parts.ts'
import { Reader } from './reader.ts'

const MB = 1024 * 1024

/** A server on the embedded database, and the objects in its storage, also while the server is not running. */
async function open(stack: AsyncDisposableStack, storage: 'disk' | 'S3') {
  const parts = stack.use(await openParts('embedded'))
  if (storage === 'disk') {
    const objects = join(parts.dataDir, 'objects')
    const stored = async () => {
      const entries = await readdir(objects, { recursive: true, withFileTypes: true })
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
    }
    return { server: stack.use(await ServerProcess.start(parts.env)), stored }
  }
  const s3 = stack.use(await startS3())
  const config = s3.config()
  const Bucket = config.bucket
  const client = rawClient(config)
  stack.defer(() => client.destroy())
  const env = {
    S3_ENDPOINT: config.endpoint!,
    S3_BUCKET: Bucket,
    S3_ACCESS_KEY_ID: config.accessKeyId,
    S3_SECRET_ACCESS_KEY: config.secretAccessKey,
  }
  const stored = async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }))
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
    return [...Contents, ...Uploads].map(({ Key }) => Key!)
  }
  return { server: stack.use(await ServerProcess.start({ ...parts.env, ...env })), stored }
}

async function send({ url }: ServerProcess, { token }: Account, name: string) {
  const file = new Uint8Array(fixture(name))
  const answer = await upload({ url }, token, form(['title', name], ['file', file, name]))
  expect(answer.status).toBe(201)
  return (await answer.json()) as { id: number; file_path: string }
}

/** The events about a material that its uploader got, in order. */
const storyOf = (reader: Reader, id: number): string[] =>
  reader.events
    .map(({ text }) => JSON.parse(text))
    .filter(({ data }) => data.material_id === id)
    .map(({ type }) => type)

describe.concurrent('a server that is killed', () => {
  test.each(['disk', 'S3'] as const)(
    'in the middle of an upload to %s: the next start tidies up',
    async (kind) => {
      await using stack = new AsyncDisposableStack()
      const { server, stored } = await open(stack, kind)
      const owner = await register(server.url)
      const reader = await stack.use(new Reader('uploader', () => server.wsUrl, owner)).ready()
      const admin = await signInAsAdmin(server.url)
      const pause = '/api/v1/admin/scheduler/jobs/cleanup_job/pause'
      await must(server.url, 'POST', pause, { token: admin })
      const slow = slowUpload(server, owner.token, 20 * MB)
      slow.send(mp4(12 * MB))
      const { material_id } = (await reader.event('upload.started')).data
      await eventually(async () => (await stored()).length > 0, 'some of it is stored')
      await server.kill()
      slow.cut()
      expect(await stored()).toHaveLength(1)

      await server.start()
      expect((await reader.event('upload.failed')).data).toMatchObject({
        material_id,
        reason: 'UPLOAD_FAILED',
      })
      expect(await stored()).toEqual([])
      const status = await ask(server.url, 'GET', `/api/v1/upload/status/${material_id}`, {
        token: owner.token,
      })
      expect(status?.status).toBe(404)
      const scheduler = await must(server.url, 'GET', '/api/v1/admin/scheduler/status', { token: admin })
      expect(scheduler.body.jobs).toContainEqual(
        expect.objectContaining({ id: 'cleanup_job', next_run_time: null }),
      )
      expect([...reader.problems, ...server.complaints]).toEqual([])
    },
  )

  test('in the middle of a thumbnail: it comes, once', async () => {
    await using stack = new AsyncDisposableStack()
    const { server } = await open(stack, 'disk')
    const owner = await register(server.url)
    const reader = await stack.use(new Reader('uploader', () => server.wsUrl, owner)).ready()
    const { id, file_path } = await send(server, owner, 'picture-400m.pdf')
    await eventually(() => processesOf(file_path).length > 0, 'it is being drawn')
    await server.kill()
    await server.start()
    // A picture this large keeps a processor busy, which other tests use too.
    const { data } = await reader.event('thumbnail.completed', undefined, 120_000)
    expect(data.material_id).toBe(id)
    expect((await fetch(`${server.url}/files/${data.thumbnail_path}`)).status).toBe(200)
    await eventually(
      async () => (await readdir(join(server.dataDir, 'tmp'))).length === 0,
      'its directories go',
    )
    expect(storyOf(reader, id)).toEqual(['upload.started', 'upload.completed', 'thumbnail.completed'])
    expect([...reader.problems, ...server.complaints]).toEqual([])
  })
})

test('a server that is killed while it processes a photo: the photo is processed, once', async () => {
  await using stack = new AsyncDisposableStack()
  const { server, stored } = await open(stack, 'disk')
  const token = await signInAsAdmin(server.url)
  const admin = { id: 1, email: 'admin@example.com', token }
  const reader = await stack.use(new Reader('photographer', () => server.wsUrl, admin)).ready()
  const create = { width: 1500, height: 1000, channels: 3 as const, background: '#27ae60' }
  const photo = new Uint8Array(await sharp({ create }).jpeg().toBuffer())
  const path = '/v1/upload/single'
  const { body } = await sendForm(server, path, token, form(['file', photo, 'killed-halfway.jpg']))
  const { file_id } = body.data
  await eventually(() => processesOf('killed-halfway').length > 0, 'it is being processed')
  await server.kill()
  await server.start()
  const { data } = await reader.event('photo.processed')
  expect(data).toEqual({ file_id, photo_id: null, status: 'completed', reason: null })
  const status = await must(server.url, 'GET', `/v1/upload/status/${file_id}`, { token })
  expect(status.body.data).toMatchObject({ status: 'completed', progress: 100 })
  // The photo and its renditions.
  expect(await stored()).toHaveLength(6)
  const story = reader.events
    .map(({ text }) => JSON.parse(text))
    .filter(({ data }) => data.file_id === file_id)
  expect(story.map(({ type }) => type)).toEqual(['upload.started', 'upload.completed', 'photo.processed'])
  expect([...reader.problems, ...server.complaints]).toEqual([])
})

test('a file that takes too much memory costs one try; then there is a placeholder', async () => {
  await using stack = new AsyncDisposableStack()
  const { server } = await open(stack, 'disk')
  const owner = await register(server.url)
  const reader = await stack.use(new Reader('uploader', () => server.wsUrl, owner)).ready()
  const bomb = await send(server, owner, 'contents-512m.pdf')
  const { data } = await reader.event('thumbnail.failed', undefined, 60_000)
  expect(data).toMatchObject({ material_id: bomb.id, reason: 'MEMORY' })
  expect(server.output).not.toContain('a job failed')
  const picture = await fetch(`${server.url}/files/${data.thumbnail_path}`)
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
  const video = await send(server, owner, 'h264.mp4')
  expect((await reader.event('thumbnail.completed')).data.material_id).toBe(video.id)
  expect([...reader.problems, ...server.complaints]).toEqual([])
})
