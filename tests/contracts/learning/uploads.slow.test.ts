import { afterAll, describe, expect, test } from 'bun:test'
import { api } from '../../support/api.ts'
import { makeUser } from '../../support/factories.ts'
import { form, mp4, pdf, rawForm, slowUpload, upload, webm } from '../../support/files.ts'
import { openLive } from '../../support/sockets.ts'
import { openStorages } from '../../support/storages.ts'

// biome-ignore lint/suspicious/noExplicitAny: the test compares every field itself
const json = (answer: Response): Promise<any> => answer.json()

const storages = await openStorages()
afterAll(storages.stop)

describe.each(storages.each)('on %s', (_, { server, keys }) => {
  describe('POST /api/v1/upload', () => {
    test.each([
      ['mp4', mp4(), 'video', '课程 第1讲.mp4'],
      ['webm', webm(), 'video', 'clip.webm'],
      ['pdf', pdf(), 'pdf', 'notes.pdf'],
    ])(
      'takes a %s: 201 with every documented field, and the file comes back byte for byte',
      async (format, file, type, name) => {
        const owner = await makeUser(server)
        const answer = await upload(
          server,
          owner.token,
          form(['file', file, name], ['title', '课件标题'], ['description', '说明']),
        )
        expect(answer.status).toBe(201)
        const body = await json(answer)
        expect(body).toEqual({
          id: expect.any(Number),
          title: '课件标题',
          description: '说明',
          type,
          file_path: expect.stringMatching(
            new RegExp(`^materials/${owner.user.id}/\\d{8}_\\d{6}_.+\\.${format}$`),
          ),
          file_size: file.byteLength,
          file_format: format,
          thumbnail_path: null,
          uploader_id: owner.user.id,
          view_count: 0,
          like_count: 0,
          status: 'active',
          created_at: expect.stringMatching(/Z$/),
          updated_at: expect.stringMatching(/Z$/),
          file_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/.+/),
          thumbnail_url: null,
        })
        expect((await (await fetch(body.file_url)).bytes()).byteLength).toBe(file.byteLength)
        const fetched = await fetch(`${server.url}/files/${body.file_path}`)
        expect(new Uint8Array(await fetched.arrayBuffer())).toEqual(file)
        expect(fetched.headers.get('x-content-type-options')).toBe('nosniff')
        const status = await api(server, 'GET', `/api/v1/upload/status/${body.id}`, { token: owner.token })
        expect(status.body).toMatchObject({ material_id: body.id, status: 'active', progress: 100 })
      },
    )

    test('the uploader sees it start and end on the live channel, under one id', async () => {
      const owner = await makeUser(server)
      const live = await openLive(server, owner.token)
      const answer = await upload(server, owner.token, form(['title', 't'], ['file', mp4(), 'a.mp4']))
      const { id } = await json(answer)
      expect(await live.next('upload.started')).toMatchObject({ data: { material_id: id, type: 'video' } })
      expect(await live.next('upload.completed')).toMatchObject({
        data: { material_id: id, file_size: 2048 },
      })
      // The video cannot be decoded, so the thumbnail is a placeholder.
      expect(await live.next('thumbnail.failed')).toMatchObject({ data: { material_id: id } })
      const status = await api(server, 'GET', `/api/v1/upload/thumbnail-status/${id}`, { token: owner.token })
      expect(status.body).toEqual({
        material_id: id,
        thumbnail_status: 'failed',
        thumbnail_path: `thumbnails/${owner.user.id}/${id}.jpg`,
        has_thumbnail: false,
      })
      live.close()
    })

    const wrong: [string, () => FormData, number, string][] = [
      [
        'an empty file',
        () => form(['title', 't'], ['file', new Uint8Array(0), 'a.mp4']),
        422,
        'VALIDATION_ERROR',
      ],
      ['no file', () => form(['title', 't']), 422, 'VALIDATION_ERROR'],
      [
        'two files',
        () => form(['title', 't'], ['file', mp4(), 'a.mp4'], ['file', mp4(), 'b.mp4']),
        422,
        'VALIDATION_ERROR',
      ],
      [
        'a file in another field',
        () => form(['title', 't'], ['data', mp4(), 'a.mp4']),
        422,
        'VALIDATION_ERROR',
      ],
      ['no title', () => form(['file', mp4(), 'a.mp4']), 422, 'VALIDATION_ERROR'],
      ['an empty title', () => form(['title', ''], ['file', mp4(), 'a.mp4']), 422, 'VALIDATION_ERROR'],
      [
        'a title of 256 characters',
        () => form(['file', mp4(), 'a.mp4'], ['title', 'x'.repeat(256)]),
        422,
        'VALIDATION_ERROR',
      ],
      [
        'text named .mp4',
        () => form(['title', 't'], ['file', new TextEncoder().encode('hello'), 'a.mp4']),
        415,
        'UNSUPPORTED_FILE_TYPE',
      ],
      [
        'a program',
        () => form(['title', 't'], ['file', new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]), 'a.pdf']),
        415,
        'UNSUPPORTED_FILE_TYPE',
      ],
    ]
    test.each(wrong)('%s is refused and leaves nothing', async (_, body, status, code) => {
      const owner = await makeUser(server)
      const answer = await upload(server, owner.token, body())
      expect([answer.status, (await json(answer)).error.code]).toEqual([status, code])
      expect(await keys(`materials/${owner.user.id}/`)).toEqual([])
    })

    test('a title of 255 characters may be of emoji', async () => {
      const owner = await makeUser(server)
      const send = (title: string) =>
        upload(server, owner.token, form(['title', title], ['file', pdf(), 'a.pdf']))
      const answer = await send('😀'.repeat(255))
      expect([answer.status, (await json(answer)).title]).toEqual([201, '😀'.repeat(255)])
      expect((await send('😀'.repeat(256))).status).toBe(422)
    })

    test('more fields than are read: it is that which is told', async () => {
      const owner = await makeUser(server)
      const many = Array.from({ length: 21 }, (_, i): [string, string] => [`field${i}`, 'x'])
      const answer = await upload(
        server,
        owner.token,
        form(...many, ['title', 't'], ['file', pdf(), 'a.pdf']),
      )
      expect([answer.status, (await json(answer)).error.details]).toEqual([
        422,
        { body: 'may have at most 20 items' },
      ])
    })

    test.each([undefined, 'multipart/form-data; boundary=b', 'application/json'])(
      'an empty body of type %p is told what it should be',
      async (type) => {
        const owner = await makeUser(server)
        const answer = await upload(server, owner.token, '', type ? { 'content-type': type } : {})
        expect([answer.status, (await json(answer)).error.details]).toEqual([
          422,
          { body: 'must be multipart/form-data, complete and well formed' },
        ])
      },
    )

    test.each(['[1,2]', '{"a":1}'])('a title %p stays the text that it is', async (title) => {
      const owner = await makeUser(server)
      const answer = await upload(server, owner.token, form(['title', title], ['file', pdf(), 'a.pdf']))
      expect((await json(answer)).title).toBe(title)
    })

    test.each(['../../etc/passwd.mp4', 'CON.mp4', '😀'.repeat(300), '..', 'a\u202Egpj.mp4'])(
      'a file named %p is stored under a safe name',
      async (name) => {
        const owner = await makeUser(server)
        const answer = await upload(server, owner.token, form(['title', 't'], ['file', mp4(), name]))
        expect(answer.status).toBe(201)
        const { file_path } = await json(answer)
        expect(file_path).toMatch(new RegExp(`^materials/${owner.user.id}/[^/]+\\.mp4$`))
        expect(file_path).not.toContain('..')
        expect(Buffer.byteLength(file_path)).toBeLessThan(200)
      },
    )

    test.each([
      ["filename*=UTF-8''%E8%AF%BE%E7%A8%8B.mp4", '课程.mp4'],
      ['filename="_.mp4"; filename*=UTF-8\'\'%E8%AF%BE%E7%A8%8B.mp4', '课程.mp4'],
      ['filename*=UTF-8\'\'%E8%AF%BE%E7%A8%8B.mp4; filename="_.mp4"', '课程.mp4'],
      ['filename="kept.mp4"; filename*=broken', 'kept.mp4'],
    ])('a file with %s is stored under that name', async (disposition, name) => {
      const owner = await makeUser(server)
      const body = rawForm('b', mp4()).toString('latin1').replace('filename="a.mp4"', disposition)
      const answer = await upload(server, owner.token, new Blob([Buffer.from(body, 'latin1')]).stream(), {
        'content-type': 'multipart/form-data; boundary=b',
      })
      expect(answer.status).toBe(201)
      expect((await json(answer)).file_path).toEndWith(`_${name}`)
    })

    test.each([4096, 1000, 37])(
      'a file full of beginnings of boundaries, in pieces of %p bytes, is stored as it is',
      async (piece) => {
        const owner = await makeUser(server)
        const numbered = Array.from({ length: 2000 }, (_, i) => `\r\n--XXBOUN${i.toString(36)}`)
        const file = new Uint8Array(Buffer.concat([mp4(), Buffer.from(numbered.join(''))]))
        const body = rawForm('XXBOUND', file)
        let sent = 0
        const pieces = new ReadableStream({
          async pull(controller) {
            controller.enqueue(body.subarray(sent, sent + piece))
            sent += piece
            // The wait makes each part arrive by itself.
            await new Promise(setImmediate)
            if (sent >= body.byteLength) controller.close()
          },
        })
        const answer = await upload(server, owner.token, pieces, {
          'content-type': 'multipart/form-data; boundary=XXBOUND',
        })
        expect(answer.status).toBe(201)
        const { file_path } = await json(answer)
        const stored = await fetch(`${server.url}/files/${file_path}`)
        expect(Buffer.compare(await stored.bytes(), file)).toBe(0)
      },
    )

    test('a PDF over 50 MB is refused as soon as it is, and what was stored is removed', async () => {
      const owner = await makeUser(server)
      const live = await openLive(server, owner.token)
      const answer = await upload(
        server,
        owner.token,
        form(['title', 't'], ['file', pdf(52 * 1024 * 1024), 'a.pdf']),
      )
      expect([answer.status, (await json(answer)).error.code]).toEqual([413, 'FILE_TOO_LARGE'])
      expect((await live.next('upload.failed')).data.reason).toBe('FILE_TOO_LARGE')
      expect(await keys(`materials/${owner.user.id}/`)).toEqual([])
      live.close()
    }, 60_000)

    test('a client that hangs up leaves nothing behind', async () => {
      const owner = await makeUser(server)
      const live = await openLive(server, owner.token)
      const slow = slowUpload(server, owner.token, 10_000_000)
      slow.send(mp4(200_000))
      const { data } = await live.next('upload.started')
      const status = await api(server, 'GET', `/api/v1/upload/status/${data.material_id}`, {
        token: owner.token,
      })
      expect(status.body).toMatchObject({ status: 'processing', progress: 50 })
      slow.cut()
      await live.next('upload.failed')
      expect(await keys(`materials/${owner.user.id}/`)).toEqual([])
      const gone = await api(server, 'GET', `/api/v1/upload/status/${data.material_id}`, {
        token: owner.token,
      })
      expect(gone.status).toBe(404)
      live.close()
    })

    test('signed out: 401; not multipart: 422', async () => {
      expect((await upload(server, undefined, form(['title', 't'], ['file', mp4(), 'a.mp4']))).status).toBe(
        401,
      )
      const owner = await makeUser(server)
      const answer = await upload(server, owner.token, '{}', { 'content-type': 'application/json' })
      expect(answer.status).toBe(422)
      const cut = await upload(server, owner.token, '--b\r\nbroken', {
        'content-type': 'multipart/form-data; boundary=b',
      })
      expect(cut.status).toBe(422)
    })
  })

  describe('DELETE /api/v1/upload/{id}', () => {
    test('removes the objects at once, also after the material was deleted; a second time is ALREADY_DELETED', async () => {
      const owner = await makeUser(server)
      const { id, file_path } = await json(
        await upload(server, owner.token, form(['title', 't'], ['file', pdf(), 'a.pdf'])),
      )
      const stranger = await makeUser(server)
      expect((await api(server, 'DELETE', `/api/v1/upload/${id}`, { token: stranger.token })).status).toBe(
        403,
      )
      expect((await api(server, 'DELETE', `/api/v1/materials/${id}`, { token: owner.token })).status).toBe(
        204,
      )
      // Only the owner sees a hidden material.
      expect((await fetch(`${server.url}/files/${file_path}`)).status).toBe(404)
      const own = await fetch(`${server.url}/files/${file_path}`, {
        headers: { authorization: `Bearer ${owner.token}` },
      })
      expect(own.status).toBe(200)
      expect((await api(server, 'DELETE', `/api/v1/upload/${id}`, { token: owner.token })).status).toBe(204)
      expect(await keys(`materials/${owner.user.id}/`)).toEqual([])
      const again = await api(server, 'DELETE', `/api/v1/upload/${id}`, { token: owner.token })
      expect([again.status, again.body.error.code]).toEqual([400, 'ALREADY_DELETED'])
    })
  })
})
