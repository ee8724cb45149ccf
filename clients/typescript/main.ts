/** Writes the client as a package that needs nothing of the server, to `dist/client` or to the folder that follows the command. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { version } from '../../package.json'
import { declarations } from './declarations.ts'
import { defaultsType } from './defaults.ts'
import { writeTypes } from './types.ts'

const ROOT = join(import.meta.dir, '../..')
const OUT = process.argv[2] ?? join(ROOT, 'dist/client')

/** The base URL of each contract. */
const BASES = { Learning: '/api/v1', Portfolio: '/v1', Study: '/api', Runtime: '/api/v1', Factory: '/api' }

/** For those who use Eden themselves. It needs `elysia`, as Eden does. */
const EDEN = `import type { Elysia } from 'elysia'
import type { Factory, Learning, Portfolio, Runtime, Study } from './contracts.js'

export interface Routes {
	api: Study & Factory & { v1: Learning & Runtime }
	v1: Portfolio
}
export type App = Elysia<any, any, any, any, Routes, any, any>
`

const PACKAGE = {
  name: 'roost',
  version,
  description: 'Typed client for Roost: REST, sessions and the live channel, for browsers, Bun and Node.',
  type: 'module',
  sideEffects: false,
  engines: { node: '>=20' },
  exports: {
    './client': { types: './index.d.ts', default: './index.js' },
    './client/eden': { types: './eden.d.ts' },
  },
}

/** The only generic type of the protocol, which a literal cannot be. */
const EVENT_DATA = 'export type EventData<T extends keyof Events> = Events[T]\n'

/** A link of docs/client.md to a page that the package does not have. */
const OTHER_PAGE = /\[([^\]]+)\]\((?!https:|#)[^)]*\)/g

const { files, protocol } = declarations()
const routes = Object.entries(BASES).map(([name, base]) => [name, `Tree<contracts.${name}, '${base}'>`])
const frames = [...protocol].map(([name, file]) =>
  name === 'EventData'
    ? ['Events', `{ [T in import('${file}').EventType]: Plain<import('${file}').EventData<T>> }`]
    : [name, `Plain<import('${file}').${name}>`],
)
const written = await writeTypes(
  ["import type * as contracts from '../../src/client/contracts.ts'"],
  defaultsType(),
  Object.fromEntries([...routes, ...frames]),
)
const declared = (names: string[][]) =>
  names.map(([name]) => `export type ${name} = ${written[name!]}\n`).join('\n')

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
const output: Record<string, string> = {
  ...Object.fromEntries(files),
  'contracts.d.ts': declared(routes),
  'protocol.d.ts': `${declared(frames)}\n${EVENT_DATA}`,
  'eden.d.ts': EDEN,
  'README.md': readFileSync(join(ROOT, 'docs/client.md'), 'utf8').replace(OTHER_PAGE, '$1'),
  'package.json': `${JSON.stringify(PACKAGE, null, 2)}\n`,
}
for (const [name, text] of Object.entries(output)) await Bun.write(join(OUT, name), text)
await Bun.build({
  entrypoints: [join(ROOT, 'src/client/index.ts')],
  outdir: OUT,
  target: 'browser',
  format: 'esm',
})
