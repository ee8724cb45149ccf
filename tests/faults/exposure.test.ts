/**
 * Protects docs/contracts/portfolio.md, "Files of photos" with two servers on one PostgreSQL and one public bucket: a photo that
 * one server makes private is gone from every former address, and from what the other server shows.
 */
import { expect, test } from 'bun:test'
import { form, sendForm } from '../support/files.ts'
import { picture96 } from '../support/photo-fixtures.ts'
import { eventually, ServerProcess } from '../support/process.ts'
import { startBucket } from '../support/storages.ts'
import { ask, must, signInAsAdmin } from './client.ts'
import { hasPostgres, NO_DATABASE, openParts } from './parts.ts'

if (!hasPostgres) console.log(`skipped: a photo made private on another server: ${NO_DATABASE}`)

const MINUTE_MS = 60_000

test.skipIf(!hasPostgres)(
  'a photo that another server makes private is gone from all its addresses',
  async () => {
    await using stack = new AsyncDisposableStack()
    const bucket = stack.use(await startBucket())
    const parts = stack.use(await openParts('PostgreSQL'))
    const env = { ...parts.env, ...bucket.env }
    const [a, b] = await Promise.all([ServerProcess.start(env), ServerProcess.start(env)])
    stack.use(a)
    stack.use(b)
    await bucket.open()
    const token = await signInAsAdmin(a.url)

    const photo = new Uint8Array(await picture96())
    const uploaded = await sendForm(a, '/v1/upload/single', token, form(['file', photo, 'night.jpg']))
    const made = await must(a.url, 'POST', '/v1/photos', {
      token,
      body: { title: 'Night', file_id: uploaded.body.data.file_id, status: 'published', tags: ['night'] },
    })
    const path = `/v1/photos/${made.body.data.id}`
    /** What B shows to everybody: the length of each list, and whether the photo is in it. */
    const shown = async () => {
      const lists = ['/v1/photos', '/v1/photos?tag=night', '/v1/photos/search?q=night']
      const answers = await Promise.all(lists.map((list) => must(b.url, 'GET', list)))
      return answers.map(({ body }) => [body.pagination.total, JSON.stringify(body.data).includes('Night')])
    }
    const formats = async (server: ServerProcess, as?: string): Promise<string[]> =>
      Object.values(
        (await must(server.url, 'GET', path, as === undefined ? {} : { token: as })).body.data.formats,
      )
    const statuses = (urls: string[]) => Promise.all(urls.map(async (url) => (await fetch(url)).status))

    // B knows the photo as a public one.
    const copies = await eventually(async () => {
      const urls = await formats(b)
      return urls.every((url) => url.startsWith(bucket.bucketUrl)) && urls
    }, 'the photo is processed, and its copies are made')
    const served = [a, b].map(({ url }) =>
      copies.map((copy) => copy.replace(bucket.bucketUrl, `${url}/files`)),
    )
    for (const urls of [copies, ...served]) expect(new Set(await statuses(urls))).toEqual(new Set([200]))
    expect(await shown()).toEqual(Array(3).fill([1, true]))

    const hidden = performance.now()
    await must(a.url, 'PUT', path, { token, body: { visibility: 'private' } })
    expect((await ask(b.url, 'GET', path))?.status).toBe(404)
    expect(new Set(await statuses(served.flat()))).toEqual(new Set([404]))
    const left = () => MINUTE_MS - (performance.now() - hidden)
    await eventually(
      async () => Bun.deepEquals(await shown(), Array(3).fill([0, false])),
      'B lists the photo no more',
      left(),
    )
    await eventually(
      async () => (await statuses(copies)).every((status) => status === 403 || status === 404),
      'the copies are deleted',
      left(),
    )
    expect(new Set(await statuses(await formats(b, token)))).toEqual(new Set([200]))
    expect([...a.complaints, ...b.complaints]).toEqual([])
  },
)
