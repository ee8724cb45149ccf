/** Installations for tests of backups: one that has something of everything, and looks at what any has. */
import { sql } from 'drizzle-orm'
import { keptObjects } from '../../src/core/backup/objects.ts'
import { adjustBalance } from '../../src/core/money/ledger.ts'
import { uploadPhoto } from '../../src/core/photo-files/receive.ts'
import { transaction } from '../../src/core/transaction.ts'
import type { Db } from '../../src/db/client.ts'
import { fixTextForms, ownTables, readTables } from '../../src/db/tables.ts'
import { createImaging } from '../../src/imaging/imaging.ts'
import type { PhotoJob, PhotoResult } from '../../src/imaging/photo.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { actorOf } from '../support/actors.ts'
import { api } from '../support/api.ts'
import { makeTask, makeUser, type TestUser, unique } from '../support/factories.ts'
import { form, pdf, upload } from '../support/files.ts'
import { picture96 } from '../support/photo-fixtures.ts'
import { eventually } from '../support/process.ts'
import type { TestServer } from '../support/server.ts'

const PICTURE = new Uint8Array(await picture96())

/** A decoder that writes some words for each rendition. `gate` holds it. */
export class FakeImaging {
  gate: Promise<unknown> = Promise.resolve()

  readonly imaging = { ...createImaging(), photo: (job: PhotoJob) => this.render(job) }

  private async render({ input, output, only }: PhotoJob): Promise<PhotoResult> {
    await this.gate
    const names = only ?? (['thumb_small', 'thumb_medium', 'thumb_large', 'display', 'webp'] as const)
    const renditions = names.map(async (name) => {
      const path = `${output}/${name}`
      const size = await Bun.write(path, `${name} of ${input}`)
      return { name, path, width: 30, height: 20, size }
    })
    return {
      width: 3000,
      height: 2000,
      placeholder: 'AAAA',
      exif: { camera: '哈苏 "X2D"\n\\100C' },
      place: { latitude: 31.23, longitude: 121.47 },
      takenAt: '2024-01-15T18:30:00.000Z',
      takenOffset: 480,
      renditions: await Promise.all(renditions),
    }
  }
}

export const sendPhoto = (server: TestServer, owner: TestUser) =>
  uploadPhoto(server.ctx, actorOf(owner), {
    total: null,
    async read(take) {
      await take({ name: 'a.jpg', details: {}, body: new Response(PICTURE).body! })
      return {}
    },
  })

export const fileStatus = async ({ ctx }: TestServer, id: number) =>
  (await ctx.db.execute<{ status: string }>(sql`select status from photo_files where id = ${id}`))[0]?.status

export const changeBalance = (server: TestServer, { user }: TestUser, balanceMinor: number) =>
  transaction(server.ctx, (tx) => adjustBalance(tx, { userId: user.id, balanceMinor, createdBy: user.id }))

/** Texts that a careless writer of rows would change. */
const TEXTS = ['a,b\t"c"\n\\n\r\u2028', '照片 🙂', "it's \\000 {1,2}", '\\N', '']

/** @returns a user and an administrator with something of everything, and a file that `imaging` holds in processing */
export async function fill(server: TestServer, imaging: FakeImaging) {
  const { ctx } = server
  const owner = await makeUser(server, { role: 'editor' })
  const admin = await makeUser(server, { role: 'admin' })
  await changeBalance(server, owner, 123_45)
  for (const description of TEXTS) await makeTask(server, owner, { description })
  await makeTask(server, owner, {
    config: JSON.parse('{"big":1970670598291982290,"f":0.1,"list":[null,true]}'),
  })
  for (const file of [pdf(), pdf(5000)])
    await upload(server, owner.token, form(['title', unique('t')], ['file', file, 'a.pdf']))
  const ask = async (method: string, path: string, user: TestUser, body: unknown) => {
    const answer = await api(server, method, path, { token: user.token, body })
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`)
    return answer.body
  }
  const category = await ask('POST', '/v1/categories', admin, { name: unique('c') })
  await ask('POST', '/v1/categories', admin, { name: unique('c'), parent_id: category.data.id })
  const done = [
    await sendPhoto(server, owner),
    await sendPhoto(server, owner),
    await sendPhoto(server, owner),
  ]
  for (const { id } of done)
    await eventually(async () => (await fileStatus(server, id)) === 'completed', 'processed')
  const photo = async (n: number, input: object) => {
    const body = { title: unique('Photo '), file_id: `upload_${done[n]!.id}`, ...input }
    return { id: (await ask('POST', '/v1/photos', owner, body)).data.id as number, fileId: done[n]!.id }
  }
  const shown = await photo(0, {
    status: 'published',
    visibility: 'public',
    tags: ['夜景', 'b'],
    categories: [category.data.id],
    metadata: { b: 1, a: TEXTS },
  })
  const secret = await photo(1, { visibility: 'private', location: { latitude: 0.1 + 0.2, longitude: 1e-7 } })
  const { promise, resolve } = Promise.withResolvers<void>()
  imaging.gate = promise
  const waiting = await sendPhoto(server, owner)
  await eventually(
    async () => (await fileStatus(server, waiting.id)) === 'processing',
    'a file is in processing',
  )
  await quiet(server)
  return { owner, admin, shown, secret, waiting, release: resolve, ctx }
}

/** Waits until the queue has one job, which is held. */
const quiet = ({ ctx }: TestServer) =>
  eventually(async () => {
    const [row] = await ctx.db.execute<{ n: number }>(
      sql`select count(*)::int as n from pgboss.job where state in ('created', 'retry', 'active')`,
    )
    return row!.n === 1
  }, 'the other jobs have ended')

/** What a restore changes on purpose, or a running server by itself. */
const CHANGED = ['backups', 'scheduled_jobs', 'restored_jobs']
const isChanged = (table: string, row: string) =>
  (table === 'settings' && row.startsWith('["epoch"')) ||
  (table === 'audit_log' && row.includes('"backup.restored"'))

/** Every row of every table, as texts, without the columns and rows that a restore changes. */
export const rowsOf = (db: Db): Promise<Record<string, string[]>> =>
  db.transaction(async (tx) => {
    await fixTextForms(tx)
    const found: Record<string, string[]> = {}
    for (const { name, columns } of await readTables(tx, ownTables())) {
      if (CHANGED.includes(name)) continue
      const texts = columns
        .filter((column) => column.name !== 'exposed')
        .map((column) => sql`${sql.identifier(column.name)}::text`)
      const rows = await tx.execute<{ row: string }>(
        sql`select json_build_array(${sql.join(texts, sql`, `)})::text as row from ${sql.identifier(name)}`,
      )
      found[name] = rows
        .map(({ row }) => row)
        .filter((row) => !isChanged(name, row))
        .sort()
    }
    return found
  })

/** The SHA-256 of every object that rows refer to; null where there is none. */
export async function objectsOf(db: Db, storage: Storage): Promise<Record<string, string | null>> {
  const rows = await db.execute<{ line: string }>(sql`select * from (${keptObjects}) as lines (line)`)
  const found: Record<string, string | null> = {}
  for (const { line } of rows) {
    const { key } = JSON.parse(line)
    const stored = await storage.read(key)
    const hash = new Bun.CryptoHasher('sha256')
    if (stored) for await (const chunk of stored.body) hash.update(chunk)
    found[key] = stored ? hash.digest('hex') : null
  }
  return found
}
