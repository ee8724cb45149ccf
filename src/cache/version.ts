import { join } from 'node:path'

const SOURCE = join(import.meta.dir, '..')
/** What makes the cached values, and the tables that they are made of. */
const MAKERS = new Bun.Glob('{core,db}/**/*.ts')

let version: Promise<string> | undefined

/**
 * Differs between servers that may mean another thing by the same key or value. While an installation is upgraded, servers of two
 * versions use one Redis, and what one of them keeps there must not reach the other.
 */
export const valuesVersion = (): Promise<string> => {
  version ??= hashSource()
  return version
}

async function hashSource(): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256')
  const paths = (await Array.fromAsync(MAKERS.scan(SOURCE))).sort()
  const texts = await Promise.all(paths.map((path) => Bun.file(join(SOURCE, path)).text()))
  for (const text of texts) hash.update(text)
  return hash.digest('hex').slice(0, 12)
}
