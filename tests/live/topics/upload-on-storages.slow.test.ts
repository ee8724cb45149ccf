/** The state of an upload while it arrives, and the end of uploads of unsuitable files. */
import { afterAll, describe, expect, test } from 'bun:test'
import { fixture } from '../../imaging/support.ts'
import { api } from '../../support/api.ts'
import { makeUser } from '../../support/factories.ts'
import { form, mp4, slowUpload, upload } from '../../support/files.ts'
import { eventually } from '../../support/process.ts'
import { openLive } from '../../support/sockets.ts'
import { openStorages } from '../../support/storages.ts'
import { expectThumbnail } from '../../support/thumbnails.ts'

const MB = 1024 * 1024
const storages = await openStorages()
afterAll(storages.stop)

describe.each(storages.each)('on %s', (_, { server, keys, unfinished, faults }) => {
  const status = (id: number, token: string) => api(server, 'GET', `/api/v1/upload/status/${id}`, { token })
  /** Waits, because the thumbnail of an earlier test may still arrive. */
  const nothingUnfinished = () =>
    eventually(async () => (await unfinished()).length === 0, 'nothing is left unfinished')

  /** An upload of this many bytes, of which the first megabyte is sent, with a socket that watches it. */
  async function begun(bytes: number) {
    const owner = await makeUser(server)
    const live = await openLive(server, owner.token)
    const slow = slowUpload(server, owner.token, bytes)
    slow.send(mp4(MB))
    const id: number = (await live.next('upload.started')).data.material_id
    live.send({ type: 'subscribe', topic: `upload:${id}` })
    return { owner, live, slow, id }
  }

  test('a slow upload: its bytes and its percentage live, REST agreeing at every step', async () => {
    const [owner, stranger] = [await makeUser(server), await makeUser(server)]
    const live = await openLive(server, owner.token)
    const slow = slowUpload(server, owner.token, 4 * MB)
    slow.send(mp4(MB))
    const { data } = await live.next('upload.started')
    const id: number = data.material_id
    const topic = `upload:${id}`
    live.send({ type: 'subscribe', topic })
    const first = await live.next('upload_update')
    expect(first).toMatchObject({ material_id: id, data: { status: 'processing' } })
    for (const part of [1, 2, 3]) {
      const update = live.next('upload_update', ({ data }) => data.bytes > (part - 0.1) * MB)
      slow.send(new Uint8Array(MB))
      const { data } = await update
      expect(data.status).toBe('processing')
      expect(data.total).toBeWithin(4 * MB, 4 * MB + 1000)
      expect(data.percent).toBe(Math.floor((data.bytes / data.total) * 100))
      expect((await status(id, owner.token)).body).toMatchObject({ status: 'processing', progress: 50 })
    }
    const watching = await openLive(server, stranger.token)
    watching.send({ type: 'subscribe', topic })
    expect((await watching.next('error')).code).toBe('NOT_FOUND')
    expect((await status(id, stranger.token)).status).toBe(404)

    expect(await slow.finish()).toBe(201)
    await live.next('upload.completed')
    const last = await live.next('upload_update', ({ data }) => data.status === 'active')
    expect(last.data).toEqual({ status: 'active', bytes: 4 * MB, total: 4 * MB, percent: 100 })
    expect((await status(id, owner.token)).body).toMatchObject({ status: 'active', progress: 100 })
    const seen = live.frames.filter(({ type }) => type === 'upload_update').map(({ data }) => data.bytes)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    live.close()
    watching.close()
  })

  test('an upload that breaks off: its last frame says that it failed', async () => {
    const { live, slow } = await begun(4 * MB)
    await live.next('upload_update', ({ data }) => data.bytes === MB)
    slow.cut()
    const last = await live.next('upload_update', ({ data }) => data.status === 'failed')
    expect(last.data).toMatchObject({ bytes: MB, percent: 24 })
    await live.next('upload.failed')
    expect(live.frames.filter(({ type }) => type === 'upload_update').at(-1)).toEqual(last)
    live.close()
  })

  test('an upload that is deleted meanwhile ends at once, and nothing of it is told or kept', async () => {
    const { owner, live, slow, id } = await begun(40 * MB)
    await live.next('upload_update')
    expect((await api(server, 'DELETE', `/api/v1/upload/${id}`, { token: owner.token })).status).toBe(204)
    expect(await slow.answer).toMatchObject({ status: 400, code: 'ALREADY_DELETED' })
    await live.next('upload_update', ({ data }) => data.status === 'hidden')
    expect((await status(id, owner.token)).body).toMatchObject({ status: 'hidden' })
    expect(await keys(`materials/${owner.user.id}/`)).toEqual([])
    await nothingUnfinished()
    const updates = live.frames.filter(({ type }) => type === 'upload_update')
    expect(updates.at(-1).data.status).toBe('hidden')
    expect(live.frames.some(({ type }) => type === 'upload.failed')).toBe(false)
    live.close()
  })

  for (const [fault, arm] of Object.entries(faults)) {
    test.skipIf(!arm)(
      `${fault}: UPLOAD_FAILED, nothing left over, and the live channel says so`,
      async () => {
        const owner = await makeUser(server)
        const live = await openLive(server, owner.token)
        const send = () => upload(server, owner.token, form(['title', 't'], ['file', mp4(12 * MB), 'a.mp4']))
        {
          await using _fault = await arm!()
          const answer = await send()
          const body = (await answer.json()) as { error: { code: string } }
          expect([answer.status, body.error.code]).toEqual([500, 'UPLOAD_FAILED'])
          const { data } = await live.next('upload.failed')
          expect(data).toMatchObject({ reason: 'UPLOAD_FAILED', type: 'video' })
          expect((await status(data.material_id, owner.token)).status).toBe(404)
          expect(await keys(`materials/${owner.user.id}/`)).toEqual([])
          await nothingUnfinished()
        }
        expect((await send()).status).toBe(201)
        live.close()
      },
    )
  }

  const whole = fixture('h264.mp4')
  test('whatever a file is, it is taken; its thumbnail comes, or a placeholder for it', async () => {
    const owner = await makeUser(server)
    const live = await openLive(server, owner.token)
    const cases: [name: string, file: Uint8Array, outcome: string][] = [
      ['whole.mp4', whole, 'thumbnail.completed'],
      ['truncated.mp4', whole.subarray(0, whole.byteLength * 0.3), 'thumbnail.failed'],
    ]
    for (const [name, file, outcome] of cases)
      await expectThumbnail(server, owner, live, { name, file, outcome })
    live.close()
  }, 110_000)
})
