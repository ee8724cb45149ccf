/** The objects of deleted materials: in a public bucket nobody must find them. */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { cleanUp } from '../../../src/core/materials/cleanup.ts'
import { materials } from '../../../src/db/schema/index.ts'
import { fixture } from '../../imaging/support.ts'
import { api } from '../../support/api.ts'
import { ORPHANS_OF_ANY_AGE } from '../../support/cleanup.ts'
import { makeUser } from '../../support/factories.ts'
import { form, upload } from '../../support/files.ts'
import { eventually } from '../../support/process.ts'
import type { TestServer } from '../../support/server.ts'
import { openLive } from '../../support/sockets.ts'
import { openStorages, type StoredServer } from '../../support/storages.ts'

const storages = await openStorages()
afterAll(storages.stop)

const video = new Uint8Array(fixture('h264.mp4'))
const at = (server: TestServer, path: string, token?: string) =>
  fetch(`${server.url}/files/${path}`, { headers: token ? { authorization: `Bearer ${token}` } : {} })

/** A material with its thumbnail. */
async function add({ server }: StoredServer) {
  const owner = await makeUser(server)
  const live = await openLive(server, owner.token)
  const answer = await upload(server, owner.token, form(['title', 't'], ['file', video, 'a.mp4']))
  const { id, file_path, file_url } = (await answer.json()) as {
    id: number
    file_path: string
    file_url: string
  }
  const { data } = await live.next('thumbnail.completed')
  live.close()
  const remove = (from: 'materials' | 'upload') =>
    api(server, 'DELETE', `/api/v1/${from}/${id}`, { token: owner.token })
  return { id, owner, file_path, file_url, thumbnail_path: data.thumbnail_path as string, remove }
}

const nobodySees = ({ keys }: StoredServer, userId: number) =>
  eventually(
    async () =>
      [...(await keys(`materials/${userId}/`)), ...(await keys(`thumbnails/${userId}/`))].length === 0,
    'the objects leave the public prefixes',
  )

describe.each(storages.each)('on %s', (_, stored) => {
  const { server, keys } = stored
  const { ctx } = server

  test('a hidden material is kept apart, for its owner and administrators; 30 days later it is gone', async () => {
    const { id, owner, file_path, thumbnail_path, remove } = await add(stored)
    const admin = await makeUser(server, { role: 'admin' })
    const stranger = await makeUser(server)
    expect((await at(server, file_path)).status).toBe(200)
    expect((await remove('materials')).status).toBe(204)
    const read = async () => {
      const own = await at(server, file_path, owner.token)
      expect([own.status, (await own.bytes()).byteLength]).toEqual([200, video.byteLength])
    }
    // The answer is the same while the object moves.
    await read()
    await nobodySees(stored, owner.user.id)
    await read()
    const hidden = [`hidden/${file_path}`, `hidden/${thumbnail_path}`]
    expect(await keys(`hidden/materials/${owner.user.id}/`)).toEqual([hidden[0]!])
    for (const path of [file_path, thumbnail_path]) {
      expect((await at(server, path, admin.token)).status).toBe(200)
      expect((await at(server, path, stranger.token)).status).toBe(404)
      expect((await at(server, path)).status).toBe(404)
    }
    for (const path of hidden) expect((await at(server, path, owner.token)).status).toBe(404)

    for (const place of ['materials', 'thumbnails', 'hidden/materials']) {
      await ctx.storage.write(`${place}/${owner.user.id}/orphan.mp4`, new Response('x').body!)
    }
    expect(await cleanUp(ctx, ORPHANS_OF_ANY_AGE)).toEqual({ records: 0, files: 3, errors: [] })
    await read()
    await ctx.db
      .update(materials)
      .set({ hiddenAt: sql`now() - interval '31 days'` })
      .where(eq(materials.id, id))
    expect(await cleanUp(ctx, ORPHANS_OF_ANY_AGE)).toEqual({ records: 1, files: 2, errors: [] })
    expect(await keys(`hidden/`)).toEqual([])
    expect((await at(server, file_path, owner.token)).status).toBe(404)
  }, 20_000)

  test('a material that is deleted before its thumbnail is made waits for none', async () => {
    const { id, owner, remove } = await add(stored)
    await ctx.db
      .update(materials)
      .set({ thumbnailStatus: 'pending', thumbnailPath: null })
      .where(eq(materials.id, id))
    await remove('materials')
    const { body } = await api(server, 'GET', `/api/v1/upload/thumbnail-status/${id}`, {
      token: owner.token,
    })
    expect(body).toMatchObject({ thumbnail_status: 'failed', thumbnail_path: null, has_thumbnail: false })
  })

  test('an upload that is deleted after its material leaves nothing anywhere', async () => {
    const { id, owner, file_path, thumbnail_path, remove } = await add(stored)
    await remove('materials')
    await nobodySees(stored, owner.user.id)
    expect((await remove('upload')).status).toBe(204)
    for (const state of ['status', 'thumbnail-status']) {
      const { body } = await api(server, 'GET', `/api/v1/upload/${state}/${id}`, { token: owner.token })
      expect(body).toMatchObject({ thumbnail_path: null, has_thumbnail: false })
    }
    for (const key of [file_path, thumbnail_path]) expect(await keys(`hidden/${key}`)).toEqual([])
    expect((await at(server, file_path, owner.token)).status).toBe(404)
  })
})

test('a public bucket shows what is active, by the policy of the README, and what is hidden no more', async () => {
  const { bucketUrl, server, failNext } = storages.s3
  const { owner, file_path, thumbnail_path, file_url, remove } = await add(storages.s3)
  expect(file_url).toBe(`${bucketUrl}/${file_path}`)
  const inBucket = async (key: string) => (await fetch(`${bucketUrl}/${key}`)).status
  expect(await Promise.all([file_path, thumbnail_path].map(inBucket))).toEqual([200, 200])
  // The storage refuses every try of its client, and the next try of the queue succeeds.
  await failNext('CopyObject', 3)
  await remove('materials')
  await nobodySees(storages.s3, owner.user.id)
  for (const key of [file_path, thumbnail_path]) {
    expect(await inBucket(key)).toBe(404)
    expect(await inBucket(`hidden/${key}`)).toBe(403)
    expect((await at(server, key, owner.token)).status).toBe(200)
  }
}, 30_000)
