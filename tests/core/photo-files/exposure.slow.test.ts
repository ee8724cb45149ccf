/** Whom the files of photos reach: by address on this server, and straight from a public bucket. */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { addressWindow, signedUrl } from '../../../src/core/photo-files/addresses.ts'
import { deletePhotoObjects, enqueueExposure, expose } from '../../../src/core/photo-files/exposure.ts'
import { hiddenFolder, publicFolder, renditionKey } from '../../../src/core/photo-files/keys.ts'
import type { Rendition } from '../../../src/core/photo-files/rows.ts'
import { largestRendition, originalUrl, renditionUrls } from '../../../src/core/photo-files/urls.ts'
import { indexPhotos } from '../../../src/core/photo-index/write.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { photoFiles, photos } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { makePhotos } from '../../support/photos.ts'
import { eventually } from '../../support/process.ts'
import { openStorages, type StoredServer } from '../../support/storages.ts'

const storages = await openStorages()
afterAll(storages.stop)

const NAMES = ['thumb_small', 'thumb_medium', 'thumb_large', 'display', 'webp'] as const
const body = (text: string) => new Response(text).body!

/** Stores five renditions of a file, as processing does, and returns them. */
async function makeRenditions({ server }: StoredServer, fileId: number): Promise<Rendition[]> {
  return Promise.all(
    NAMES.map(async (name, i) => {
      const extension = name === 'webp' ? 'webp' : 'jpg'
      const key = renditionKey(fileId, { name, mark: unique(''), extension })
      const size = await server.ctx.storage.write(`hidden/${key}`, body(`a picture at ${key}`))
      return { name, key, width: 100 * (i + 1), height: 50, size }
    }),
  )
}

/** A photo with objects, private until it is shown. */
async function add(stored: StoredServer, by?: TestUser) {
  const { server } = stored
  const { ctx } = server
  const owner = by ?? (await makeUser(server))
  const [photo] = await makePhotos(server, owner, [{ visibility: 'private' }])
  const { id, fileId } = photo!
  const renditions = await makeRenditions(stored, fileId)
  const objectKey = `originals/${owner.user.id}/${unique('DSC_')}.jpg`
  await ctx.storage.write(objectKey, body('31.2304 N, serial 12345'))
  const fileName = '外滩 "night"\n.jpg'
  await ctx.db.update(photoFiles).set({ renditions, objectKey, fileName }).where(eq(photoFiles.id, fileId))
  const set = (values: Partial<typeof photos.$inferInsert>) =>
    transaction(ctx, async (tx) => {
      await tx.db.update(photos).set(values).where(eq(photos.id, id))
      await indexPhotos(tx, [id])
      await enqueueExposure(tx, [fileId])
    })
  const row = async () => (await ctx.db.select().from(photoFiles).where(eq(photoFiles.id, fileId)))[0]!
  const urls = async (isPublic: boolean) =>
    Object.values(
      renditionUrls(ctx, server.url, { ...(await row()), isPublic, whole: false, hasWatermark: false }),
    )
  return {
    id,
    fileId,
    objectKey,
    renditions,
    owner,
    row,
    urls,
    set,
    show: () => set({ visibility: 'public', status: 'published' }),
    hide: () => set({ visibility: 'private' }),
    paths: renditions.map(({ key }) => `/files/${key}`),
    copies: () => stored.keys(publicFolder(fileId)),
    /** No job for the file is waiting or running. */
    settled: (exposed: boolean) => eventually(async () => (await row()).exposed === exposed, 'exposure'),
  }
}
type Added = Awaited<ReturnType<typeof add>>

const statusOf = async (url: string, token?: string, method = 'GET') =>
  (await fetch(url, { method, headers: token ? { authorization: `Bearer ${token}` } : {} })).status
const statuses = (urls: string[], token?: string) => Promise.all(urls.map((url) => statusOf(url, token)))
const five = (status: number) => Array(5).fill(status)

describe.each(storages.each)('on %s', (kind, stored) => {
  const { server } = stored
  const { ctx } = server
  const isBucket = kind === 'S3'
  const bucketUrls = ({ renditions }: Added) => renditions.map(({ key }) => `${storages.s3.bucketUrl}/${key}`)

  test('a private photo: its owner, administrators, and who has a signed address; nobody else', async () => {
    const photo = await add(stored)
    const [admin, stranger] = [await makeUser(server, { role: 'admin' }), await makeUser(server)]
    const urls = photo.paths.map((path) => server.url + path)
    expect(await statuses(urls)).toEqual(five(404))
    expect(await statuses(urls, stranger.token)).toEqual(five(404))
    expect(await statuses(urls, photo.owner.token)).toEqual(five(200))
    expect(await statuses(urls, admin.token)).toEqual(five(200))
    const signed = await photo.urls(false)
    expect(await statuses(signed)).toEqual(five(200))
    expect(signed).toEqual(await photo.urls(false))
    const answer = await fetch(signed[0]!, { headers: { range: 'bytes=2-8' } })
    expect([answer.status, await answer.text()]).toEqual([206, 'picture'])
    expect(answer.headers.get('cache-control')).toBe('private, no-cache')
    for (const status of ['draft', 'archived'] as const) {
      await photo.set({ visibility: 'public', status })
      expect(await statuses(urls)).toEqual(five(404))
    }
    expect(
      await statuses(
        urls.map((url) => url.replace('/files/', '/files/hidden/')),
        admin.token,
      ),
    ).toEqual(five(404))
  })

  test('the uploaded file never gets an address that is not signed, and has its name', async () => {
    const photo = await add(stored)
    await photo.show()
    const [admin, stranger] = [await makeUser(server, { role: 'admin' }), await makeUser(server)]
    const url = `${server.url}/files/${photo.objectKey}`
    expect(await statusOf(url)).toBe(404)
    expect(await statusOf(url, stranger.token)).toBe(404)
    expect(await statusOf(url, admin.token)).toBe(200)
    const answer = await fetch(originalUrl(ctx, server.url, photo))
    expect([answer.status, await answer.text()]).toEqual([200, '31.2304 N, serial 12345'])
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="__ _night_.jpg"; filename*=UTF-8''%E5%A4%96%E6%BB%A9%20%22night%22.jpg`,
    )
    expect(answer.headers.get('cache-control')).toBe('private, no-cache')
    if (isBucket) expect(await statusOf(`${storages.s3.bucketUrl}/${photo.objectKey}`)).toBe(403)
  })

  test('a signature is for one file and for its time', async () => {
    const [photo, other] = [await add(stored), await add(stored)]
    const signed = new URL((await photo.urls(false))[0]!)
    const change = (name: string, to: string) => {
      const url = new URL(signed)
      url.searchParams.set(name, to)
      return url.href
    }
    const query = signed.search
    const expires = Number(signed.searchParams.get('expires'))
    expect(expires - Date.now() / 1000).toBeGreaterThan(14 * 60)
    expect(expires - Date.now() / 1000).toBeLessThan(21 * 60)
    for (const url of [
      `${server.url}${other.paths[0]}${query}`,
      `${server.url}${photo.paths[1]}${query}`,
      `${server.url}/files/${photo.objectKey}${query}`,
      change('expires', String(expires + 1)),
      change('expires', `0${expires}`),
      change('expires', 'NaN'),
      change('signature', ''),
      change('signature', 'x'.repeat(43)),
      change('signature', `${signed.searchParams.get('signature')}x`),
    ])
      expect([url, await statusOf(url)]).toEqual([url, 404])
    const past = (addressWindow() - 1) * 300
    const [key] = [photo.renditions[0]!.key]
    const old = `/files/${key}?expires=${past}&signature=${ctx.keyedHash('file-address', `${past} ${key}`)}`
    const { status, body: error } = await api(server, 'GET', old)
    expect([status, error.error.code]).toEqual([403, 'ADDRESS_EXPIRED'])
    await photo.show()
    expect(await statusOf(server.url + old)).toBe(200)
    expect(await statusOf(signedUrl(ctx, server.url, 'photos/999999/x.jpg'))).toBe(404)
  })

  test('a photo is published and hidden again: its addresses work at every moment, former ones no longer', async () => {
    const photo = await add(stored)
    const urls = photo.paths.map((path) => server.url + path)
    await photo.show()
    // At once, while copies are made.
    expect(await statuses(urls)).toEqual(five(200))
    expect(await statuses(await photo.urls(true))).toEqual(five(200))
    if (isBucket) {
      await photo.settled(true)
      expect(await photo.urls(true)).toEqual(bucketUrls(photo))
      expect(await statuses(bucketUrls(photo))).toEqual(five(200))
    } else {
      await expose(ctx, photo.fileId)
      expect(await photo.urls(true)).toEqual(urls)
    }
    await photo.hide()
    expect(await statuses(urls)).toEqual(five(404))
    expect(await statuses(await photo.urls(false))).toEqual(five(200))
    await eventually(async () => (await photo.copies()).length === 0, 'the copies are deleted')
    if (isBucket) expect(await statuses(bucketUrls(photo))).toEqual(five(404))
    expect(await statuses(await photo.urls(false))).toEqual(five(200))
    expect((await photo.row()).exposed).toBe(false)
  })

  test('the addresses of what does not exist lead to a picture', async () => {
    const photo = await add(stored)
    const urls = renditionUrls(ctx, server.url, {
      renditions: photo.renditions.slice(0, 1),
      exposed: false,
      isPublic: true,
      whole: false,
      hasWatermark: false,
    })
    expect(Object.keys(urls)).toEqual([...NAMES])
    const answer = await fetch(urls.display)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/jpeg'])
    const bytes = await answer.bytes()
    expect([...bytes.subarray(0, 2)]).toEqual([0xff, 0xd8])
    const etag = answer.headers.get('etag')!
    expect((await fetch(urls.webp, { headers: { 'if-none-match': etag } })).status).toBe(304)
    const part = await fetch(urls.webp, { headers: { range: 'bytes=1-2' } })
    expect([part.status, [...(await part.bytes())]]).toEqual([206, [0xd8, 0xff]])
    const head = await fetch(urls.webp, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBe(String(bytes.byteLength))
    for (const path of ['placeholders/other.jpg', 'placeholders', 'constructor/x', 'photos', 'photos/1', ''])
      expect([path, await statusOf(`${server.url}/files/${path}`)]).toEqual([path, 404])
  })

  test('deleting a file deletes all its objects', async () => {
    const photo = await add(stored)
    await photo.show()
    if (isBucket) await photo.settled(true)
    await transaction(ctx, async (tx) => {
      await tx.db.delete(photos).where(eq(photos.id, photo.id))
      await tx.db.delete(photoFiles).where(eq(photoFiles.id, photo.fileId))
      await deletePhotoObjects(tx, [{ id: photo.fileId, objectKey: photo.objectKey }])
    })
    expect(await statuses(await Promise.all(photo.paths.map((path) => server.url + path)))).toEqual(five(404))
    expect(await statusOf(originalUrl(ctx, server.url, photo))).toBe(404)
    await eventually(async () => {
      const folders = [publicFolder(photo.fileId), hiddenFolder(photo.fileId), photo.objectKey]
      return (await Promise.all(folders.map(stored.keys))).flat().length === 0
    }, 'nothing is left')
  })
})

test('in place of the original, others get the largest picture, and of equal ones the JPEG for display', () => {
  const sized = (...sizes: [Rendition['name'], number][]) => ({
    renditions: sizes.map(([name, width]) => ({ name, width, height: 10, key: '', size: 1 })),
    whole: false,
    hasWatermark: false,
  })
  const nameOf = (file: ReturnType<typeof sized>) => largestRendition(file)?.name
  expect(nameOf(sized(['thumb_small', 5], ['display', 20], ['webp', 20]))).toBe('display')
  expect(nameOf(sized(['webp', 20], ['thumb_small', 20], ['display', 20]))).toBe('display')
  expect(nameOf(sized(['thumb_large', 30], ['webp', 40]))).toBe('webp')
  expect(nameOf(sized())).toBeUndefined()
})

describe('copies in a bucket', () => {
  const stored = storages.s3
  const { ctx } = stored.server
  const keysOf = (renditions: Rendition[]) => renditions.map(({ key }) => key).sort()

  /** Runs `change` once, just after the first copy of this file. */
  function afterFirstCopy(photo: Added, change: () => Promise<unknown>) {
    const { copy } = ctx.storage
    const { promise, resolve } = Promise.withResolvers<void>()
    let isFirst = true
    ctx.storage.copy = async (from, to) => {
      const made = await copy(from, to)
      if (isFirst && to.startsWith(publicFolder(photo.fileId))) {
        isFirst = false
        await change()
        resolve()
      }
      return made
    }
    return {
      changed: promise,
      [Symbol.dispose]() {
        ctx.storage.copy = copy
      },
    }
  }

  test('are deleted when the photo is hidden while they are made', async () => {
    const photo = await add(stored)
    using copying = afterFirstCopy(photo, photo.hide)
    await photo.show()
    await copying.changed
    await eventually(async () => (await photo.copies()).length === 0, 'the copies are deleted')
    await expose(ctx, photo.fileId)
    expect([await photo.copies(), (await photo.row()).exposed]).toEqual([[], false])
  })

  test('are those of the new renditions when the file is processed again meanwhile', async () => {
    const photo = await add(stored)
    const fresh = await makeRenditions(stored, photo.fileId)
    const replace = () =>
      transaction(ctx, async (tx) => {
        await tx.db.update(photoFiles).set({ renditions: fresh }).where(eq(photoFiles.id, photo.fileId))
        await enqueueExposure(tx, [photo.fileId])
      })
    using _ = afterFirstCopy(photo, replace)
    await photo.show()
    await photo.settled(true)
    await eventually(
      async () => Bun.deepEquals(await photo.copies(), keysOf(fresh)),
      'the copies are those of the new renditions',
    )
    expect(await statuses(await photo.urls(true))).toEqual(five(200))
  })

  test('are deleted when the file is deleted while they are made', async () => {
    const photo = await add(stored)
    const remove = () =>
      transaction(ctx, async (tx) => {
        await tx.db.delete(photos).where(eq(photos.id, photo.id))
        await tx.db.delete(photoFiles).where(eq(photoFiles.id, photo.fileId))
      })
    await ctx.db.update(photos).set({ visibility: 'public' }).where(eq(photos.id, photo.id))
    using _ = afterFirstCopy(photo, remove)
    await expose(ctx, photo.fileId)
    expect(await photo.copies()).toEqual([])
  })

  test('are right in the end when several servers make them while the visibility changes again and again', async () => {
    const photo = await add(stored)
    for (const [change, expected] of [
      [photo.show, keysOf(photo.renditions)],
      [photo.hide, []],
    ] as const) {
      const changes = (async () => {
        for (let i = 0; i < 4; i++) {
          await photo.show()
          await photo.hide()
        }
        await change()
      })()
      const runs = Array.from({ length: 4 }, () => expose(ctx, photo.fileId).catch(() => {}))
      await Promise.all([changes, ...runs])
      // The jobs of the changes may still run.
      await eventually(async () => {
        const now = [await photo.copies(), (await photo.row()).exposed]
        return Bun.deepEquals(now, [expected, expected.length > 0])
      }, 'the copies are right')
    }
    expect(await stored.keys(hiddenFolder(photo.fileId))).toHaveLength(5)
  })

  test('are made and deleted in the end by an object store that fails', async () => {
    const photo = await add(stored)
    await stored.failNext('CopyObject', 4)
    await photo.show()
    expect(await statuses(await photo.urls(true))).toEqual(five(200))
    await photo.settled(true)
    await stored.failNext('DeleteObjects', 4)
    await photo.hide()
    expect(await statuses(photo.paths.map((path) => stored.server.url + path))).toEqual(five(404))
    await eventually(async () => (await photo.copies()).length === 0, 'the copies are deleted')
  })

  test('one file that fails does not hold up the others of its batch', async () => {
    const owner = await makeUser(stored.server)
    const [broken, whole] = [await add(stored, owner), await add(stored, owner)]
    await ctx.storage.delete([`hidden/${broken.renditions[0]!.key}`])
    await transaction(ctx, async (tx) => {
      for (const { id } of [broken, whole])
        await tx.db.update(photos).set({ visibility: 'public' }).where(eq(photos.id, id))
      await enqueueExposure(tx, [broken.fileId, whole.fileId])
    })
    await whole.settled(true)
    expect((await broken.row()).exposed).toBe(false)
  })
})
