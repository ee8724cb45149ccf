import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** sun_path holds 108 bytes with the final zero; macOS has four bytes less. */
const MAX_BYTES = 103

/**
 * A path for a Unix socket on which nobody listens: in `directory`, or in a new directory when that path is too long. What a
 * killed process has left at the path is removed.
 */
export function socketPathIn(directory: string, name: string): { path: string; remove(): void } {
  const path = join(directory, name)
  if (Buffer.byteLength(path) > MAX_BYTES) {
    const own = mkdtempSync(join(tmpdir(), 'roost-'))
    return { path: join(own, name), remove: () => rmSync(own, { recursive: true, force: true }) }
  }
  const remove = () => rmSync(path, { force: true })
  remove()
  return { path, remove }
}
