/**
 * `bun run db:cluster`: makes empty-cluster.tar.zst anew. Run it when PGlite's version has changed. A new migration needs no
 * new file, because a server applies the migrations that are not in it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { sql } from 'drizzle-orm'
import { createLogger } from '../util/logger.ts'
import { openDatabase } from './client.ts'
import { CLUSTER_FILE, VERSION_FILE } from './empty-cluster.ts'

/** The version in `node_modules`. */
export async function pgliteVersion(): Promise<string> {
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'))
  return (await Bun.file(join(dirname(entry), '../package.json')).json()).version
}

/** Lets PGlite run initdb in `directory`, which it makes. */
export async function runInitdb(directory: string): Promise<void> {
  const database = await PGlite.create({ dataDir: directory })
  await database.close()
}

/** Applies the migrations, and leaves out what every database must have for itself. */
async function migrate(dataDir: string): Promise<void> {
  const database = await openDatabase({ dataDir, databaseUrl: undefined }, createLogger('silent'))
  await database.db.execute(sql`delete from settings where key = 'epoch'`)
  await database.close()
}

/** Begins a new WAL segment, which is empty and compresses well, and removes those before it. */
async function emptyWal(cluster: string): Promise<void> {
  const startParams = [...PGlite.defaultStartParams, '-c', 'wal_recycle=off']
  const database = await PGlite.create({ dataDir: cluster, startParams })
  await database.query('select pg_switch_wal()')
  await database.query('checkpoint')
  await database.close()
}

/** GNU tar, because Bun.Archive writes directories that only root may enter. */
const TAR = ['tar', '--create', '--format=ustar', '--sort=name', '--mtime=@0', '--owner=0', '--group=0']

async function makeClusterFile(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'roost-cluster-'))
  try {
    const cluster = join(directory, 'pg')
    await runInitdb(cluster)
    await migrate(directory)
    await emptyWal(cluster)
    writeFileSync(join(cluster, VERSION_FILE), `${await pgliteVersion()}\n`)
    const { success, stdout, stderr } = Bun.spawnSync([...TAR, '--mode=go=', `--directory=${cluster}`, '.'])
    if (!success) throw new Error(`tar: ${stderr.toString()}`)
    const file = Bun.zstdCompressSync(stdout, { level: 19 })
    await Bun.write(CLUSTER_FILE, file)
    console.log(`${CLUSTER_FILE}: ${file.length} bytes`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

if (import.meta.main) await makeClusterFile()
