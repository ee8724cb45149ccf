import { join } from 'node:path'
import { Glob } from 'bun'
import { type Import, importsOf } from './walls.ts'

const SRC = join(import.meta.dir, '../../src')

export interface Source {
  /** Its path from `src`. */
  file: string
  text: string
  imports: Import[]
}

/** Every source file of `src`, by name. */
export const readSources = (): Promise<Source[]> =>
  Promise.all(
    [...new Glob('**/*.{ts,tsx}').scanSync(SRC)].sort().map(async (file) => {
      const text = await Bun.file(join(SRC, file)).text()
      return { file, text, imports: importsOf(text) }
    }),
  )
