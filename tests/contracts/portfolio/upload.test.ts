import { afterAll, describe, expect, test } from 'bun:test'
import { api } from '../../support/api.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { form, sendForm } from '../../support/files.ts'
import { exifBlock, jpegWith } from '../../support/photo-fixtures.ts'
import { openLive } from '../../support/sockets.ts'
import { openStorages } from '../../support/storages.ts'

const storages = await openStorages()
afterAll(storages.stop)

const JPEG = new Uint8Array(await jpegWith({ exif: exifBlock({ make: 'Canon', model: 'EOS R5' }) }))
const RENDITIONS = ['display', 'thumb_large', 'thumb_medium', 'thumb_small', 'webp']

describe.each(storages.each)('on %s', (_, { server, keys }) => {
  const statusOf = async (id: string, { token }: TestUser) =>
    (await api(server, 'GET', `/v1/upload/status/${id}`, { token })).body.data
  const renditionsOf = async (id: string) =>
    (await keys(`hidden/photos/${id.slice('upload_'.length)}/`)).sort()

  test('a photo is uploaded, processed live, reprocessed and deleted', async () => {
    const owner = await makeUser(server, { role: 'editor' })
    const live = await openLive(server, owner.token)
    const { status, body } = await sendForm(
      server,
      '/v1/upload/single',
      owner.token,
      form(['file', JPEG, '照片 1.png']),
    )
    const { file_id, upload_url, ...uploaded } = body.data
    expect([status, body.success, body.code]).toEqual([201, true, 201])
    expect(file_id).toMatch(/^upload_\d+$/)
    expect(uploaded).toEqual({
      original_filename: '照片 1.png',
      file_size: JPEG.byteLength,
      mime_type: 'image/jpeg',
      status: 'uploaded',
      exif_extracted: false,
      processing_status: 'pending',
      sha256: new Bun.CryptoHasher('sha256').update(JPEG).digest('hex'),
      duplicate_of: null,
    })
    expect(Buffer.from(await (await fetch(upload_url)).bytes()).equals(Buffer.from(JPEG))).toBe(true)
    expect((await live.next('upload.started')).data).toEqual({
      file_id,
      title: '照片 1.png',
      type: 'photo',
      file_format: 'jpg',
    })
    expect((await live.next('upload.completed')).data.file_size).toBe(JPEG.byteLength)
    const processed = { file_id, photo_id: null, status: 'completed', reason: null }
    expect((await live.next('photo.processed')).data).toEqual(processed)
    expect(await statusOf(file_id, owner)).toEqual({
      file_id,
      status: 'completed',
      progress: 100,
      current_step: 'optimization',
      steps: ['uploaded', 'exif_extraction', 'generating_thumbnails', 'optimization'].map((name) => ({
        name,
        status: 'completed',
      })),
      estimated_time_remaining: 0,
      error: null,
    })
    const made = await renditionsOf(file_id)
    expect(made.map((key) => key.replace(/.*\/(\w+)_[0-9a-f]{32}\.(jpg|webp)$/, '$1'))).toEqual(RENDITIONS)

    const again = (body: object) =>
      api(server, 'POST', `/v1/upload/${file_id}/reprocess`, { token: owner.token, body })
    // Nothing is missing.
    expect((await again({})).body.data.status).toBe('completed')
    expect((await again({ formats: ['thumb_small', 'jpg'], force: true })).body.data.status).toBe('uploaded')
    expect((await again({ force: true })).body.error.type).toBe('RESOURCE_CONFLICT')
    expect((await live.next('photo.processed')).data).toEqual(processed)
    expect(await renditionsOf(file_id)).toEqual(made)

    const remove = () => api(server, 'DELETE', `/v1/upload/${file_id}`, { token: owner.token })
    expect((await remove()).status).toBe(204)
    expect((await remove()).status).toBe(404)
    while ((await renditionsOf(file_id)).length > 0) await Bun.sleep(20)
    expect(await keys(`originals/${owner.user.id}/`)).toEqual([])
    live.close()
  })
})
