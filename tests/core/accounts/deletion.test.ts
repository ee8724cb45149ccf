/** Deleted accounts: docs/design.md, "Deleted accounts". */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { databaseFault } from '../../../src/core/database-faults.ts'
import { holdFor } from '../../../src/core/money/ledger.ts'
import { postTransfers } from '../../../src/core/money/transfers.ts'
import { enqueueExposure } from '../../../src/core/photo-files/exposure.ts'
import { publicFolder, renditionKey } from '../../../src/core/photo-files/keys.ts'
import { createTask } from '../../../src/core/tasks/create.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { purgeRecent } from '../../../src/core/user-deletion/purge.ts'
import {
  agentSessions,
  calendarFeeds,
  courseProgress,
  courses,
  idempotencyKeys,
  invitations,
  inviteCodes,
  materialLikes,
  materials,
  passwordResets,
  photoFiles,
  rechargeCodes,
  scheduleItems,
  studySettings,
  tasks,
  timelineEvents,
  uploadPieces,
  uploadSessions,
  users,
  webhookDeliveries,
  webhooks,
} from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { makeTask, makeUser, PASSWORD, type TestUser, unique } from '../../support/factories.ts'
import { failureOf } from '../../support/failure.ts'
import { form, pdf, upload } from '../../support/files.ts'
import { balanceChangesOf, moneyOf } from '../../support/ledger.ts'
import { makePhotos } from '../../support/photos.ts'
import { eventually } from '../../support/process.ts'
import { query, type TestServer } from '../../support/server.ts'
import { expectPortfolioError } from '../../support/shapes.ts'
import { openLive } from '../../support/sockets.ts'
import { openStorages, type StoredServer } from '../../support/storages.ts'

const storages = await openStorages()
afterAll(storages.stop)

/** The columns that name a user, and why they may still name a deleted one. */
const KEPT: Record<string, string> = {
  'ledger_accounts.user_id': 'a task of the user may still end and cost something',
  'ledger_entries.user_id': 'the sum of all entries must stay right',
  'ledger_transfers.created_by': 'who set a balance',
  'redemptions.user_id': 'an entry of the ledger refers to it',
  'audit_log.actor_id': 'who did what',
  'audit_log.subject_id': 'to whom it was done',
}
/** Their rows are written by other means than requests of the user, or opening one compares the hash of the password. */
const WITHOUT_TRIGGER = ['channels', 'ledger_accounts', 'sessions']

/** Every column of the database that names a user. */
async function userColumns(server: TestServer): Promise<{ table: string; column: string }[]> {
  const rows = await query(
    server,
    sql`select table_name as "table", column_name as "column" from information_schema.columns
      join information_schema.tables using (table_schema, table_name)
      where table_schema = 'public' and table_type = 'BASE TABLE'
        and column_name in ('user_id', 'owner_id', 'created_by', 'actor_id', 'subject_id') order by 1, 2`,
  )
  return rows as { table: string; column: string }[]
}

/** The columns with a row of this user. */
async function columnsWith(server: TestServer, userId: number): Promise<string[]> {
  const found: string[] = []
  for (const { table, column } of await userColumns(server)) {
    const [row] = await query(
      server,
      sql`select exists (select from ${sql.identifier(table)} where ${sql.identifier(column)} = ${userId}) as has`,
    )
    if (row!.has) found.push(`${table}.${column}`)
  }
  return found
}

const body = (text: string) => new Response(text).body!
const soon = new Date(Date.now() + 3_600_000)

async function uploadPdf(server: TestServer, { user, token }: TestUser) {
  const fields = [
    ['title', unique('material ')],
    ['description', 'words'],
  ] as [string, string][]
  const answer = await upload(server, token, form(['file', pdf(), 'a.pdf'], ...fields))
  expect(answer.status).toBe(201)
  const [row] = await server.ctx.db.select().from(materials).where(eq(materials.userId, user.id))
  return { id: row!.id, path: row!.filePath }
}

/** Gives the user a row in every table that can have one, and objects. */
async function fill({ server }: StoredServer, owner: TestUser, other: TestUser) {
  const { ctx } = server
  const userId = owner.user.id
  const [photo] = await makePhotos(server, owner, [{}])
  const { id: photoId, fileId } = photo!
  const key = renditionKey(fileId, { name: 'display', mark: unique(''), extension: 'jpg' })
  const size = await ctx.storage.write(`hidden/${key}`, body('a picture'))
  const objectKey = `originals/${userId}/${unique('DSC_')}.jpg`
  await ctx.storage.write(objectKey, body('an original'))
  const renditions = [{ name: 'display' as const, key, width: 96, height: 64, size }]
  await ctx.db.update(photoFiles).set({ renditions, objectKey }).where(eq(photoFiles.id, fileId))
  await transaction(ctx, (tx) => enqueueExposure(tx, [fileId]))
  const material = await uploadPdf(server, owner)
  const liked = await uploadPdf(server, other)
  await api(server, 'POST', `/api/v1/materials/${liked.id}/like`, { token: owner.token })
  await makeTask(server, owner)
  const task = await makeTask(server, owner)
  await ctx.db
    .update(tasks)
    .set({
      status: 'running',
      priceMinorPerMinute: 100,
      heldMinor: 500,
      attemptStartedAt: sql`now() - interval '110 seconds'`,
    })
    .where(eq(tasks.id, task.id))
  await postTransfers(ctx.db, userId, [holdFor(task, 500)])
  const item = { id: Bun.randomUUIDv7(), userId, title: 'Dentist', startAt: soon, timezone: 'UTC' }
  await ctx.db.insert(scheduleItems).values(item)
  await ctx.db.insert(calendarFeeds).values({ userId, tokenHash: unique('hash') })
  await ctx.db.insert(agentSessions).values({ id: Bun.randomUUIDv7(), userId, title: 'a secret' })
  const [hook] = await ctx.db
    .insert(webhooks)
    .values({ userId, url: 'https://example.com', events: ['photo.created'], secrets: [] })
    .returning()
  const delivery = { id: Bun.randomUUIDv7(), webhookId: hook!.id, type: 'photo.created', event: {}, at: soon }
  await ctx.db.insert(webhookDeliveries).values({ ...delivery, nextAttemptAt: soon })
  const reset = { id: Bun.randomUUIDv7(), userId, email: owner.user.email, language: 'en' as const }
  await ctx.db.insert(passwordResets).values({ ...reset, expiresAt: soon })
  const [code] = await ctx.db
    .insert(inviteCodes)
    .values({ code: unique('C'), createdBy: userId })
    .returning()
  await ctx.db.insert(invitations).values({ userId, inviteCodeId: code!.id })
  const recharge = { uuid: Bun.randomUUIDv7(), codeHash: unique('hash'), codeSealed: '', amountMinor: 100 }
  await ctx.db.insert(rechargeCodes).values({ ...recharge, maxUses: 1, createdBy: userId })
  await ctx.db.insert(courses).values({ name: 'A course', createdBy: userId })
  await ctx.db.insert(courseProgress).values({ userId, courseId: '1', itemId: '1', position: 30 })
  await ctx.db.insert(studySettings).values({ userId, cxUsername: '13800138000' })
  const answered = { userId, route: 'POST /api/tasks', key: 'k', fingerprint: '' }
  await ctx.db.insert(idempotencyKeys).values({ ...answered, answerSealed: '' })
  const event = { userId, title: 'First exhibition', date: '2024-01-01', type: 'milestone' }
  const [milestone] = await ctx.db.insert(timelineEvents).values(event).returning()
  const [session] = await ctx.db
    .insert(uploadSessions)
    .values({ userId, protocol: 'resumable', fileName: 'a.jpg' })
    .returning()
  const piece = { sessionId: session!.id, start: 0, size: 5, objectKey: `incoming/${session!.id}/0_a` }
  await ctx.storage.write(piece.objectKey, body('piece'))
  await ctx.db.insert(uploadPieces).values(piece)
  return {
    photoId,
    fileId,
    key,
    liked: liked.id,
    path: material.path,
    milestone: milestone!.id,
  }
}

describe.each(storages.each)('DELETE /v1/users/{id} (%s)', (_, stored) => {
  const { server } = stored
  const { ctx } = server
  const rowOf = async (id: number) => (await ctx.db.select().from(users).where(eq(users.id, id)))[0]!

  test('ends everything at once, and leaves nothing of the user but what must stay', async () => {
    const [boss, other, owner] = [
      await makeUser(server, { role: 'super_admin' }),
      await makeUser(server, { role: 'editor' }),
      await makeUser(server, { role: 'editor', balanceMinor: 1000 }),
    ]
    const { id, username, email, displayName } = owner.user
    const has = await fill(stored, owner, other)
    // The copies of a public photo in a bucket.
    if (ctx.storage.publicUrl(has.key)) {
      await eventually(async () => (await stored.keys(publicFolder(has.fileId))).length === 1, 'the copy')
    }
    const balance = { token: boss.token, body: { balance: 20 } }
    expect((await api(server, 'PUT', `/api/admin/users/${id}`, balance)).status).toBe(200)
    // A channel and a session were there from the beginning: what is not here cannot be missing afterwards.
    const before = await columnsWith(server, id)
    const columns = (await userColumns(server)).map(({ table, column }) => `${table}.${column}`)
    const own = columns.filter((name) => !(name in KEPT))
    expect(own.filter((name) => !before.includes(name))).toEqual([])
    const live = await openLive(server, owner.token)
    const seen = () => api(server, 'GET', '/api/v1/auth/me', { token: owner.token })
    expect((await seen()).status).toBe(200)

    expect((await api(server, 'DELETE', `/v1/users/${id}`, { token: boss.token })).status).toBe(204)

    // Sessions.
    expect((await seen()).status).toBe(401)
    const refreshed = { body: { refresh_token: owner.refreshToken } }
    expect((await api(server, 'POST', '/api/v1/auth/refresh', refreshed)).status).toBe(401)
    for (const name of [username, email]) {
      const signIn = { body: { username: name, password: PASSWORD } }
      expect((await api(server, 'POST', '/v1/auth/login', signIn)).status).toBe(401)
    }
    expect((await live.closing()).code).toBe(4403)
    // What others could see.
    for (const path of [`/v1/photos/${has.photoId}`, `/files/${has.key}`, `/files/${has.path}`]) {
      expect((await api(server, 'GET', path, { token: other.token })).status, path).toBe(404)
    }
    expect((await api(server, 'GET', `/v1/users/${id}`, { token: boss.token })).status).toBe(404)
    const photos = await api(server, 'GET', '/v1/photos?limit=100', { token: boss.token })
    expect(photos.body.data.map((photo: { id: number }) => photo.id)).not.toContain(has.photoId)
    const found = await api(server, 'GET', `/api/admin/users?search=${username}`, { token: boss.token })
    expect(found.body.total).toBe(0)
    const list = await api(server, 'GET', '/v1/users?limit=100', { token: boss.token })
    expect(list.body.data.map((user: { id: number }) => user.id)).not.toContain(id)
    const put = { token: boss.token, body: { is_active: true } }
    expect((await api(server, 'PUT', `/api/admin/users/${id}`, put)).status).toBe(404)
    expect((await api(server, 'PUT', `/v1/users/${id}`, put)).status).toBe(404)
    expect((await api(server, 'DELETE', `/v1/users/${id}`, { token: boss.token })).status).toBe(404)

    // Personal data and files.
    const left = await eventually(async () => {
      const now = await columnsWith(server, id)
      return now.every((name) => name in KEPT) ? now : undefined
    }, 'the rows are gone')
    expect(left).toContain('ledger_entries.user_id')
    const row = await rowOf(id)
    const text = JSON.stringify(row)
    for (const secret of [username, email, displayName, owner.user.passwordHash]) {
      expect(text).not.toContain(secret)
    }
    // What is left is the material that the user liked, and its thumbnail as soon as that is made.
    const isOfOther = (key: string) => key.includes(`/${other.user.id}/`)
    const objects = await eventually(async () => {
      const keys = await stored.keys('')
      return keys.every(isOfOther) ? keys : undefined
    }, 'the objects are gone')
    expect(objects).not.toEqual([])
    const likes = await ctx.db.select().from(materialLikes).where(eq(materialLikes.materialId, has.liked))
    const [liked] = await ctx.db.select().from(materials).where(eq(materials.id, has.liked))
    expect([likes.length, liked!.likeCount]).toEqual([0, 0])
    // Two begun minutes of the running task, and the balance that the administrator set.
    const changes = await balanceChangesOf(server, id)
    const cost = changes.at(-1)!.amount
    expect(changes.map(({ kind, amount }) => [kind, amount])).toEqual([
      ['adjustment', 1000],
      ['adjustment', 1000],
      ['capture', cost],
    ])
    expect(cost).toBeWithin(-200, -180)
    expect(await moneyOf(server, id)).toEqual({ balance: 2000 + cost, held: 0 })
    const [milestone] = await ctx.db.select().from(timelineEvents).where(eq(timelineEvents.id, has.milestone))
    expect(milestone).toMatchObject({ userId: null, title: 'First exhibition' })
    const audited = await query(
      server,
      sql`select actor_id from audit_log where action = 'user.deleted' and target_id = ${String(id)}`,
    )
    expect(audited.map(({ actor_id }) => actor_id)).toEqual([boss.user.id])

    // The names are free.
    const again = { username, email, password: PASSWORD }
    const made = await api(server, 'POST', '/v1/users', { token: boss.token, body: again })
    expect(made.status).toBe(201)
    expect(made.body.data.id).not.toBe(id)
  }, 120_000)
})

describe('a deleted user', () => {
  const { server } = storages.s3
  const { ctx } = server
  /** As the deletion does, and without its job. */
  const markDeleted = async ({ user }: TestUser) => {
    const names = {
      emailKey: null,
      usernameKey: null,
      usernameLook: null,
      usernameTypedLook: null,
      searchKey: null,
    }
    await ctx.db
      .update(users)
      .set({ ...names, role: 'user', isActive: false, deletedAt: new Date() })
      .where(eq(users.id, user.id))
  }

  test('has nothing that administrators can open or change, also before the job has deleted it', async () => {
    const [boss, owner] = [
      await makeUser(server, { role: 'super_admin' }),
      await makeUser(server, { role: 'editor' }),
    ]
    const [photo] = await makePhotos(server, owner, [{}])
    const { id, fileId } = photo!
    const objectKey = `originals/${owner.user.id}/${unique('DSC_')}.jpg`
    await ctx.storage.write(objectKey, body('an original'))
    await ctx.db.update(photoFiles).set({ objectKey }).where(eq(photoFiles.id, fileId))
    const material = await uploadPdf(server, owner)
    const task = await makeTask(server, owner)
    const ask = async ([method, path, body]: [string, string, object?]) => {
      const { status } = await api(server, method, path, { token: boss.token, ...(body && { body }) })
      return `${status} ${method} ${path}`
    }
    const reads: [string, string][] = [
      `/v1/photos/${id}`,
      `/v1/upload/status/upload_${fileId}`,
      `/files/${objectKey}`,
      `/api/tasks/${task.id}`,
      `/api/v1/upload/status/${material.id}`,
    ].map((path) => ['GET', path])
    expect((await Promise.all(reads.map(ask))).filter((answer) => !answer.startsWith('200'))).toEqual([])
    await markDeleted(owner)
    const changes: [string, string, object?][] = [
      ['PUT', `/v1/photos/${id}`, { title: 'mine' }],
      ['DELETE', `/v1/photos/${id}`],
      ['POST', `/v1/upload/upload_${fileId}/reprocess`],
      ['DELETE', `/v1/upload/upload_${fileId}`],
      ['POST', `/api/tasks/${task.id}/cancel`],
      ['DELETE', `/api/tasks/${task.id}`],
      ['POST', `/api/v1/materials/${material.id}/like`],
      ['DELETE', `/api/v1/materials/${material.id}`],
      ['DELETE', `/api/v1/upload/${material.id}`],
    ]
    const answers = await Promise.all([...reads, ...changes].map(ask))
    expect(answers.filter((answer) => !answer.startsWith('404'))).toEqual([])
    const batch = { photo_ids: [id], action: 'update_status', data: { status: 'draft' } }
    const changed = await api(server, 'POST', '/v1/photos/batch', { token: boss.token, body: batch })
    expect(changed.body.data.failed).toMatchObject([{ id, code: 'RESOURCE_NOT_FOUND' }])
    const event = { title: 'First', date: '2024-01-01', type: 'milestone', related_photos: [id] }
    const related = await api(server, 'POST', '/v1/timeline/events', { token: boss.token, body: event })
    expectPortfolioError(related, { status: 422, code: 'UNPROCESSABLE_ENTITY' })
  })

  test('holds up no other one whose remains are deleted', async () => {
    const [first, second] = [await makeUser(server), await makeUser(server)]
    for (const user of [first, second]) {
      await uploadPdf(server, user)
      await markDeleted(user)
    }
    const storage = Object.create(ctx.storage, {
      delete: {
        value: async (keys: string[]) => {
          if (keys.some((key) => key.includes(`/${first.user.id}/`))) throw new Error('the bucket is away')
          await ctx.storage.delete(keys)
        },
      },
    })
    await expect(purgeRecent({ ...ctx, storage })).rejects.toThrow('the bucket is away')
    expect(await columnsWith(server, first.user.id)).toContain('materials.user_id')
    expect(await columnsWith(server, second.user.id)).not.toContain('materials.user_id')
    await purgeRecent(ctx)
    expect(await columnsWith(server, first.user.id)).not.toContain('materials.user_id')
  })

  test('a request that began before the deletion adds nothing', async () => {
    const [boss, owner] = [await makeUser(server, { role: 'super_admin' }), await makeUser(server)]
    const { id } = owner.user
    expect((await api(server, 'DELETE', `/v1/users/${id}`, { token: boss.token })).status).toBe(204)
    const task = { kind: 'gpu', title: 'late', taskType: 'test' } as const
    const refused = await failureOf(createTask(ctx, id, task as never))
    expect(databaseFault(refused)?.code).toBe('INVALID_TOKEN')
    await eventually(
      async () => (await columnsWith(server, id)).every((name) => name in KEPT),
      'the rows are gone',
    )
  })

  test('every table of what a user makes refuses rows of a deleted one', async () => {
    const owned = await query(
      server,
      sql`select conrelid::regclass::text as name from pg_constraint
        join pg_attribute on attrelid = conrelid and attnum = conkey[1]
        where contype = 'f' and confrelid = 'users'::regclass and attname = 'user_id'`,
    )
    const triggers = await query(
      server,
      sql`select tgrelid::regclass::text as name from pg_trigger
        where tgfoid = 'refuse_deleted_owner'::regproc`,
    )
    const names = (rows: Record<string, unknown>[]) => rows.map(({ name }) => String(name))
    expect([...names(triggers), ...WITHOUT_TRIGGER].sort()).toEqual(names(owned).sort())
  })

  test('the database refuses a deleted user with a name, a role or an activation', async () => {
    const boss = await makeUser(server, { role: 'super_admin' })
    const { user } = await makeUser(server)
    await api(server, 'DELETE', `/v1/users/${user.id}`, { token: boss.token })
    for (const change of [
      { emailKey: 'x' },
      { usernameKey: 'x' },
      { role: 'admin' as const },
      { isActive: true },
    ]) {
      await expect(
        (async () => await ctx.db.update(users).set(change).where(eq(users.id, user.id)))(),
      ).rejects.toThrow()
    }
  })
})
