/**
 * Copies the files of a database that is in use. `copyAhead` copies most of them while it goes on, and `copyRest`, in the thread
 * that writes the files, what has changed since. So the copy has all files as they are at one moment, and the database stands
 * still only for the difference. PostgreSQL opens the copy as it opens a directory after a crash. A file system that can share
 * blocks copies none.
 */
import { type BigIntStats, constants, copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { copyFile, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The files that were copied ahead, by their path in the directory, each as it was before. */
export type CopiedAhead = Map<string, string>

/** A file that was written so recently may be written again without another time. */
const TIME_STEP_MS = 2000

const stateOf = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  `${ino} ${size} ${mtimeNs} ${ctimeNs}`

export async function copyAhead(from: string, to: string): Promise<CopiedAhead> {
  const copied: CopiedAhead = new Map()
  await mkdir(to, { recursive: true, mode: 0o700 })
  for (const entry of await readdir(from, { withFileTypes: true, recursive: true })) {
    const source = join(entry.parentPath, entry.name)
    const path = source.slice(from.length + 1)
    try {
      if (entry.isDirectory()) await mkdir(join(to, path), { recursive: true, mode: 0o700 })
      else {
        const found = await stat(source, { bigint: true })
        if (Date.now() - Number(found.ctimeMs) < TIME_STEP_MS) continue
        await mkdir(join(to, path, '..'), { recursive: true, mode: 0o700 })
        await copyFile(source, join(to, path), constants.COPYFILE_FICLONE)
        copied.set(path, stateOf(found))
      }
    } catch (error) {
      // The database has removed the file meanwhile.
      if ((error as { code?: string }).code !== 'ENOENT') throw error
    }
  }
  return copied
}

export function copyRest(from: string, to: string, ahead: CopiedAhead): void {
  const gone = new Set(ahead.keys())
  for (const entry of readdirSync(from, { withFileTypes: true, recursive: true })) {
    const source = join(entry.parentPath, entry.name)
    const path = source.slice(from.length + 1)
    if (entry.isDirectory()) {
      mkdirSync(join(to, path), { recursive: true, mode: 0o700 })
      continue
    }
    gone.delete(path)
    if (ahead.get(path) === stateOf(statSync(source, { bigint: true }))) continue
    mkdirSync(join(to, path, '..'), { recursive: true, mode: 0o700 })
    copyFileSync(source, join(to, path), constants.COPYFILE_FICLONE)
  }
  for (const path of gone) rmSync(join(to, path), { force: true })
}
