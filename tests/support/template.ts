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
import { join } from 'node:path'
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
  const template = join(CACHE, schemaHash())
  if (!existsSync(template)) {
    mkdirSync(CACHE, { recursive: true })
    // Those of older schemas.
    for (const old of readdirSync(CACHE).filter((name) => /^[0-9a-f]{16}$/.test(name))) {
      rmSync(join(CACHE, old), { recursive: true, force: true })
    }
    const building = mkdtempSync(join(CACHE, 'building-'))
    await makeTables(building)
    try {
      renameSync(building, template)
    } catch {
      // A parallel worker was quicker.
      rmSync(building, { recursive: true, force: true })
    }
  }
  cpSync(join(template, 'pg'), join(dataDir, 'pg'), { recursive: true })
}
