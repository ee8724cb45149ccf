/** Who may import whom in `src` (docs/design.md, "Walls"), as a function, so that a test can show it a wrong import. */
import { dirname, join, normalize } from 'node:path'

export interface Import {
  /** As it is written. */
  from: string
  /** `import type`: gone at run time. */
  type: boolean
}

const IMPORTS =
  /(?:^|\n)[ \t]*(?:import|export)\s+(type\s)?[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)[ \t]*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|\bnew URL\(\s*['"](\.[^'"]+)['"]/g

/** Every import of a source, the dynamic ones, re-exports and worker files too. */
export const importsOf = (source: string): Import[] =>
  [...source.matchAll(IMPORTS)].map(([, type, from, bare, dynamic, worker]) => ({
    from: (from ?? bare ?? dynamic ?? worker)!,
    type: type !== undefined,
  }))

/**
 * What each part may import besides itself, `util` and packages. `x:type` is types alone; a name with a slash is one
 * file or folder. A part that is not here has no wall yet: give it one.
 */
export const WALLS: Record<string, string[]> = {
  config: [],
  protocol: [],
  util: [],
  db: ['config:type'],
  storage: ['config:type'],
  mail: [],
  bus: [],
  cache: [],
  jobs: ['db'],
  model: ['config:type'],
  imaging: [],
  core: [
    'config:type',
    'db',
    'storage/keys.ts',
    'storage/content-types.ts',
    'storage/ranges.ts',
    'storage:type',
    'mail/mailer.ts',
    'bus/bus.ts',
    'cache:type',
    'jobs/job.ts',
    'jobs:type',
    'model/model.ts',
    'imaging/imaging.ts:type',
  ],
  live: ['protocol', 'core', 'bus:type'],
  http: ['core', 'live/context.ts:type', 'protocol'],
  contracts: ['http', 'core', 'live', 'protocol'],
  mcp: ['core', 'http'],
  app: ['contracts', 'dashboard/build.ts', 'http', 'live', 'mcp/routes.ts', 'protocol'],
  server: [
    'archive/control.ts',
    'config:type',
    'core',
    'http/tokens.ts',
    'jobs/scheduler.ts',
    'live',
    'parts',
    'contracts/portfolio/webhooks/payloads.ts',
  ],
  parts: ['config:type', 'db', 'storage', 'mail', 'bus', 'cache', 'jobs', 'model', 'imaging'],
  main: ['config', 'db/embedded.ts', 'server', 'app'],
  admin: ['config', 'server', 'core'],
  photos: ['config', 'server', 'core'],
  archive: ['config:type', 'core', 'db', 'jobs', 'parts', 'storage:type'],
  backup: ['config', 'archive'],
  restore: ['config', 'archive'],
  node: ['protocol'],
  client: ['contracts:type', 'protocol'],
  demo: ['client', 'node/builtin/task-io.ts'],
  dashboard: ['client'],
}

/** Packages that only these parts may use. */
export const PACKAGES: [RegExp, string[]][] = [
  [
    /^(elysia|@elysiajs\/.*|@elysia\/.*)$/,
    [
      'app',
      'http',
      'contracts',
      'live/node/socket.ts',
      'live/user/socket.ts',
      'mcp/routes.ts',
      'client/rest.ts',
    ],
  ],
  [/^@modelcontextprotocol\//, ['mcp']],
  [/^drizzle-orm(\/|$)/, ['db', 'core', 'jobs/runs.ts', 'jobs/waiting.ts']],
  [/^(postgres|@electric-sql\/.*)$/, ['db']],
  [/^ioredis$/, ['bus', 'cache']],
  [/^(croner|pg-boss)$/, ['jobs']],
  [/^@aws-sdk\//, ['storage']],
  [/^(preact|@preact\/.*|uplot)(\/|$)/, ['dashboard/app']],
  [/^nodemailer$/, ['mail']],
  [/^sharp$/, ['imaging', 'demo/photos.ts']],
  [/^(mediabunny|@embedpdf\/.*|@seydx\/.*)$/, ['imaging']],
  [/^(exifreader|@xmldom\/xmldom|libheif-js)(\/|$)/, ['imaging']],
  [/^thumbhash$/, ['imaging', 'dashboard/app']],
]

/** The one folder that may use two contracts: the routes that both claim. */
const SHARED = { folder: 'contracts/study-factory', of: ['contracts/study', 'contracts/factory'] }

/** Both contracts have one base URL, and so one form of errors. */
const ERRORS_OF_BOTH = { folder: 'contracts/study', file: 'contracts/factory/contract.ts' }

const partOf = (file: string) => file.split('/')[0]!.replace(/\.ts$/, '')
const contractOf = (file: string) => file.split('/').slice(0, 2).join('/')
const isWithin = (file: string, place: string) => file === place || file.startsWith(`${place}/`)

/** `file imports X` for every import that the walls forbid. Files are named from `src`. */
export function violations(file: string, imports: Import[], walls = WALLS): string[] {
  return imports.filter((one) => !isAllowed(file, one, walls)).map(({ from }) => `${file} imports ${from}`)
}

/** Each wall with one permission less, or with a permission for types alone in place of a whole one. */
export function stricterWalls(): { what: string; walls: Record<string, string[]> }[] {
  return Object.entries(WALLS).flatMap(([part, rules]) =>
    rules.flatMap((rule) => {
      const others = rules.filter((other) => other !== rule)
      const without = { what: `${part} without ${rule}`, walls: { ...WALLS, [part]: others } }
      if (rule.endsWith(':type')) return [without]
      const typesOnly = { ...WALLS, [part]: [...others, `${rule}:type`] }
      return [without, { what: `${part} with ${rule}:type`, walls: typesOnly }]
    }),
  )
}

function isAllowed(file: string, { from, type }: Import, walls: Record<string, string[]>): boolean {
  if (!from.startsWith('.')) return isPackageAllowed(file, from)
  const target = normalize(join(dirname(file), from))
  if (target === '../package.json') return true
  const [part, goal] = [partOf(file), partOf(target)]
  if (part === 'contracts' && goal === 'contracts') {
    const [own, other] = [contractOf(file), contractOf(target)]
    if (own === ERRORS_OF_BOTH.folder && target === ERRORS_OF_BOTH.file) return true
    return own === other || (own === SHARED.folder && SHARED.of.includes(other))
  }
  if (goal === part) return true
  if (goal === 'util') return part !== 'protocol'
  return (walls[part] ?? []).some((rule) => {
    const [place = '', only] = rule.split(':')
    return (only !== 'type' || type) && (place.includes('/') ? isWithin(target, place) : place === goal)
  })
}

/** Whether a file belongs to a part, or to a file or folder that is named with a slash. */
export const isOf = (file: string, place: string): boolean =>
  place.includes('/') ? isWithin(file, place) : place === partOf(file)

function isPackageAllowed(file: string, name: string): boolean {
  // Browsers import it.
  if (partOf(file) === 'protocol') return /^@sinclair\/typebox(\/|$)/.test(name)
  const rule = PACKAGES.find(([pattern]) => pattern.test(name))
  return !rule || rule[1].some((place) => isOf(file, place))
}

export const hasWall = (file: string): boolean => partOf(file) in WALLS
