import { afterAll, describe, expect, test } from 'bun:test'
import sharp from 'sharp'
import { api } from '../../support/api.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { form, sendForm, sha256Of, slowUpload, unmeasured } from '../../support/files.ts'
import { blindImaging, decoding } from '../../support/imaging.ts'
import { exifBlock, jpegWith, picture96 } from '../../support/photo-fixtures.ts'
import { makePhotos } from '../../support/photos.ts'
import { eventually } from '../../support/process.ts'
import { openLive } from '../../support/sockets.ts'
import { openStorages } from '../../support/storages.ts'

const MB = 1024 * 1024
const imaging = blindImaging()
const storages = await openStorages({ imaging })
afterAll(storages.stop)

const JPEG = new Uint8Array(await jpegWith({ exif: exifBlock({ make: 'Canon', model: 'EOS R5' }) }))
const PICTURE = new Uint8Array(await picture96())
const GIF = new Uint8Array(await sharp(PICTURE).gif().toBuffer())
const PNG = new Uint8Array(await sharp(PICTURE).png().toBuffer())
/** A JPEG with `size` bytes, of which only the first show what it is. */
const jpegOf = (size: number) => {
  const bytes = new Uint8Array(size)
  bytes.set(JPEG.subarray(0, 200))
  return bytes
}
const text = (value: string) => new Uint8Array(Buffer.from(value))

const RENDITIONS = ['display', 'thumb_large', 'thumb_medium', 'thumb_small', 'webp']
const STEPS = ['uploaded', 'exif_extraction', 'generating_thumbnails', 'optimization']

describe.each(storages.each)('on %s', (_, { server, keys, unfinished, faults }) => {
  const editor = () => makeUser(server, { role: 'editor' })
  const single = ({ token }: TestUser, file: Uint8Array<ArrayBuffer>, name = 'a.jpg') =>
    sendForm(server, '/v1/upload/single', token, form(['file', file, name]))
  const statusOf = async (id: string, { token }: TestUser) =>
    (await api(server, 'GET', `/v1/upload/status/${id}`, { token })).body.data
  const renditionsOf = async (id: string) =>
    (await keys(`hidden/photos/${id.slice('upload_'.length)}/`)).sort()
  const originalsOf = ({ user }: TestUser) => keys(`originals/${user.id}/`)

  test('a photo is uploaded, processed live, reprocessed and deleted', async () => {
    using _ = decoding(imaging)
    const owner = await editor()
    const live = await openLive(server, owner.token)
    const { status, body } = await single(owner, JPEG, '照片 1.png')
    const { file_id, upload_url, ...uploaded } = body.data
    live.send({ type: 'subscribe', topic: `upload:${file_id}` })
    expect([status, body.success, body.code]).toEqual([201, true, 201])
    expect(file_id).toMatch(/^upload_\d+$/)
    expect(uploaded).toEqual({
      original_filename: '照片 1.png',
      file_size: JPEG.byteLength,
      mime_type: 'image/jpeg',
      status: 'uploaded',
      exif_extracted: false,
      processing_status: 'pending',
      sha256: sha256Of(JPEG),
      duplicate_of: null,
    })
    expect(Buffer.from(await (await fetch(upload_url)).bytes()).equals(Buffer.from(JPEG))).toBe(true)
    const started = { file_id, title: '照片 1.png', type: 'photo', file_format: 'jpg' }
    expect((await live.next('upload.started')).data).toEqual(started)
    expect((await live.next('upload.completed')).data).toEqual({ ...started, file_size: JPEG.byteLength })
    const processed = { file_id, photo_id: null, status: 'completed', reason: null }
    expect((await live.next('photo.processed')).data).toEqual(processed)
    const size = JPEG.byteLength
    expect(await live.next('upload_update', ({ data }) => data.status === 'completed')).toEqual({
      type: 'upload_update',
      key: `upload:${file_id}`,
      file_id,
      data: { status: 'completed', step: 'optimization', bytes: size, total: size, percent: 100 },
    })
    expect(await statusOf(file_id, owner)).toEqual({
      file_id,
      status: 'completed',
      progress: 100,
      current_step: 'optimization',
      steps: STEPS.map((name) => ({ name, status: 'completed' })),
      estimated_time_remaining: 0,
      error: null,
    })
    const made = await renditionsOf(file_id)
    expect(made.map((key) => key.replace(/.*\/(\w+)_[0-9a-f]{32}\.(jpg|webp)$/, '$1'))).toEqual(RENDITIONS)

    const again = (body?: object) =>
      api(server, 'POST', `/v1/upload/${file_id}/reprocess`, { token: owner.token, body })
    // Nothing is missing.
    expect((await again()).body.data.status).toBe('completed')
    expect((await again({ formats: ['thumb_small', 'jpg'], force: true })).body.data.status).toBe('uploaded')
    expect((await again({ force: true })).body.error.type).toBe('RESOURCE_CONFLICT')
    expect((await live.next('photo.processed')).data).toEqual(processed)
    expect(await renditionsOf(file_id)).toEqual(made)

    const remove = () => api(server, 'DELETE', `/v1/upload/${file_id}`, { token: owner.token })
    expect((await remove()).status).toBe(204)
    expect((await remove()).status).toBe(404)
    const isGone = async () =>
      (await renditionsOf(file_id)).length === 0 && (await originalsOf(owner)).length === 0
    await eventually(isGone, 'the objects are deleted')
    live.close()
  })

  test('a slow upload: its bytes live, REST agreeing; other users see nothing of it; deleted, it ends', async () => {
    const [owner, stranger] = [await editor(), await editor()]
    const live = await openLive(server, owner.token)
    const slow = slowUpload(server, owner.token, 4 * MB, '/v1/upload/single')
    slow.send(jpegOf(MB))
    const { file_id } = (await live.next('upload.started')).data
    live.send({ type: 'subscribe', topic: `upload:${file_id}` })
    await live.next('upload_update')
    const update = live.next('upload_update', ({ data }) => data.bytes > 1.9 * MB)
    slow.send(new Uint8Array(MB))
    const { data } = await update
    expect(data).toMatchObject({ status: 'uploading', step: 'uploaded', percent: 12 })
    const shown = await statusOf(file_id, owner)
    expect([shown.status, shown.progress, shown.steps[0].status]).toEqual(['uploading', 12, 'processing'])
    expect(shown.estimated_time_remaining).toBeGreaterThan(0)

    const watching = await openLive(server, stranger.token)
    watching.send({ type: 'subscribe', topic: `upload:${file_id}` })
    expect((await watching.next('error')).code).toBe('NOT_FOUND')
    watching.close()
    const call = (method: string, path: string, { token }: TestUser, body?: object) =>
      api(server, method, path, { token, body })
    expect((await call('GET', `/v1/upload/status/${file_id}`, stranger)).body.error).toEqual({
      type: 'RESOURCE_NOT_FOUND',
      details: { resource_type: 'upload', resource_id: Number(file_id.slice(7)) },
    })
    expect((await call('DELETE', `/v1/upload/${file_id}`, stranger)).status).toBe(404)
    expect((await call('POST', `/v1/upload/${file_id}/reprocess`, stranger, {})).status).toBe(404)
    expect((await call('POST', `/v1/upload/${file_id}/reprocess`, owner, {})).status).toBe(409)
    const admin = await makeUser(server, { role: 'admin' })
    expect((await call('GET', `/v1/upload/status/${file_id}`, admin)).status).toBe(200)

    expect((await call('DELETE', `/v1/upload/${file_id}`, owner)).status).toBe(204)
    expect(await slow.answer).toEqual({ status: 409, code: 'RESOURCE_CONFLICT' })
    expect((await live.next('upload.failed')).data).toMatchObject({ file_id, reason: 'UPLOAD_DELETED' })
    await live.next('upload_update', ({ data }) => data.status === 'failed')
    expect(await originalsOf(owner)).toEqual([])
    live.close()
  })

  test('several files: some fail and the others succeed, in the language of the request', async () => {
    const owner = await editor()
    const { status, body } = await sendForm(
      server,
      '/v1/upload/multiple',
      owner.token,
      form(
        ['files[]', JPEG, 'a.jpg'],
        ['files[]', text('hello'), 'invalid_file.txt'],
        ['files', new Uint8Array(0), 'empty.jpg'],
        ['files[3]', JPEG, 'b.jpg'],
        ['files[]', GIF, 'c.gif'],
        ['files[]', PNG, 'd.jpg'],
      ),
      { 'accept-language': 'zh' },
    )
    expect(status).toBe(201)
    const { uploaded, failed, summary } = body.data
    expect(summary).toEqual({ total: 6, success: 3, failed: 3 })
    const [a, b, d] = uploaded
    expect([a, b, d].map((file) => [file.original_filename, file.mime_type, file.status])).toEqual([
      ['a.jpg', 'image/jpeg', 'uploaded'],
      ['b.jpg', 'image/jpeg', 'uploaded'],
      ['d.jpg', 'image/png', 'uploaded'],
    ])
    const saved = (await fetch(d.upload_url)).headers.get('content-disposition')
    expect(saved).toBe(`attachment; filename="d.png"; filename*=UTF-8''d.png`)
    expect([a, b, d].map((file) => file.duplicate_of)).toEqual([null, a.file_id, null])
    const unsupported = '只支持 JPEG、PNG、WebP、TIFF、HEIC、AVIF 和 RAW 照片'
    expect(failed).toEqual([
      { filename: 'invalid_file.txt', error: unsupported, code: 'UNSUPPORTED_PHOTO' },
      { filename: 'empty.jpg', error: '文件是空的', code: 'EMPTY_FILE' },
      { filename: 'c.gif', error: unsupported, code: 'UNSUPPORTED_PHOTO' },
    ])
    expect(await originalsOf(owner)).toHaveLength(3)
  })

  test('a request that breaks off after a file is complete: the answer has that file', async () => {
    const owner = await editor()
    const part = (name: string, file: Uint8Array) =>
      Buffer.concat([
        Buffer.from(`--b\r\nContent-Disposition: form-data; name="files[]"; filename="${name}"\r\n\r\n`),
        file,
        Buffer.from('\r\n'),
      ])
    const broken = Buffer.concat([part('a.jpg', JPEG), part('b.jpg', jpegOf(9000))])
    const { status, headers, body } = await sendForm(
      server,
      '/v1/upload/multiple',
      owner.token,
      unmeasured(broken),
      { 'content-type': 'multipart/form-data; boundary=b' },
    )
    expect([status, headers.get('connection'), body.data.summary]).toEqual([
      201,
      'close',
      { total: 2, success: 1, failed: 1 },
    ])
    expect(body.data.failed).toEqual([
      {
        filename: 'b.jpg',
        error: 'must be multipart/form-data, complete and well formed',
        code: 'MULTIPART',
      },
    ])
    expect(await originalsOf(owner)).toHaveLength(1)
  })

  test('more files than a request may have are said, and those before them stay', async () => {
    const owner = await editor()
    const parts = Array.from({ length: 52 }, (_, i): [string, Uint8Array<ArrayBuffer>, string] => [
      'files[]',
      i === 0 ? JPEG : text('hello'),
      `${i}.jpg`,
    ])
    const { status, body } = await sendForm(server, '/v1/upload/multiple', owner.token, form(...parts))
    expect([status, body.data.summary]).toEqual([201, { total: 52, success: 1, failed: 51 }])
    expect(body.data.failed.slice(-3)).toEqual([
      { filename: '49.jpg', error: expect.any(String), code: 'UNSUPPORTED_PHOTO' },
      { filename: '50.jpg', error: 'One request takes at most 50 files', code: 'TOO_MANY_FILES' },
      { filename: '51.jpg', error: 'One request takes at most 50 files', code: 'TOO_MANY_FILES' },
    ])
  })

  for (const [fault, arm] of Object.entries(faults)) {
    test.skipIf(!arm)(`${fault}: an error, and neither record nor object is left`, async () => {
      const owner = await editor()
      const live = await openLive(server, owner.token)
      {
        await using _fault = await arm!()
        const { status, body } = await single(owner, jpegOf(12 * MB))
        expect([status, body.error.type]).toEqual([500, 'INTERNAL_SERVER_ERROR'])
        const { data } = await live.next('upload.failed')
        expect(data).toMatchObject({ reason: 'UPLOAD_FAILED', type: 'photo' })
        const { status: left } = await api(server, 'GET', `/v1/upload/status/${data.file_id}`, {
          token: owner.token,
        })
        expect(left).toBe(404)
        expect(await originalsOf(owner)).toEqual([])
        await eventually(async () => (await unfinished()).length === 0, 'nothing is left unfinished')
      }
      expect((await single(owner, JPEG)).status).toBe(201)
      live.close()
    })
  }

  test('a client that hangs up leaves nothing', async () => {
    const owner = await editor()
    const live = await openLive(server, owner.token)
    const slow = slowUpload(server, owner.token, 4 * MB, '/v1/upload/single')
    slow.send(jpegOf(MB))
    await live.next('upload.started')
    slow.cut()
    expect((await live.next('upload.failed')).data.reason).toBe('CLIENT_CLOSED')
    expect(await originalsOf(owner)).toEqual([])
    live.close()
  })
})

const [[, { server }]] = storages.each as [(typeof storages.each)[0]]

describe('refused', () => {
  const cases: [string, FormData, number, string][] = [
    ['a GIF', form(['file', GIF, 'a.jpg']), 422, 'UNPROCESSABLE_ENTITY'],
    [
      'an SVG',
      form(['file', text('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'a.jpg']),
      422,
      'UNPROCESSABLE_ENTITY',
    ],
    ['text', form(['file', text('hello'), 'a.jpg']), 422, 'UNPROCESSABLE_ENTITY'],
    ['an empty file', form(['file', new Uint8Array(0), 'a.jpg']), 400, 'VALIDATION_ERROR'],
    ['no file', form(['title', 'a']), 400, 'VALIDATION_ERROR'],
    ['two files', form(['file', JPEG, 'a.jpg'], ['file', JPEG, 'b.jpg']), 400, 'VALIDATION_ERROR'],
    ['a file in another field', form(['photo', JPEG, 'a.jpg']), 400, 'VALIDATION_ERROR'],
    ['a file beyond 50 MB', form(['file', jpegOf(50 * MB + 1), 'a.jpg']), 413, 'PAYLOAD_TOO_LARGE'],
  ]
  test.each(cases)('%s', async (_, body, status, type) => {
    const { token } = await makeUser(server, { role: 'editor' })
    const answer = await sendForm(server, '/v1/upload/single', token, body)
    expect([answer.status, answer.body.error.type]).toEqual([status, type])
  })

  test('a request with several files in another field, or with none', async () => {
    const { token } = await makeUser(server, { role: 'editor' })
    const send = (body: FormData) => sendForm(server, '/v1/upload/multiple', token, body)
    expect((await send(form(['photos[]', JPEG, 'a.jpg']))).body.error.details).toEqual([
      { field: 'files[]', message: 'is the field for files', code: 'FILE_FIELD' },
    ])
    expect((await send(form(['title', 'a']))).body.error.details[0].code).toBe('REQUIRED')
  })

  test('whoever has not signed in, and whose role may not', async () => {
    for (const path of ['/v1/upload/single', '/v1/upload/multiple']) {
      const field = path.endsWith('single') ? 'file' : 'files[]'
      expect((await sendForm(server, path, undefined, form([field, JPEG, 'a.jpg']))).status).toBe(401)
      const { token } = await makeUser(server)
      const answer = await sendForm(server, path, token, form([field, JPEG, 'a.jpg']))
      expect(answer.body.error).toEqual({
        type: 'PERMISSION_DENIED',
        details: { required_permission: 'upload.create', user_role: 'user' },
      })
    }
  })

  test('an id of another form, an unknown format, and a file that a photo uses', async () => {
    const owner = await makeUser(server, { role: 'editor' })
    const call = (method: string, path: string, body?: object) =>
      api(server, method, path, { token: owner.token, body })
    for (const id of ['1', 'upload_0', 'upload_x', 'upload_9999999999', 'chunked_1', 'upload_1%00'])
      expect((await call('GET', `/v1/upload/status/${id}`)).status).toBe(400)
    expect((await call('GET', '/v1/upload/status/upload_999999999')).status).toBe(404)
    const [photo] = await makePhotos(server, owner, [{}])
    const path = `/v1/upload/upload_${photo!.fileId}`
    expect((await call('POST', `${path}/reprocess`, { formats: ['gif'] })).status).toBe(400)
    expect((await call('POST', `${path}/reprocess`, { formats: [] })).status).toBe(400)
    expect((await call('DELETE', path)).body).toMatchObject({
      code: 409,
      message: 'A photo uses this file; delete the photo first',
      error: { type: 'RESOURCE_CONFLICT' },
    })
  })
})

test('a damaged photo fails in its step, says why, and may be tried again', async () => {
  using _ = decoding(imaging)
  const owner = await makeUser(server, { role: 'editor' })
  const live = await openLive(server, owner.token)
  const answer = await sendForm(
    server,
    '/v1/upload/single',
    owner.token,
    form(['file', jpegOf(2000), '../a\0\u202eb.jpg']),
  )
  const { file_id, original_filename } = answer.body.data
  expect(original_filename).toBe('ab.jpg')
  expect((await live.next('photo.processed')).data).toEqual({
    file_id,
    photo_id: null,
    status: 'failed',
    reason: 'UNREADABLE',
  })
  const status = () => api(server, 'GET', `/v1/upload/status/${file_id}`, { token: owner.token })
  const { data } = (await status()).body
  expect([data.status, data.estimated_time_remaining, data.error]).toEqual([
    'failed',
    0,
    { code: 'UNREADABLE', message: 'The file is damaged, or its content cannot be read' },
  ])
  expect(data.steps.map(({ status }: { status: string }) => status)).toEqual([
    'completed',
    'completed',
    'failed',
    'pending',
  ])
  const again = await api(server, 'POST', `/v1/upload/${file_id}/reprocess`, { token: owner.token, body: {} })
  expect([again.status, again.body.data.status, again.body.data.error]).toEqual([200, 'uploaded', null])
  expect((await live.next('photo.processed')).data.status).toBe('failed')
  live.close()
})
