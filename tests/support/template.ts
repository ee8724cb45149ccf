import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { jobs } from '../../src/core/jobs.ts'
import { makeTables } from './make-empty-cluster.ts'
import { ROOT } from './process.ts'

const CACHE = join(ROOT, 'node_modules/.cache/roost')

/** Name of the current schema: a changed migration, or queue, makes a new template. */
function schemaHash(): string {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'bun.lock')))
  hash.update(JSON.stringify(jobs.map(({ name, options }) => [name, options])))
  // The times in the journal too: the server applies a migration whose time is not in the database.
  hash.update(readFileSync(join(ROOT, 'drizzle/meta/_journal.json')))
  for (const file of readdirSync(join(ROOT, 'drizzle')).sort()) {
    if (file.endsWith('.sql')) hash.update(readFileSync(join(ROOT, 'drizzle', file)))
  }
  return hash.digest('hex').slice(0, 16)
}

/** Fills `dataDir` with a migrated embedded database: a copy takes milliseconds where a cold start takes seconds. */
export async function copyTemplate(dataDir: string): Promise<void> {
  const hash = schemaHash()
  const template = join(CACHE, hash)
  if (!existsSync(template)) {
    mkdirSync(CACHE, { recursive: true })
    // Those of older schemas. A parallel worker may have made this one meanwhile.
    for (const old of readdirSync(CACHE).filter((name) => /^[0-9a-f]{16}$/.test(name) && name !== hash)) {
      rmSync(join(CACHE, old), { recursive: true, force: true })
    }
    const building = mkdtempSync(join(CACHE, 'building-'))
    await makeTables({ dataDir: building, databaseUrl: undefined })
    try {
      renameSync(building, template)
    } catch {
      // A parallel worker was quicker.
      rmSync(building, { recursive: true, force: true })
    }
  }
  cpSync(join(template, 'pg'), join(dataDir, 'pg'), { recursive: true })
}

/** A migrated database of its own on the PostgreSQL `server`: a copy of one that is made once for each schema. */
export async function createFromTemplate(
  server: string,
): Promise<{ url: string; drop: () => Promise<void> }> {
  const admin = postgres(server, { max: 1, onnotice: () => {} })
  templateOn ??= ensureTemplate(server, admin)
  const name = `roost_test_${Bun.randomUUIDv7().replaceAll('-', '').slice(-20)}`
  await admin.unsafe(`create database ${name} template ${await templateOn}`)
  return {
    url: urlOf(server, name),
    async drop() {
      await admin.unsafe(`drop database ${name} with (force)`)
      await admin.end()
    },
  }
}

let templateOn: Promise<string> | undefined

/** @returns its name */
async function ensureTemplate(server: string, admin: postgres.Sql): Promise<string> {
  const name = `roost_template_${schemaHash()}`
  // Parallel workers need it at the same time, and none may see it half made.
  await admin`select pg_advisory_lock(hashtext(${name}))`
  const [made] = await admin`select from pg_database where datname = ${name}`
  if (!made) {
    const building = `${name}_building`
    await admin.unsafe(`drop database if exists ${building} with (force)`)
    await admin.unsafe(`create database ${building}`)
    await makeTables({ dataDir: tmpdir(), databaseUrl: urlOf(server, building) })
    await admin.unsafe(`alter database ${building} rename to ${name}`)
  }
  await admin`select pg_advisory_unlock(hashtext(${name}))`
  return name
}

function urlOf(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}
