/** `bun run db:cluster`: makes empty-cluster.tar.zst anew, as every change of PGlite's version demands. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
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

/** GNU tar, because Bun.Archive writes directories that only root may enter. */
const TAR = ['tar', '--create', '--format=ustar', '--sort=name', '--mtime=@0', '--owner=0', '--group=0']

async function makeClusterFile(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'roost-cluster-'))
  try {
    const cluster = join(directory, 'pg')
    await runInitdb(cluster)
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
