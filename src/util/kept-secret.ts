import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The signing secret of a server without JWT_SECRET. The first start makes it, so that tokens survive a restart. */
export function keptSecret(dataDir: string): string {
  const path = join(dataDir, 'jwt-secret')
  if (!existsSync(path)) {
    // A link makes the whole file appear at once, and only once: another server may start on this directory at the same moment.
    const draft = `${path}.${crypto.randomUUID()}`
    writeFileSync(draft, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx' })
    try {
      linkSync(draft, path)
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error
    } finally {
      rmSync(draft)
    }
  }
  return readFileSync(path, 'utf8')
}
