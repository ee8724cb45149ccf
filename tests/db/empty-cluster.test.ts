import { afterEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLUSTER_FILE, ensureCluster, VERSION_FILE } from '../../src/db/empty-cluster.ts'
import { pgliteVersion } from '../support/make-empty-cluster.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'roost-cluster-'))
  directories.push(directory)
  return directory
}

describe('the directory of a new embedded database', () => {
  test('was made by the PGlite that is installed', async () => {
    const archive = new Bun.Archive(await Bun.zstdDecompress(await Bun.file(CLUSTER_FILE).bytes()))
    const files = await archive.files(`./${VERSION_FILE}`)
    const version = (await files.get(`./${VERSION_FILE}`)?.text())?.trim()
    expect(version, 'PGlite has another version now: run `bun run db:cluster`').toBe(await pgliteVersion())
  })

  test('is small enough for the repository', () => {
    expect(Bun.file(CLUSTER_FILE).size).toBeLessThan(2_000_000)
  })

  test('replaces what a start that was killed has left', async () => {
    const pg = join(temporary(), 'pg')
    mkdirSync(`${pg}.new`)
    writeFileSync(join(`${pg}.new`, 'half'), '')
    await ensureCluster(pg)
    expect(existsSync(`${pg}.new`)).toBe(false)
    expect(readdirSync(pg)).toContain('PG_VERSION')
    expect(readdirSync(pg)).not.toContain('half')
    // Directories without a file are part of it: PostgreSQL does not make them.
    expect(readdirSync(join(pg, 'pg_notify'))).toEqual([])
  })

  test('stays as it is when there is one', async () => {
    const pg = join(temporary(), 'pg')
    mkdirSync(pg)
    await ensureCluster(pg)
    expect(readdirSync(pg)).toEqual([])
  })

  test('that can’t be written is one message, and nothing stays of it', async () => {
    const directory = temporary()
    // Its parent is no directory.
    writeFileSync(join(directory, 'file'), '')
    await expect(ensureCluster(join(directory, 'file', 'pg'))).rejects.toThrow(
      /^A new database can't be written to .+: ENOTDIR.*\. It needs a directory that this user may write to/,
    )
    expect(readdirSync(directory)).toEqual(['file'])
  })
})
