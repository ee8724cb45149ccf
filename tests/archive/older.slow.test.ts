/** Protects restores of backups that an older version made: docs/operations.md, "Restore". */
import { expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import { END, type End, FORMAT, HEAD, type Head, rowsName } from '../../src/archive/format.ts'
import { restoreFile } from '../../src/archive/restore-file.ts'
import { compressor, sealed } from '../../src/archive/seal.ts'
import { type Entry, writeTar } from '../../src/archive/tar.ts'
import { openTarget } from '../../src/archive/target.ts'
import { readConfig } from '../../src/config/index.ts'
import { migrations } from '../../src/db/migrations.ts'
import { log } from '../storage/kinds.ts'
import { temporaryDirectory } from '../support/process.ts'

const OLD = 14
const USER = {
  id: '7',
  uuid: crypto.randomUUID(),
  username: 'old',
  display_name: 'Old',
  email: 'old@example.com',
  password_hash: 'x',
}

/** One user, in a table that had fewer columns then. */
async function writeOld(path: string, change: Partial<Head> = {}): Promise<void> {
  const columns = Object.keys(USER).map((name) => ({ name, type: 'text' }))
  const head: Head = {
    format: FORMAT,
    schema: { number: OLD, name: migrations()[OLD - 1]!.name },
    createdAt: '2026-01-01T00:00:00.000Z',
    epoch: 'old',
    tables: [{ name: 'users', columns }],
    sequences: [{ name: 'users_id_seq', value: '7' }],
    ...change,
  }
  const end: End = { tables: { users: 1 }, jobs: 0, objects: 0, objectBytes: 0, missing: [] }
  const entry = (name: string, value: unknown): Entry => {
    const bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`)
    return { name, size: bytes.length, body: [bytes] }
  }
  const entries = [entry(HEAD, head), entry(rowsName('users', 0), Object.values(USER)), entry(END, end)]
  const tar = Readable.from(writeTar(Readable.from(entries)), { objectMode: false })
  const chunks = await Array.fromAsync(sealed(tar.pipe(compressor())))
  await Bun.write(path, Buffer.concat(chunks))
}

test('a backup of older tables is restored and migrated; one of newer tables is refused', async () => {
  const directory = temporaryDirectory('older')
  const file = join(directory, 'old.backup')
  const config = readConfig({ DATA_DIR: join(directory, 'data') })
  const options = { file, keepSessions: false, signal: new AbortController().signal }
  try {
    await writeOld(file, { schema: { number: 10_000, name: '9999_later' } })
    await expect(restoreFile(config, log, options)).rejects.toThrow('newer version')
    await writeOld(file)
    await restoreFile(config, log, options)
    const target = await openTarget(config, log)
    const rows = await target.database.db.execute(
      sql`select username, deleted_at, nextval('users_id_seq')::int as next from users`,
    )
    expect([...rows]).toEqual([{ username: 'old', deleted_at: null, next: 8 }])
    await target.close()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}, 120_000)
