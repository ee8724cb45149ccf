/** Uploads that are abandoned while they end: the server deletes a file together with its material, and never alone. */
import { afterAll, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import type { Context, Tx } from '../../../src/core/context.ts'
import { cleanUp } from '../../../src/core/materials/cleanup.ts'
import { thumbnailKey } from '../../../src/core/materials/keys.ts'
import { lockMaterial } from '../../../src/core/materials/rows.ts'
import { makeThumbnail } from '../../../src/core/materials/thumbnails.ts'
import {
  abandonUpload,
  beginUpload,
  finishUpload,
  giveUpUpload,
} from '../../../src/core/materials/upload-steps.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { isLocked } from '../../../src/db/errors.ts'
import { materials } from '../../../src/db/schema/index.ts'
import { ORPHANS_OF_ANY_AGE } from '../../support/cleanup.ts'
import { makeUser } from '../../support/factories.ts'
import { failureOf } from '../../support/failure.ts'
import { form, mp4, upload } from '../../support/files.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server

const format = { type: 'video', extension: 'mp4', maxBytes: 1e9 } as const

/** An upload whose object is stored while its record is still `processing`. */
async function stored() {
  const { user } = await makeUser(server)
  const material = await beginUpload(ctx, user.id, { format, name: 'a.mp4', title: 't' })
  await ctx.storage.write(material.filePath, new Response(mp4()).body!)
  const finish = (with_: Context = ctx) =>
    transaction(with_, (tx) => finishUpload(tx, material, { size: 2048, title: 't', description: '' }))
  const age = () =>
    ctx.db
      .update(materials)
      .set({ updatedAt: sql`now() - interval '2 hours'` })
      .where(eq(materials.id, material.id))
  const state = async () => {
    const [row] = await ctx.db.select().from(materials).where(eq(materials.id, material.id))
    return [row?.status, (await ctx.storage.head(material.filePath)) !== undefined]
  }
  return { material, finish, age, state }
}

/** The context with other deletions of its storage. */
const deleting = (remove: (keys: string[]) => Promise<void>): Context => ({
  ...ctx,
  storage: { ...ctx.storage, delete: remove },
})
const STALE = { processing: true, orphans: false, maxAgeMinutes: 60 }

test('an upload that ended, or went on, while others were cleaned up keeps its file', async () => {
  const uploads = [await stored(), await stored(), await stored()]
  for (const { age } of uploads) await age()
  const [, ending, going] = uploads
  let first = true
  const slow = deleting(async (keys) => {
    if (first) {
      first = false
      await ending!.finish()
      await ctx.db
        .update(materials)
        .set({ updatedAt: sql`now()` })
        .where(eq(materials.id, going!.material.id))
    }
    await ctx.storage.delete(keys)
  })
  expect(await cleanUp(slow, STALE)).toEqual({ records: 1, files: 0, errors: [] })
  expect(await Promise.all(uploads.map(({ state }) => state()))).toEqual([
    [undefined, false],
    ['active', true],
    ['processing', true],
  ])
})

test('an upload that is being given up can no longer end well', async () => {
  const { material, finish, state } = await stored()
  let ended: unknown
  const slow = deleting(async (keys) => {
    ended = await failureOf(finish())
    await ctx.storage.delete(keys)
  })
  await giveUpUpload(slow, material, 'UPLOAD_FAILED')
  expect(ended).toMatchObject({ code: 'UPLOAD_FAILED' })
  expect(await state()).toEqual([undefined, false])
})

// The embedded database has one connection, so that no other transaction can hold the lock.
test.skipIf(!process.env.TEST_DATABASE_URL)(
  'an upload whose row is locked is left alone after lockMs, and keeps its file',
  async () => {
    const { material, state } = await stored()
    const locked = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const holder = transaction(ctx, async (tx) => {
      await lockMaterial(tx, material.id)
      locked.resolve()
      await release.promise
    })
    await locked.promise
    try {
      const sweep = giveUpUpload(ctx, material, 'UPLOAD_FAILED', { lockMs: 100 })
      expect(isLocked(await failureOf(sweep))).toBe(true)
    } finally {
      release.resolve()
      await holder
    }
    expect(await state()).toEqual(['processing', true])
  },
)

test('what a crash leaves of an upload that was given up is cleaned up, its file too', async () => {
  const { material, finish, age, state } = await stored()
  const crashing = deleting(async () => {
    throw new Error('crashed')
  })
  await expect(giveUpUpload(crashing, material, 'UPLOAD_FAILED')).rejects.toThrow('crashed')
  await expect(finish()).rejects.toMatchObject({ code: 'UPLOAD_FAILED' })
  expect(await state()).toEqual(['processing', true])
  await age()
  expect((await cleanUp(ctx, STALE)).records).toBe(1)
  expect(await state()).toEqual([undefined, false])
})

test('a material whose commit nobody heard of keeps its file', async () => {
  const { material, finish, state } = await stored()
  await finish()
  await abandonUpload(ctx, material, 'UPLOAD_FAILED')
  expect(await state()).toEqual(['active', true])
})

test('the database that goes away while it commits does not cost the file', async () => {
  const { token } = await makeUser(server)
  const { enqueue } = ctx.queue
  const lost = Object.assign(new Error('the connection was lost'), { code: 'CONNECTION_CLOSED' })
  // The commit that enqueues the thumbnail is the one that finishes the upload. Jobs of other uploads commit meanwhile.
  const { transaction } = ctx.db
  const finishing = new WeakSet<object>()
  ctx.queue.enqueue = async (tx: Tx, ...rest: never[]) => {
    finishing.add(tx.db)
    return (enqueue as (...all: unknown[]) => Promise<never>).call(ctx.queue, tx, ...rest)
  }
  ctx.db.transaction = (async (...[run, options]: Parameters<typeof transaction>) => {
    let own: object | undefined
    const tracked: typeof run = (db) => {
      own = db
      return run(db)
    }
    const result = await transaction.call(ctx.db, tracked, options)
    if (finishing.has(own!)) throw lost
    return result
  }) as typeof transaction
  try {
    const answer = await upload(server, token, form(['title', 'lost'], ['file', mp4(), 'a.mp4']))
    expect(answer.status).toBe(503)
  } finally {
    ctx.queue.enqueue = enqueue
    ctx.db.transaction = transaction
  }
  const [row] = await ctx.db.select().from(materials).where(eq(materials.title, 'lost'))
  expect(row?.status).toBe('active')
  expect(await ctx.storage.head(row!.filePath)).toBeDefined()
})

test('what is removed while it is written leaves no file', async () => {
  const { material, state } = await stored()
  await ctx.db
    .update(materials)
    .set({ status: 'hidden', removedAt: sql`now()` })
    .where(eq(materials.id, material.id))
  await abandonUpload(ctx, material, 'UPLOAD_FAILED')
  expect(await state()).toEqual(['hidden', false])
})

test('cleanup leaves a thumbnail that a job has stored and is about to record', async () => {
  const { material, finish } = await stored()
  const { id, userId } = material
  await finish()
  const row = async () => (await ctx.db.select().from(materials).where(eq(materials.id, id)))[0]!
  await eventually(async () => (await row()).thumbnailStatus !== 'pending', 'the thumbnail')
  await ctx.db
    .update(materials)
    .set({ thumbnailStatus: 'pending', thumbnailPath: null })
    .where(eq(materials.id, id))
  const [awaited, stray] = [thumbnailKey({ userId, id }), thumbnailKey({ userId, id: 999_999_999 })]
  await ctx.storage.write(stray, new Response('x').body!)
  const exists = async () =>
    Promise.all([awaited, stray].map(async (key) => (await ctx.storage.head(key)) !== undefined))
  expect(await exists()).toEqual([true, true])
  const report = await cleanUp(ctx, ORPHANS_OF_ANY_AGE)
  expect(report.errors).toEqual([])
  expect(await exists()).toEqual([true, false])
})

test('a thumbnail is not kept when its material is gone with its user before it is recorded', async () => {
  // No job is enqueued for it.
  const { material } = await stored()
  const { id } = material
  await ctx.db.update(materials).set({ status: 'active' }).where(eq(materials.id, id))
  let previews = 0
  const preview: Context['imaging']['preview'] = async ({ output }) => {
    previews++
    await Bun.write(output, 'a picture')
    await ctx.db.delete(materials).where(eq(materials.id, id))
    return { width: 1, height: 1, durationSeconds: 1 }
  }
  const leaving: Context = { ...ctx, imaging: { ...ctx.imaging, preview } }
  await makeThumbnail(leaving, id, { attempt: 1, signal: new AbortController().signal })
  expect(previews).toBe(1)
  expect(await ctx.storage.head(thumbnailKey(material))).toBeUndefined()
})
