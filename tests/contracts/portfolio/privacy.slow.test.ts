/**
 * What the owner of a photo did not mean to publish reaches nobody else: docs/contracts/portfolio.md, "Privacy". Photos carry
 * a place, serial numbers and names in every way that a file can, and are published. Then everything is fetched that
 * somebody else can find or guess.
 */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { createCategory } from '../../../src/core/categories/changes.ts'
import { hiddenFolder, publicFolder } from '../../../src/core/photo-files/keys.ts'
import { photoFiles } from '../../../src/db/schema/index.ts'
import { type Answer, api } from '../../support/api.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { form, sendForm } from '../../support/files.ts'
import { documentedRoutes } from '../../support/openapi.ts'
import { partsOf } from '../../support/photo-containers.ts'
import {
  NEEDLES,
  type PrivatePhoto,
  privatePhotos,
  SECRET_WORDS,
  secretsIn,
} from '../../support/private-photos.ts'
import { eventually } from '../../support/process.ts'
import { openLive, type TestSocket } from '../../support/sockets.ts'
import { openStorages } from '../../support/storages.ts'

const storages = await openStorages()
afterAll(storages.stop)
const all = await privatePhotos()
/** In a bucket: what processing makes of the other files is the same there. */
const FEW = ['EXIF', 'Motion Photo']

/** The parts that a rendition needs to be shown. */
const HARMLESS = new Set(['e0', 'db', 'c0', 'c2', 'c4', 'dd', 'VP8 ', 'VP8L', 'VP8X', 'ALPH'])

interface Published extends PrivatePhoto {
  id: number
  fileId: number
}
interface Fetched {
  url: string
  status: number
  body: Buffer
}

describe.each(storages.each)('on %s', (kind, stored) => {
  const { server } = stored
  const bucketUrl = kind === 'S3' ? storages.s3.bucketUrl : undefined
  const photos: Published[] = []
  let owner: TestUser
  let stranger: TestUser
  let admin: TestUser
  let live: TestSocket
  let categoryId: number

  const own = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await api(server, method, path, { token: owner.token, body })
    expect([path, answer.status, answer.status < 300 ? '' : answer.text]).toEqual([path, answer.status, ''])
    return answer
  }
  const detail = async (id: number, token?: string) =>
    (await api(server, 'GET', `/v1/photos/${id}`, { token })).body?.data
  const named = (name: string) => photos.find((photo) => photo.name === name)!

  async function upload({ file, fileName }: PrivatePhoto): Promise<string> {
    const body = form(['file', new Uint8Array(file), fileName])
    const answer = await sendForm(server, '/v1/upload/single', owner.token, body)
    expect([fileName, answer.status]).toEqual([fileName, 201])
    return answer.body.data.file_id
  }

  async function publish(photo: PrivatePhoto, more = {}): Promise<Published> {
    const file_id = await upload(photo)
    const { body } = await own('POST', '/v1/photos', {
      title: `Photo ${photo.name}`,
      file_id,
      status: 'published',
      visibility: 'public',
      categories: [categoryId],
      tags: ['shown'],
      ...more,
    })
    return { ...photo, id: body.data.id, fileId: Number(file_id.slice('upload_'.length)) }
  }

  const processed = ({ id, name }: Published) =>
    eventually(
      async () => (await detail(id, owner.token)).processing_status === 'completed',
      `${name} is processed`,
      120_000,
    )

  /** Fetches an address. The answer must have none of the secrets. */
  async function read(url: string, token?: string): Promise<Fetched> {
    const answer = await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {} })
    const body = Buffer.from(await answer.bytes())
    const head = Buffer.from(JSON.stringify([...answer.headers]))
    expect([url, secretsIn(body), secretsIn(head)]).toEqual([url, [], []])
    return { url, status: answer.status, body }
  }

  /** Every address in this text that is one of the server or of the bucket. */
  const addressesIn = (text: string): string[] =>
    (text.match(/https?:\/\/[^\s"<>\\]+/g) ?? []).filter(
      (url) => url.startsWith(server.url) || (bucketUrl && url.startsWith(bucketUrl)),
    )

  /** Reads these addresses and every one that an answer names. */
  async function crawl(start: string[], token?: string): Promise<Fetched[]> {
    const known = new Set(start)
    const fetched: Fetched[] = []
    for (const url of known) {
      const one = await read(url, token)
      fetched.push(one)
      const isText = one.body.subarray(0, 1).toString() === '{'
      if (isText) for (const found of addressesIn(one.body.toString())) known.add(found)
    }
    return fetched
  }

  /** Every documented address that answers to GET, with the ids that there are, and searches for what nobody may find. */
  function documentedAddresses(): string[] {
    const ids = [...photos.map(({ id }) => id), categoryId, 1, 2, 999_999]
    const values: Record<string, (string | number)[]> = {
      file_id: photos.map(({ fileId }) => `upload_${fileId}`),
      upload_id: photos.map(({ fileId }) => `chunked_${fileId}`),
      year: [2024],
      month: [1],
      file_path: ['placeholders/photo.jpg'],
    }
    const paths = documentedRoutes()
      .filter(({ method, path }) => method === 'GET' && path.startsWith('/v1/'))
      .flatMap(({ path }) =>
        (path.match(/\{\w+\}/g) ?? []).reduce<string[]>(
          (made, parameter) =>
            made.flatMap((one) =>
              (values[parameter.slice(1, -1)] ?? ids).map((value) => one.replace(parameter, String(value))),
            ),
          [path],
        ),
      )
    const queries = [
      '/v1/photos?limit=100&sort_by=taken_at',
      '/v1/photos?limit=100&year=2024&month=1&category=1&tag=shown',
      '/v1/photos/search?q=Photo&limit=100',
      '/v1/categories?include_stats=true&include_tree=true',
      '/v1/tags?group=all&limit=100',
      '/v1/tags/suggestions?q=s',
    ]
    return [...paths, ...queries].map((path) => server.url + path)
  }

  /** The addresses that somebody tries who knows how keys are made. */
  async function guesses(): Promise<string[]> {
    const rows = (await server.ctx.db.select().from(photoFiles)).slice(0, 4)
    const keys = rows.flatMap(({ id, objectKey, renditions }) => {
      const known = [objectKey, ...renditions.map(({ key }) => key)]
      return [
        ...known.flatMap((key) => [
          key,
          `hidden/${key}`,
          key.replace(/\.\w+$/, '.png'),
          key.replace(/^(photos|originals)\/\d+\//, (_, folder) => `${folder}/${id + 1}/`),
          key.replace(/^photos/, 'originals'),
          key.replace(/^originals/, 'photos'),
          `${key}.xmp`,
        ]),
        publicFolder(id),
        hiddenFolder(id),
        `photos/${id}/original.jpg`,
        `originals/${id}.jpg`,
      ]
    })
    const bases = bucketUrl ? [`${server.url}/files`, bucketUrl] : [`${server.url}/files`]
    const listings = bucketUrl
      ? ['', '?list-type=2', '?list-type=2&prefix=originals/', '?prefix=hidden/', '?uploads', '?policy']
      : []
    return [
      ...bases.flatMap((base) => keys.map((key) => `${base}/${key}`)),
      ...listings.map((q) => `${bucketUrl}/${q}`),
    ]
  }

  /** No address of a photo is left, and what was one does not answer any more. */
  async function expectGone(photo: Published, former: string[]): Promise<void> {
    expect([404, 403]).toContain((await read(`${server.url}/v1/photos/${photo.id}`)).status)
    for (const url of former.filter((url) => url.startsWith(server.url)))
      expect([url, (await read(url)).status]).toEqual([url, 404])
    await eventually(async () => {
      const answers = await Promise.all(former.map(async (url) => (await fetch(url)).status))
      return answers.every((status) => status === 404 || status === 403)
    }, `former addresses of ${photo.name} do not answer`)
    const { text } = await api(server, 'GET', '/v1/photos?limit=100')
    expect(text).not.toContain(`/photos/${photo.fileId}/`)
  }

  const formatsOf = async (id: number, token?: string): Promise<string[]> =>
    Object.values((await detail(id, token)).formats)

  beforeAll(async () => {
    owner = await makeUser(server, { role: 'editor' })
    stranger = await makeUser(server, { role: 'editor' })
    admin = await makeUser(server, { role: 'admin' })
    live = await openLive(server, stranger.token)
    categoryId = (await createCategory(server.ctx, SERVER, { name: 'Places' })).id
    const used = kind === 'disk' ? all : all.filter(({ name }) => FEW.includes(name))
    // The first one is not published at once.
    for (const photo of used) photos.push(await publish(photo, photo === used[0] ? { status: 'draft' } : {}))
    for (const photo of photos) await processed(photo)
  }, 240_000)

  test('photos that are not published have no address for others, from the first moment', async () => {
    const one = named('EXIF')
    for (const state of [
      {},
      { status: 'published', visibility: 'private' },
      { status: 'archived', visibility: 'public' },
    ]) {
      await own('PUT', `/v1/photos/${one.id}`, state)
      expect(await stored.keys(publicFolder(one.fileId))).toEqual([])
      const hidden = await stored.keys(hiddenFolder(one.fileId))
      expect(hidden).toHaveLength(5)
      const tries = hidden
        .flatMap((key) => [key, key.replace('hidden/', '')])
        .flatMap((key) => [`${server.url}/files/${key}`, ...(bucketUrl ? [`${bucketUrl}/${key}`] : [])])
      await expectGone(one, tries)
      for (const url of tries) expect([403, 404]).toContain((await read(url, stranger.token)).status)
      // The owner and administrators see them, by addresses that need no sign-in for some minutes.
      for (const { token } of [owner, admin])
        for (const url of await formatsOf(one.id, token))
          expect([url, (await fetch(url)).status]).toEqual([url, 200])
    }
    const { body } = await api(server, 'GET', '/v1/photos/search?q=Photo')
    expect(body.pagination.total).toBe(photos.length - 1)
  })

  test('a change of such a photo changes no answer to others', async () => {
    const { id } = named('EXIF')
    /** Every answer, without what differs from one request to the next. */
    const answers = async (token?: string): Promise<Map<string, string>> => {
      const texts = new Map<string, string>()
      for (const url of [...documentedAddresses(), `${server.url}/v1/tags/suggestions?q=nobody`]) {
        const answer = await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {} })
        // Of a session, the minute of its last request is shown.
        const own = /"meta":\{[^}]*\}|"view_count":\d+|"last_seen_at":"[^"]*"/g
        const text = (await answer.text()).replace(own, '')
        texts.set(url, `${answer.status} ${text}`)
      }
      return texts
    }
    const before = [await answers(), await answers(stranger.token)]
    const ownBefore = await answers(owner.token)
    await own('PUT', `/v1/photos/${id}`, {
      title: 'Nobody knows this',
      tags: ['shown', 'nobody-knows'],
      categories: [categoryId],
      taken_at: '1987-03-01T12:00:00Z',
      location: { name: 'Nobody knows where' },
    })
    expect([await answers(), await answers(stranger.token)]).toEqual(before)
    const ownAfter = await answers(owner.token)
    const changed = [...ownAfter.keys()].filter((url) => ownAfter.get(url) !== ownBefore.get(url))
    for (const path of ['photos', 'tags', 'timeline', `photos/${id}`])
      expect(changed).toContain(`${server.url}/v1/${path}`)
    await own('PUT', `/v1/photos/${id}`, {
      title: 'Photo EXIF',
      tags: ['shown'],
      taken_at: null,
      location: null,
      status: 'published',
      visibility: 'public',
    })
  })

  test('the search for secrets finds each of them in the files, and the owner gets the very files', async () => {
    for (const photo of photos) {
      expect([photo.name, secretsIn(photo.file)]).toEqual([
        photo.name,
        expect.arrayContaining(photo.carries as string[]) as never,
      ])
      for (const { token } of [owner, admin]) {
        const { formats } = await detail(photo.id, token)
        const original = await fetch(formats.original)
        expect([photo.name, original.status]).toEqual([photo.name, 200])
        expect(Buffer.compare(Buffer.from(await original.bytes()), photo.file)).toBe(0)
      }
    }
    const { location } = await detail(named('EXIF').id, owner.token)
    expect([location.latitude, location.longitude]).toEqual([
      expect.closeTo(78.853417, 5) as never,
      expect.closeTo(123.402261, 5) as never,
    ])
    expect((await detail(named('EXIF').id)).location).toEqual({
      name: '',
      latitude: null,
      longitude: null,
      country: '',
      city: '',
    })
  })

  test('nothing that anybody else can fetch has one of them', async () => {
    const start = [...documentedAddresses(), ...(await guesses())]
    for (const token of [undefined, stranger.token]) {
      const fetched = await crawl(start, token)
      // The crawl has found the photos and their pictures.
      const shown = fetched.filter(({ status, body }) => status === 200 && body[0] !== 0x7b)
      for (const { fileId, name } of photos) {
        const pictures = shown.filter(({ url }) => url.includes(`/photos/${fileId}/`))
        const names = pictures.map(({ url }) =>
          new URL(url).pathname
            .split('/')
            .pop()!
            .replace(/_[^_]+$/, ''),
        )
        expect([name, new Set(names).size]).toEqual([name, 5])
        // Every other address of the photo leads to one of them.
        const contents = new Set(pictures.map(({ body }) => Bun.hash(body)))
        expect(contents.size, name).toBeWithin(1, 6)
      }
      for (const { url, body } of shown) {
        if (url.includes('/v1/')) continue
        expect([url, partsOf(body).filter((part) => !HARMLESS.has(part))]).toEqual([url, []])
      }
      expect(fetched.filter(({ url, status }) => /originals|hidden/.test(url) && status < 400)).toEqual([])
    }
  })

  test('nobody finds a photo by what only its file says', async () => {
    for (const token of [undefined, stranger.token])
      for (const word of SECRET_WORDS) {
        for (const query of [
          `q=${word}`,
          `q=Photo&location=${word}`,
          `q=Photo&camera=${word}`,
          `q=Photo&lens=${word}`,
        ]) {
          const { body } = await api(server, 'GET', `/v1/photos/search?${query}`, { token })
          expect([query, body.pagination.total]).toEqual([query, 0])
        }
        const { body } = await api(server, 'GET', `/v1/photos?search=${word}`, { token })
        expect([word, body.pagination.total]).toEqual([word, 0])
      }
  })

  test('another user hears nothing of the photos, and errors say nothing of them', async () => {
    const { fileId, id } = named('EXIF')
    live.send({ type: 'subscribe', topic: `upload:upload_${fileId}` })
    await live.next('error')
    expect(live.frames.filter(({ type }) => /^(photo|upload)/.test(type))).toEqual([])
    expect(secretsIn(Buffer.from(JSON.stringify(live.frames)))).toEqual([])
    const events = await api(server, 'GET', '/api/events', { token: stranger.token })
    expect(events.text).not.toMatch(/photo\.|upload\./)
    for (const [method, path, body] of [
      ['GET', `/v1/upload/status/upload_${fileId}`],
      ['POST', `/v1/upload/upload_${fileId}/reprocess`, { force: true }],
      ['DELETE', `/v1/upload/upload_${fileId}`],
      ['POST', '/v1/photos', { title: 'mine', file_id: `upload_${fileId}` }],
      ['PUT', `/v1/photos/${id}`, { title: 'mine' }],
      ['POST', '/v1/photos/batch', { photo_ids: [id], action: 'update_status', data: { status: 'draft' } }],
    ] as const) {
      const answer = await api(server, method, path, { token: stranger.token, body })
      expect([path, secretsIn(Buffer.from(answer.text))]).toEqual([path, []])
      if (!path.endsWith('/batch')) expect([403, 404, 422]).toContain(answer.status)
      else expect(answer.body.data.summary).toEqual({ total: 1, success: 0, failed: 1 })
    }
    expect((await detail(id)).title).toBe('Photo EXIF')
  })

  test('a place is published, coarse, only where the site says so and the owner says nothing else', async () => {
    const { id } = named('EXIF')
    const publish = (publish_location: boolean) =>
      api(server, 'PUT', '/v1/settings', { token: admin.token, body: { upload: { publish_location } } })
    await publish(true)
    try {
      for (const token of [undefined, stranger.token]) {
        const { location } = await detail(id, token)
        expect([location.latitude, location.longitude]).toEqual([78.85, 123.4])
      }
      const text = (await api(server, 'GET', '/v1/photos?limit=100')).text
      expect(
        secretsIn(Buffer.from(text)).filter((secret) => secret !== 'city' && secret !== 'country'),
      ).toEqual([])
      await own('PUT', `/v1/photos/${id}`, { location: { name: '外滩', latitude: 31.2, longitude: 121.5 } })
      expect((await detail(id)).location).toMatchObject({ name: '外滩', latitude: 31.2, longitude: 121.5 })
    } finally {
      await publish(false)
    }
    expect((await detail(id)).location).toMatchObject({ name: '外滩', latitude: 31.2 })
  })

  test('a photo that is hidden or deleted is gone from its former addresses; published again, it is there', async () => {
    const shown = named('Motion Photo')
    if (bucketUrl)
      await eventually(
        async () => (await formatsOf(shown.id)).every((url) => url.startsWith(bucketUrl)),
        'the addresses are those of the bucket',
      )
    const former = new Set<string>()
    for (const change of [{ visibility: 'private' }, { status: 'draft' }, { status: 'archived' }]) {
      for (const url of await formatsOf(shown.id)) {
        expect([url, (await read(url)).status]).toEqual([url, 200])
        former.add(url)
      }
      await own('PUT', `/v1/photos/${shown.id}`, change)
      await expectGone(shown, [...former])
      for (const url of await formatsOf(shown.id, owner.token))
        expect([url, (await fetch(url)).status]).toEqual([url, 200])
      await own('PUT', `/v1/photos/${shown.id}`, { visibility: 'public', status: 'published' })
      for (const url of await formatsOf(shown.id)) expect([url, (await read(url)).status]).toEqual([url, 200])
    }
    const signed = await formatsOf(shown.id, owner.token)
    expect((await api(server, 'DELETE', `/v1/photos/${shown.id}`, { token: admin.token })).status).toBe(204)
    await expectGone(shown, [...former, ...signed])
    await eventually(async () => {
      const left = [publicFolder(shown.fileId), hiddenFolder(shown.fileId)].map(stored.keys)
      return (await Promise.all(left)).flat().length === 0
    }, 'its objects are deleted')
  })
})

test('every kind of secret is in some file', () => {
  expect(new Set(all.flatMap(({ file }) => secretsIn(file)))).toEqual(new Set(Object.keys(NEEDLES)))
})
