/**
 * A whole installation moves by a backup from one form of the parts to the other and back: docs/operations.md, "Backup" and
 * "Restore". On `TEST_DATABASE_URL` the first and the last are on PostgreSQL, and the one between is embedded, on S3.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { backUp } from '../../src/archive/backup.ts'
import { restoreFile } from '../../src/archive/restore-file.ts'
import { openTarget } from '../../src/archive/target.ts'
import { type Config, readConfig } from '../../src/config/index.ts'
import { deleteUpload } from '../../src/core/photo-files/files.ts'
import { log } from '../storage/kinds.ts'
import { actorOf } from '../support/actors.ts'
import { api } from '../support/api.ts'
import { makeTask, makeUser, PASSWORD } from '../support/factories.ts'
import { eventually, temporaryDirectory } from '../support/process.ts'
import { Random } from '../support/random.ts'
import { startServer } from '../support/server.ts'
import { openLive } from '../support/sockets.ts'
import { startBucket } from '../support/storages.ts'
import { createFromTemplate } from '../support/template.ts'
import { changeBalance, FakeImaging, fileStatus, fill, objectsOf, rowsOf, sendPhoto } from './installation.ts'

const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())

const directory = temporaryDirectory('backups')
stack.defer(() => rmSync(directory, { recursive: true, force: true }))
const fileNamed = (name: string) => join(directory, name)
const never = () => new AbortController().signal

const SECRET = { JWT_SECRET: 'a secret of both installations, long enough' }
const bucket = stack.use(await startBucket())
const embeddedOnS3 = { ...SECRET, DATA_DIR: fileNamed('embedded'), DATABASE_URL: '', ...bucket.env }
const last = { ...SECRET, DATA_DIR: fileNamed('last'), DATABASE_URL: '' }
if (process.env.TEST_DATABASE_URL) {
  const database = await createFromTemplate(process.env.TEST_DATABASE_URL)
  stack.defer(() => database.drop())
  last.DATABASE_URL = database.url
}

const configOf = (env: Record<string, string>): Config => readConfig(env)
const backup = (config: Config, name: string, options = {}) =>
  backUp(config, log, { file: fileNamed(name), force: false, signal: never(), ...options })
const restore = (config: Config, name: string, keepSessions = false) =>
  restoreFile(config, log, { file: fileNamed(name), keepSessions, signal: never() })

const imaging = new FakeImaging()
const first = await startServer(SECRET, { imaging: imaging.imaging })
stack.defer(() => first.stop())
const scene = await fill(first, imaging)
const { owner, admin, secret, shown, waiting } = scene

test('a backup that is restored elsewhere has every row and every object', async () => {
  const before = {
    rows: await rowsOf(first.ctx.db),
    objects: await objectsOf(first.ctx.db, first.ctx.storage),
  }
  const { missing, objects } = await backup(first.ctx.config, 'first')
  expect(missing).toEqual([])
  expect(objects).toBe(Object.keys(before.objects).length)
  expect(Object.values(before.objects)).not.toContain(null)
  await restore(configOf(embeddedOnS3), 'first', true)

  await using target = await openForLooking(embeddedOnS3)
  expect(await rowsOf(target.database.db)).toEqual(before.rows)
  expect(await objectsOf(target.database.db, target.storage)).toEqual(before.objects)
}, 120_000)

async function openForLooking(env: Record<string, string>) {
  const target = await openTarget(configOf(env), log)
  return { ...target, [Symbol.asyncDispose]: target.close }
}

describe('the restored installation', () => {
  const cursor = `${first.ctx.epoch}.1`
  const restoring = Promise.withResolvers<Awaited<ReturnType<typeof startServer>>>()
  const second = () => restoring.promise

  test('starts; users stay signed in when the operator said so, and can sign in', async () => {
    scene.release()
    await bucket.open()
    const server = await startServer(embeddedOnS3, { imaging: imaging.imaging, embeddedDatabase: undefined })
    stack.defer(() => server.stop())
    restoring.resolve(server)
    expect((await api(server, 'GET', '/api/v1/auth/me', { token: owner.token })).status).toBe(200)
    const body = { username: owner.user.username, password: PASSWORD }
    expect((await api(server, 'POST', '/v1/auth/login', { body })).status).toBe(200)
  })

  test('answers a cursor of the old one with resync', async () => {
    const live = await openLive(await second(), owner.token, { cursor })
    expect(await live.next('resync')).toMatchObject({ reason: 'epoch' })
    live.close()
  })

  test('shows photos, and makes the public copies of those that everybody may see', async () => {
    const server = await second()
    await eventually(async () => {
      const [row] = await server.ctx.db.execute<{ exposed: boolean }>(
        sql`select exposed from photo_files where id = ${shown.fileId}`,
      )
      return row!.exposed
    }, 'the copies exist')
    for (const { id } of [shown, secret]) {
      const { body } = await api(server, 'GET', `/v1/photos/${id}`, { token: owner.token })
      const pictures = Object.values(body.data.formats as Record<string, string>)
      expect(pictures.length).toBeGreaterThan(3)
      for (const url of pictures) expect((await fetch(url)).status, url).toBe(200)
    }
  })

  test('does the work that waited', async () => {
    const server = await second()
    await eventually(
      async () => (await fileStatus(server, waiting.id)) === 'completed',
      'the file is processed',
    )
  })

  test('is backed up while users write, as it is at one moment', async () => {
    const server = await second()
    const { ctx } = server
    const live = await openLive(server, admin.token)
    const rich = await makeUser(server)
    let writing = true
    const writers = [
      async (n: number) => void (await changeBalance(server, rich, n)),
      async () => void (await makeTask(server, owner)),
      async () => deleteUpload(ctx, actorOf(owner), (await sendPhoto(server, owner)).id),
    ].map(async (write) => {
      for (let n = 1; writing; n++) {
        await write(n)
        // The backup needs the processor too.
        await Bun.sleep(10)
      }
    })
    await Bun.write(fileNamed('second'), 'an earlier one')
    const { missing } = await backup(ctx.config, 'second', { force: true })
    writing = false
    await Promise.all(writers)
    expect(missing).toEqual([])
    const told = (await live.next('system.backup')).data
    expect(told).toMatchObject({ status: 'completed', file_name: 'second', error: null })
    expect(told.size).toBe(Bun.file(fileNamed('second')).size)
    live.close()

    await restore(configOf(last), 'second')
    await using target = await openForLooking(last)
    const { db } = target.database
    expect(Object.values(await objectsOf(db, target.storage))).not.toContain(null)
    const unbalanced = await db.execute(sql`
      select a.* from ledger_accounts a where balance_minor <> coalesce((
        select sum(case side when 'credit' then amount_minor else -amount_minor end)
        from ledger_entries e where e.user_id = a.user_id and e.account = a.kind), 0)`)
    expect([...unbalanced]).toEqual([])
    const gaps = await db.execute(sql`
      select user_id from channels join events using (user_id) group by user_id, last_seq
      having max(seq) <> last_seq or count(*) <> max(seq) - min(seq) + 1`)
    expect([...gaps]).toEqual([])
    // Nobody said that sessions should come back.
    const [sessions] = await db.execute(sql`select count(*)::int as n from sessions where revoked_at is null`)
    expect(sessions).toEqual({ n: 0 })
  }, 120_000)
})

describe('refused, with nothing changed', () => {
  const fresh = () => configOf({ DATA_DIR: fileNamed(crypto.randomUUID()) })

  test('a damaged archive: one changed bit anywhere, or a missing end', async () => {
    const random = Random.announced('damaged archives')
    const whole = await Bun.file(fileNamed('first')).bytes()
    const size = whole.length
    const flips = [0, size - 1, size - 40, ...Array.from({ length: 12 }, () => random.between(0, size - 1))]
    const cuts = [0, size - 1, random.between(1, size - 2)]
    const damaged = [
      ...flips.map(
        (at) =>
          [
            `bit of byte ${at}`,
            whole.map((byte, i) => (i === at ? byte ^ (1 << random.between(0, 7)) : byte)),
          ] as const,
      ),
      ...cuts.map((at) => [`cut at ${at}`, whole.slice(0, at)] as const),
      ['more at its end', Buffer.concat([whole, new Uint8Array(40)])] as const,
    ]
    for (const [what, bytes] of damaged) {
      await Bun.write(fileNamed('damaged'), bytes)
      const config = fresh()
      const message = await restore(config, 'damaged').then(
        () => 'restored',
        (error: Error) => error.message,
      )
      expect(message, what).toContain('is damaged')
      expect(() => readdirSync(config.dataDir)).toThrow()
    }
  })

  test('a place with data', async () => {
    await expect(restore(configOf(last), 'first')).rejects.toThrow('already has')
    const config = { ...fresh(), s3: configOf(embeddedOnS3).s3 }
    await expect(restore(config, 'first')).rejects.toThrow('The bucket in S3_BUCKET already has files')
  })

  test('a place whose server runs', async () => {
    if (first.embedded.database)
      await expect(restore(configOf(embeddedOnS3), 'first')).rejects.toThrow('Another process uses')
    else
      await expect(
        restore({ ...fresh(), databaseUrl: first.ctx.config.databaseUrl }, 'first'),
      ).rejects.toThrow('A server uses')
  })

  test('a file that exists, unless forced; a folder that does not', async () => {
    await expect(backup(first.ctx.config, 'first')).rejects.toThrow('exists already')
    await expect(backup(first.ctx.config, 'no/folder')).rejects.toThrow('There is no folder')
    await expect(backup(first.ctx.config, 'first/backup')).rejects.toThrow('There is no folder')
    await expect(backup(first.ctx.config, '', { force: true })).rejects.toThrow('is a folder')
    await expect(restore(fresh(), '')).rejects.toThrow('is a folder')
    await expect(restore(fresh(), 'missing')).rejects.toThrow('There is no file')
  })
})

test.each(['at once', 'late'])(
  'a backup that is stopped ends %s, leaves no file, and administrators hear of it',
  async (when) => {
    const live = await openLive(first, admin.token)
    // Late: the server can record the backup only after its stop has been reported.
    const gate = Promise.withResolvers<void>()
    const gone = first.ctx.db.transaction(async (tx) => {
      await tx.execute(sql`lock table backups`)
      if (when === 'late') await gate.promise
    })
    const name = `stopped ${when}`
    const stop = new AbortController()
    const stopped = backup(first.ctx.config, name, { signal: stop.signal })
    stop.abort(new Error('stopped by the operator'))
    await expect(stopped).rejects.toThrow('stopped by the operator')
    gate.resolve()
    await gone
    const told = await eventually(async () => {
      await first.ctx.scheduler.runNow('announce_backups')
      return live.frames.find((f) => f.type === 'system.backup' && f.data.file_name === name)
    }, 'administrators hear of it')
    expect(told.data).toMatchObject({ status: 'failed', size: null, error: 'stopped by the operator' })
    expect(readdirSync(directory).filter((file) => file.includes(name))).toEqual([])
    live.close()
  },
)
