import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { rebuildOutdated } from '../../../src/core/photo-index/jobs.ts'
import { matchPhotos } from '../../../src/core/photo-index/match.ts'
import { rebuildPhotoIndex } from '../../../src/core/photo-index/rebuild.ts'
import { TERMS_VERSION, termsOf } from '../../../src/core/photo-index/terms.ts'
import { indexPhotos } from '../../../src/core/photo-index/write.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { photoFiles, photoIndex, photos, photoTags } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { makeUser, type TestUser, unique } from '../../support/factories.ts'
import { fileRow, makePhoto, makeTag } from '../../support/photos.ts'
import { eventually } from '../../support/process.ts'
import { Random } from '../../support/random.ts'
import { query, startServer, type TestServer } from '../../support/server.ts'

let server: TestServer
let admin: TestUser
beforeAll(async () => {
  server = await startServer()
  admin = await makeUser(server, { role: 'admin' })
})
afterAll(() => server.stop())

const found = async (words: string) => {
  const rows = await server.ctx.db
    .select({ id: photoIndex.photoId })
    .from(photoIndex)
    .where(matchPhotos(words))
  return rows.map(({ id }) => id)
}

const OPERATIONS = 60
const WORDS = ['夜景', '城市', 'river', '上海外滩', 'Über', '绿', '🌅', 'sun set', '《山》', '東京タワー']

/** Changes that clients make, one after the other. Some are refused, which changes nothing. */
class Changes {
  private readonly photoIds: number[] = []
  private readonly categoryIds: number[] = []
  private readonly statuses = new Map<number, number>()

  constructor(private readonly random: Random) {}

  async make(): Promise<void> {
    const { random } = this
    const changes = [
      () => this.createPhoto(),
      () => this.send('PUT', `/v1/photos/${this.photo()}`, this.photoFields()),
      () => this.batch(),
      () => this.deletePhoto(),
      () => this.createCategory(),
      () => this.send('PUT', `/v1/categories/${this.category()}`, { name: this.words() }),
      () =>
        this.send('PUT', `/v1/categories/${this.category()}`, {
          parent_id: random.chance(0.3) ? null : this.category(),
        }),
      () => this.send('DELETE', `/v1/categories/${this.category()}`),
      () => this.changeTag(),
    ]
    const weights = [4, 4, 6, 1, 3, 2, 4, 1, 3]
    await random.pick(changes.flatMap((change, i) => Array.from({ length: weights[i]! }, () => change)))()
  }

  /** How many changes were made, of each kind of answer. */
  get answers(): Record<string, number> {
    return Object.fromEntries(this.statuses)
  }

  async createPhoto(): Promise<void> {
    const [file] = await server.ctx.db.insert(photoFiles).values(fileRow(admin.user.id)).returning()
    const body = { ...this.photoFields(), file_id: `upload_${file!.id}`, title: this.words() }
    const created = await this.send('POST', '/v1/photos', body)
    if (created) this.photoIds.push(created.id)
  }

  /** The first photo stays, so that there is one to compare in the end. */
  private async deletePhoto(): Promise<void> {
    const [, ...others] = this.photoIds
    if (others.length > 0) await this.send('DELETE', `/v1/photos/${this.random.pick(others)}`)
  }

  private async createCategory(): Promise<void> {
    const parent = this.random.chance(0.6) ? this.category() : 0
    const body = { name: this.words(), slug: unique('c'), parent_id: parent || null }
    const created = await this.send('POST', '/v1/categories', body)
    if (created) this.categoryIds.push(created.id)
  }

  private async batch(): Promise<void> {
    const action = this.random.pick([
      'update_status',
      'add_tags',
      'remove_tags',
      'add_categories',
      'remove_categories',
    ])
    const data = {
      status: this.random.pick(['published', 'draft']),
      tags: [this.random.pick(WORDS)],
      categories: this.categoryIds.length > 0 ? [this.category()] : [],
    }
    await this.send('POST', '/v1/photos/batch', { photo_ids: [this.photo(), this.photo()], action, data })
  }

  private async changeTag(): Promise<void> {
    const { body } = await api(server, 'GET', '/v1/tags?limit=100', { token: admin.token })
    const tag = body.data.length > 0 ? this.random.pick(body.data as { id: number }[]) : { id: 1 }
    if (this.random.chance(0.3)) await this.send('DELETE', `/v1/tags/${tag.id}`)
    else
      await this.send('PUT', `/v1/tags/${tag.id}`, { name: `${this.words()} ${this.random.between(0, 99)}` })
  }

  private photoFields(): object {
    const { random } = this
    const fields = {
      title: this.words(),
      description: Array.from({ length: random.between(0, 5) }, () => this.words()).join('，'),
      status: random.pick(['published', 'draft', 'archived']),
      taken_at: random.pick(['2024-01-15T18:30:00Z', '2023-12-31T23:59:59-05:00']),
      location: { name: this.words(), city: 'Shanghai' },
      tags: [random.pick(WORDS), random.pick(WORDS)],
      categories: this.categoryIds.length > 0 ? [this.category()] : [],
    }
    return Object.fromEntries(Object.entries(fields).filter(() => random.chance(0.5)))
  }

  private async send(method: string, path: string, body?: object): Promise<{ id: number } | undefined> {
    const answer = await api(server, method, path, { token: admin.token, body })
    expect(answer.status, `${method} ${path} ${answer.text}`).toBeLessThan(500)
    this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1)
    return answer.body?.success ? answer.body.data : undefined
  }

  private words = () => `${this.random.pick(WORDS)}${this.random.pick(['', ' '])}${this.random.pick(WORDS)}`
  private photo = () => (this.photoIds.length > 0 ? this.random.pick(this.photoIds) : 1)
  private category = () => (this.categoryIds.length > 0 ? this.random.pick(this.categoryIds) : 1)
}

describe('a rebuild', () => {
  test('changes nothing after what clients have done', async () => {
    const changes = new Changes(Random.announced('index of photos'))
    await changes.createPhoto()
    for (let i = 0; i < OPERATIONS; i++) await changes.make()
    const { answers } = changes
    expect((answers[200] ?? 0) + (answers[201] ?? 0), JSON.stringify(answers)).toBeGreaterThan(OPERATIONS / 3)
    const { photos: compared, changed } = await rebuildPhotoIndex(server.ctx)
    expect(compared).toBeGreaterThan(0)
    expect(changed).toBe(0)
  }, 60_000)

  test('corrects a row that is wrong, and one that is missing', async () => {
    const wrong = await makePhoto(server, admin, { title: '长城' })
    const missing = await makePhoto(server, admin, { title: '长城' })
    await query(server, sql`update photo_index set terms = '', title = 'x' where photo_id = ${wrong}`)
    await query(server, sql`delete from photo_index where photo_id = ${missing}`)
    expect(await found('长城')).toEqual([])
    expect(await rebuildPhotoIndex(server.ctx)).toMatchObject({ changed: 2 })
    expect((await found('changcheng')).sort()).toEqual([wrong, missing].sort())
  })

  test('is started by a server that finds rows of older terms', async () => {
    const id = await makePhoto(server, admin, { title: '故宫' })
    await query(server, sql`update photo_index set terms = '', terms_version = 0 where photo_id = ${id}`)
    await rebuildOutdated(server.ctx)
    await eventually(async () => (await found('故宫')).length > 0, 'the photo is found')
    expect(await found('故宫')).toEqual([id])
  })

  test('is due when the terms change: then raise TERMS_VERSION, and the hash here', () => {
    const terms = termsOf({
      title: 'Über 城市夜景 🌅 ＡＢＣ',
      description: '灯火 of the city',
      names: ['重庆', '绿', 'Long exposure'],
      location: '東京タワー',
    })
    expect([TERMS_VERSION, Bun.hash.crc32(terms.sort().join(' '))]).toEqual([1, 2829886215])
  })
})

test('of two changes of one photo at once, the row shows both', async () => {
  const tagId = await makeTag(server, unique('彩虹'))
  for (let round = 0; round < 5; round++) {
    const id = await makePhoto(server, admin, { title: 'before' })
    const title = unique('after')
    await Promise.all([
      transaction(server.ctx, async (tx) => {
        await tx.db.insert(photoTags).values({ photoId: id, tagId })
        await indexPhotos(tx, [id])
      }),
      transaction(server.ctx, async (tx) => {
        await tx.db.update(photos).set({ title }).where(eq(photos.id, id))
        await indexPhotos(tx, [id])
      }),
    ])
    expect(await found(`${title} 彩虹`)).toEqual([id])
  }
  expect(await rebuildPhotoIndex(server.ctx)).toMatchObject({ changed: 0 })
})

test('a tag that is renamed while photos get it is found by its new name alone', async () => {
  const oldName = unique('old')
  const newName = unique('new')
  const id = await makePhoto(server, admin, { title: 'x', tags: [oldName] })
  const other = await makePhoto(server, admin, { title: 'y' })
  const [tag] = await query(server, sql`select tag_id as id from photo_tags where photo_id = ${id}`)
  const [renamed] = await Promise.all([
    api(server, 'PUT', `/v1/tags/${tag!.id}`, { token: admin.token, body: { name: newName } }),
    api(server, 'POST', '/v1/photos/batch', {
      token: admin.token,
      body: { photo_ids: [other], action: 'add_tags', data: { tags: [oldName] } },
    }),
  ])
  expect(renamed.status).toBe(200)
  expect(await found(newName)).toContain(id)
  expect(await rebuildPhotoIndex(server.ctx)).toMatchObject({ changed: 0 })
})
