/** docs/contracts/portfolio.md, "Watermark". */
import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { watermarkHandle } from '../../../src/core/photo-files/job-handles.ts'
import { photoFilesJobs } from '../../../src/core/photo-files/jobs.ts'
import { readRun } from '../../../src/core/photo-files/watermark-runs.ts'
import { createImaging, type Imaging } from '../../../src/imaging/imaging.ts'
import { api } from '../../support/api.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { form, sendForm } from '../../support/files.ts'
import { picture96 } from '../../support/photo-fixtures.ts'
import { eventually } from '../../support/process.ts'
import { query } from '../../support/server.ts'
import { openLive } from '../../support/sockets.ts'
import { openStorages } from '../../support/storages.ts'
import { watchGenerations } from '../../support/unraised.ts'

const NAMES = ['thumb_small', 'thumb_medium', 'thumb_large', 'display', 'webp'] as const

/** Decodes nothing: the bytes of a rendition say what it shows. */
const drawn: { marked: string | undefined; only: boolean }[] = []
let fault: Error | undefined
let gate: Promise<unknown> = Promise.resolve()
const photo: Imaging['photo'] = async ({ output, only = NAMES, watermark, onlyMarked }) => {
  drawn.push({ marked: watermark?.text, only: onlyMarked ?? false })
  await gate
  if (fault) throw fault
  const draw = async (name: (typeof NAMES)[number], text: string) => {
    const path = join(output, `${name}-${text}`)
    const size = await Bun.write(path, `${name} ${text}`)
    return { name, path, width: 30, height: 20, size }
  }
  const clean = onlyMarked ? [] : only.map((name) => draw(name, 'clean'))
  const marked = only.map(async (name) => ({
    ...(await draw(name, `marked ${watermark?.text}`)),
    marked: true as const,
  }))
  const renditions = await Promise.all([...clean, ...(watermark ? marked : [])])
  return {
    width: 30,
    height: 20,
    placeholder: 'AAAA',
    exif: {},
    place: {},
    takenAt: null,
    takenOffset: null,
    renditions,
  }
}

const storages = await openStorages({ imaging: { ...createImaging(), photo } })
afterAll(storages.stop)
const PICTURE = new Uint8Array(await picture96())

describe.each(storages.each)('on %s', (kind, { server, keys }) => {
  const isBucket = kind === 'S3'
  const adminOf = makeUser(server, { role: 'admin' })
  const generations = watchGenerations(server)

  const put = async (body: object) => {
    const { status } = await api(server, 'PUT', '/v1/settings', { token: (await adminOf).token, body })
    expect(status).toBe(200)
  }
  const run = async () =>
    (await api(server, 'GET', '/v1/settings/watermark', { token: (await adminOf).token })).body.data
  const copies = async () =>
    (await api(server, 'GET', '/v1/stats/storage', { token: (await adminOf).token })).body.data.breakdown
      .public_copies
  const runEnds = () => eventually(async () => (await run()).status === 'completed', 'the run ends')
  const formatsOf = async (id: number, token?: string): Promise<string[]> =>
    Object.values((await api(server, 'GET', `/v1/photos/${id}`, { token })).body.data.formats)
  /** What the addresses that this viewer is shown lead to, without a sign-in, but for the uploaded file. */
  const seen = async (id: number, token?: string) => {
    const { original: _, ...formats } = (await api(server, 'GET', `/v1/photos/${id}`, { token })).body.data
      .formats
    return Promise.all(Object.values<string>(formats).map(contentOf))
  }
  const contentOf = async (url: string) => {
    const answer = await fetch(url)
    if (answer.status !== 200) return String(answer.status)
    const bytes = await answer.bytes()
    return bytes[0] === 0xff ? 'placeholder' : Buffer.from(bytes).toString()
  }
  const all = (text: string) => ['display', ...NAMES].map((name) => `${name} ${text}`).sort()
  const shows = async (id: number, texts: string[], token?: string) =>
    expect((await seen(id, token)).sort()).toEqual(texts)

  async function publish(owner: TestUser): Promise<{ id: number; fileId: number }> {
    const { file_id } = (
      await sendForm(server, '/v1/upload/single', owner.token, form(['file', PICTURE, 'a.jpg']))
    ).body.data
    const body = { title: 'A', file_id, status: 'published' }
    const { id } = (await api(server, 'POST', '/v1/photos', { token: owner.token, body })).body.data
    const state = () => api(server, 'GET', `/v1/photos/${id}`, { token: owner.token })
    await eventually(
      async () => (await state()).body.data.processing_status === 'completed',
      'it is processed',
    )
    return { id, fileId: Number(file_id.slice('upload_'.length)) }
  }

  /** Every address of the renditions of this file that exists, on this server and in the bucket. */
  async function guessed(fileId: number): Promise<string[]> {
    const [row] = await query(server, sql`select renditions from photo_files where id = ${fileId}`)
    const stored = (row!.renditions as { key: string }[]).map(({ key }) => key)
    const hidden = stored.map((key) => `hidden/${key}`)
    const here = [...stored, ...hidden].map((key) => `${server.url}/files/${key}`)
    return isBucket
      ? [...here, ...[...stored, ...hidden].map((key) => `${storages.s3.bucketUrl}/${key}`)]
      : here
  }

  test('on and off again: visitors see the text and nothing else, owners and administrators see no text', async () => {
    const [admin, owner, stranger] = [
      await adminOf,
      await makeUser(server, { role: 'editor' }),
      await makeUser(server, { role: 'editor' }),
    ]
    const { id, fileId } = await publish(owner)
    await shows(id, all('clean'))
    if (isBucket)
      await eventually(
        async () => (await formatsOf(id)).every((url) => url.startsWith(storages.s3.bucketUrl)),
        'the copies are in the bucket',
      )
    const cleanAddresses = await formatsOf(id)
    const live = await openLive(server, admin.token)
    live.send({ type: 'subscribe', topic: 'settings:watermark' })
    await live.next('watermark_update')
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    try {
      await put({ image: { watermark_enabled: true, watermark_text: '© 水印' } })
      // No photo has been processed yet, and every address leads to a picture.
      for (const token of [undefined, stranger.token]) await shows(id, Array(6).fill('placeholder'), token)
      const served = cleanAddresses.map((url) => url.replace(storages.s3.bucketUrl, `${server.url}/files`))
      for (const url of served) expect([url, await contentOf(url)]).toEqual([url, 'placeholder'])
      for (const token of [owner.token, admin.token]) await shows(id, all('clean'), token)
    } finally {
      gate = Promise.resolve()
      resolve()
    }
    const { data } = await live.next('watermark_update', ({ data }) => data.status === 'completed')
    expect(data).toMatchObject({ failed: 0, percent: 100, done: data.total })
    expect(data.done).toBeGreaterThan(0)
    for (const token of [undefined, stranger.token]) await shows(id, all('marked © 水印'), token)
    for (const token of [owner.token, admin.token]) await shows(id, all('clean'), token)
    if (isBucket)
      await eventually(
        async () => (await formatsOf(id)).every((url) => url.startsWith(storages.s3.bucketUrl)),
        'the copies with the text are in the bucket',
      )
    await shows(id, all('marked © 水印'))
    await eventually(
      async () => (await copies()).objects === (await keys('photos/')).length,
      'the statistics count the copies that exist',
    )
    const marked = await formatsOf(id)
    for (const url of [...(await guessed(fileId)), ...cleanAddresses]) {
      expect([url, await contentOf(url)]).not.toEqual([url, expect.stringContaining('clean')])
    }
    const covers = await api(server, 'GET', '/v1/photos?limit=100', { token: stranger.token })
    for (const { formats } of covers.body.data)
      for (const url of Object.values<string>(formats)) expect(await contentOf(url)).not.toContain('clean')

    await put({ image_watermark_enabled: false })
    await shows(id, all('clean'))
    for (const url of marked.map((one) => one.replace(storages.s3.bucketUrl, `${server.url}/files`)))
      expect([url, await contentOf(url)]).toEqual([url, expect.stringContaining('clean')])
    await runEnds()
    await shows(id, all('clean'))
    await eventually(
      async () => (await keys(`hidden/photos/${fileId}/`)).length === 5,
      'the others are deleted',
    )
    if (isBucket)
      await eventually(
        async () => (await formatsOf(id)).every((url) => url.startsWith(storages.s3.bucketUrl)),
        'the clean copies are in the bucket',
      )
    await shows(id, all('clean'))
    live.close()
  })

  test('a private photo; a photo uploaded while it is on; a text that is changed while photos are processed', async () => {
    const owner = await makeUser(server, { role: 'editor' })
    const before = await publish(owner)
    await api(server, 'PUT', `/v1/photos/${before.id}`, {
      token: owner.token,
      body: { visibility: 'private' },
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    await put({ image: { watermark_enabled: true, watermark_text: 'first' } })
    await eventually(() => drawn.at(-1)?.marked === 'first', 'a photo is being processed')
    await put({ image_watermark_text: '', site_title: 'The site' })
    gate = Promise.resolve()
    resolve()
    await runEnds()
    await shows(before.id, all('clean'), owner.token)
    const [row] = await query(server, sql`select renditions from photo_files where id = ${before.fileId}`)
    const ids = (row!.renditions as { watermark?: string }[]).map(({ watermark }) => watermark)
    expect([ids.length, new Set(ids).size]).toEqual([10, 2])
    await api(server, 'PUT', `/v1/photos/${before.id}`, {
      token: owner.token,
      body: { visibility: 'public' },
    })
    await shows(before.id, all('marked The site'))
    const after = await publish(owner)
    await shows(after.id, all('marked The site'))
    await shows(after.id, all('clean'), owner.token)
    await put({ image_watermark_enabled: false })
    await runEnds()
  })

  test('processing that began before the change follows it at its end', async () => {
    const owner = await makeUser(server, { role: 'editor' })
    const { id, fileId } = await publish(owner)
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    const again = { token: owner.token, body: { force: true } }
    await api(server, 'POST', `/v1/upload/upload_${fileId}/reprocess`, again)
    const status = () => api(server, 'GET', `/v1/upload/status/upload_${fileId}`, { token: owner.token })
    await eventually(async () => (await status()).body.data.status === 'processing', 'it is in processing')
    await put({ image: { watermark_enabled: true, watermark_text: 'late' } })
    gate = Promise.resolve()
    resolve()
    await eventually(async () => (await seen(id)).includes('display marked late'), 'it has the text')
    await put({ image_watermark_enabled: false })
    await runEnds()
  })

  test('none of these changes left an old answer in a cache', async () => {
    const { noticed, unraised } = await generations
    expect(await noticed()).toContain('update of photo_files')
    expect(await unraised()).toEqual([])
  })
})

test('a run that is cut off goes on where it was; photos that cannot be processed hold up nothing', async () => {
  const [, { server }] = storages.each[0]!
  const admin = await makeUser(server, { role: 'admin' })
  const owner = await makeUser(server, { role: 'editor' })
  const put = (body: object) => api(server, 'PUT', '/v1/settings', { token: admin.token, body })
  const run = async () =>
    (await api(server, 'GET', '/v1/settings/watermark', { token: admin.token })).body.data
  const before = await query(
    server,
    sql`select count(*)::int as n from photo_files where status = 'completed'`,
  )
  const files = before[0]!.n as number
  expect(files).toBeGreaterThan(1)
  // The newest file has lost its object.
  const { file_id } = (
    await sendForm(server, '/v1/upload/single', owner.token, form(['file', PICTURE, 'a.jpg']))
  ).body.data
  const status = () => api(server, 'GET', `/v1/upload/status/${file_id}`, { token: owner.token })
  await eventually(async () => (await status()).body.data.status === 'completed', 'it is processed')
  const [row] = await query(server, sql`select object_key as key from photo_files order by id desc limit 1`)
  await server.ctx.storage.delete([row!.key as string])

  drawn.length = 0
  fault = new Error('the machine stops')
  await put({ image: { watermark_enabled: true, watermark_text: 'again' } })
  await eventually(async () => drawn.length > 0 && (await run()).done === 1, 'the second photo has failed')
  expect(await run()).toMatchObject({ status: 'running', total: files + 1, done: 1, failed: 1 })
  // Every try of the job fails.
  const job = photoFilesJobs.jobs.find(({ name }) => name === watermarkHandle.name)!
  await job.onGiveUp!(server.ctx, { run: (await readRun(server.ctx)).run } as never, {
    reason: '',
    attempt: 1,
  })
  expect(await run()).toMatchObject({ status: 'running', done: 2, failed: 2 })
  fault = undefined
  await eventually(async () => (await run()).status === 'completed', 'the run ends')
  expect(await run()).toMatchObject({ total: files + 1, done: files + 1, failed: 2, percent: 100 })
  await put({ image_watermark_enabled: false })
})
