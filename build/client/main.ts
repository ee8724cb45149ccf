/** Writes what programs outside of the server need of it: `bun run build:client`. */
import { join } from 'node:path'
import { defaultsType } from './defaults.ts'
import { writeTypes } from './types.ts'

const OUT = join(import.meta.dir, '../../dist/client')

/** The base URL of each contract. */
const BASES = { Learning: '/api/v1', Portfolio: '/v1', Study: '/api', Runtime: '/api/v1', Factory: '/api' }

const types = await writeTypes(
  ["import type * as contracts from '../../src/client/contracts.ts'"],
  defaultsType(),
  Object.fromEntries(
    Object.entries(BASES).map(([name, base]) => [name, `Tree<contracts.${name}, '${base}'>`]),
  ),
)
const declarations = Object.entries(types).map(([name, type]) => `export type ${name} = ${type}\n`)
await Bun.write(join(OUT, 'contracts.d.ts'), declarations.join('\n'))
