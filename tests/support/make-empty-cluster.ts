/**
 * `bun run db:cluster`: makes src/db/empty-cluster.tar.zst anew. Run it when PGlite's version has changed. A new migration or
 * job needs no new file, because a server adds what is not in it, as to any older database.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { sql } from 'drizzle-orm'
import { jobs } from '../../src/core/jobs.ts'
import { openDatabase } from '../../src/db/client.ts'
import { CLUSTER_FILE, VERSION_FILE } from '../../src/db/empty-cluster.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { createLogger } from '../../src/util/logger.ts'

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

/** Makes all tables in a new database, without the rows that each database must have for itself. */
export async function makeTables(at: { dataDir: string; databaseUrl: string | undefined }): Promise<void> {
  const log = createLogger('silent')
  const database = await openDatabase(at, log)
  await (await JobQueue.open({ ...database, log }, jobs)).close()
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
    await makeTables({ dataDir: directory, databaseUrl: undefined })
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
