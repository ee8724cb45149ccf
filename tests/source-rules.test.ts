/** Rules for the sources that no import shows: the order of the domains, the names in core, and no state in modules. */
import { describe, expect, test } from 'bun:test'
import { DOMAINS, domainOf, upwardImports } from './support/domains.ts'
import { moduleState, wireNames } from './support/source-rules.ts'
import { readSources } from './support/sources.ts'
import { importsOf } from './support/walls.ts'

const files = await readSources()

describe('the domains of core', () => {
  test('stand in the order', () => {
    const domains = new Set(files.flatMap(({ file }) => domainOf(file) ?? []))
    expect([...domains].sort()).toEqual(DOMAINS.toSorted())
  })

  test('import lower domains alone', () => {
    expect(files.flatMap(({ file, imports }) => upwardImports(file, imports))).toEqual([])
  })

  /** Files whose keys are names of texts, codes or letters; and the tools, whose fields a language model reads. */
  const NAMED_BY_VALUES =
    /(^|\/)(errors|messages|failures|permissions|letters)\.ts$|^core\/(errors|agent\/tools)\//
  /** JSON whose stored keys have this form: the settings, and the metadata of an item as its client wrote it. */
  const STORED_JSON = ['core/system/settings.ts', 'core/agenda/metadata.ts']

  test('have no names of the wire', () => {
    const core = files.filter(
      ({ file }) => file.startsWith('core/') && !NAMED_BY_VALUES.test(file) && !STORED_JSON.includes(file),
    )
    const found = core.flatMap(({ file, text }) => wireNames(text).map((name) => `${file}: ${name}`))
    expect(found).toEqual([])
  })
})

/** Variables that belong to the process, or are the same for all servers in it. */
const MODULE_STATE = [
  // By request.
  'http/authenticate.ts: goingOn',
  'http/request-log.ts: started',
  // Each server has a worker of its own.
  'core/files/digest-worker.ts: hashes',
  // Made of constants, once, when they are first needed.
  'cache/version.ts: version',
  'core/accounts/passwords.ts: dummy',
  'db/embedded.ts: code',
  'http/openapi/schemas.ts: identities',
  'live/node/frames.ts: checks',
  // The files that this process has locked, and when it last let other work run.
  'util/file-lock.ts: held',
  'util/slices.ts: last',
]

test('servers in one process share nothing: modules hold no state', () => {
  const found = files
    .filter(({ file }) => !/^(node|imaging|dashboard\/app)\/|^(main|admin)\.ts$/.test(file))
    .flatMap(({ file, text }) => moduleState(text).map((name) => `${file}: ${name}`))
  expect(found.sort()).toEqual(MODULE_STATE.toSorted())
})

describe('the rules themselves', () => {
  test.each([
    ['core/money/ledger.ts', "import type { Task } from '../tasks/tasks.ts'"],
    ['core/accounts/names.ts', "import { x } from '../agent/runs.ts'"],
  ])('%s with %j imports upward', (file, source) => {
    expect(upwardImports(file, importsOf(source))).toHaveLength(1)
  })

  test.each([
    ['core/tasks/tasks.ts', "import { x } from '../money/ledger.ts'"],
    ['core/tasks/tasks.ts', "import { x } from './queue.ts'"],
    ['core/services.ts', "import { x } from './agent/runs.ts'"],
    ['core/money/ledger.ts', "import { x } from '../context.ts'"],
  ])('%s with %j does not', (file, source) => {
    expect(upwardImports(file, importsOf(source))).toEqual([])
  })

  test.each([
    ['const a = { task_id: 1 }', ['task_id']],
    ['interface A { readonly task_id?: string }', ['task_id']],
    ['const { task_id: id } = row', ['task_id']],
    ['const { task_id } = row', ['task_id']],
    ['f(row.task_id)', ['task_id']],
    ["const a = { 'task_id': 1 }", ['task_id']],
    ["sql`select task_id from tasks`; const a = 'task_id'; const LIMIT_MS = 1; f({ taskId: 1 })", []],
  ])('%s has the wire names %j', (source, names) => expect(wireNames(source)).toEqual(names))

  test.each([
    ['let count = 0', ['count']],
    ['export let count: number', ['count']],
    ['const seen = new Map<string, number>()', ['seen']],
    ['const cache = new LRUCache({ max: 10 })', ['cache']],
    ['const list: string[] = []', ['list']],
    ['const byName: Record<string, number> = {}', ['byName']],
    ["const KINDS = new Set(['a']); const f = () => new Map(); class A { map = new Map() }", []],
  ])('%s has the state %j', (source, names) => expect(moduleState(source)).toEqual(names))
})
