/**
 * Installs the packages before `bun start` and `bun run node`. It must not import any package. Two installs in one folder
 * run one after the other, because they write the same files.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { acquireFileLock } from './file-lock.ts'

const ROOT = join(import.meta.dir, '../..')
/** An install on a slow line may take minutes. */
const WAIT_MS = 10 * 60_000

async function takeTurn(): Promise<void> {
  const directory = join(ROOT, 'node_modules/.cache/roost')
  try {
    mkdirSync(directory, { recursive: true })
  } catch {
    // The folder is read-only, so no other install can write there either.
    return
  }
  const deadline = performance.now() + WAIT_MS
  while (!acquireFileLock(join(directory, 'install.sqlite'))) {
    if (performance.now() > deadline) throw new Error('Another install in this folder does not end.')
    await Bun.sleep(100)
  }
}

await takeTurn()
const { exitCode } = Bun.spawnSync([process.execPath, 'install', '--frozen-lockfile', '--silent'], {
  cwd: ROOT,
  stdio: ['inherit', 'inherit', 'inherit'],
})
if (exitCode !== 0) console.error('The packages can’t be installed; the lines above say why.')
process.exit(exitCode)
