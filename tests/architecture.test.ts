import { describe, expect, test } from 'bun:test'
import { devDependencies } from '../package.json'
import { mountedRoutes } from './support/described.ts'
import { readSources } from './support/sources.ts'
import {
  hasWall,
  type Import,
  importsOf,
  isOf,
  PACKAGES,
  stricterWalls,
  violations,
} from './support/walls.ts'

const files = await readSources()

const uses = (imports: Import[], name: RegExp) => imports.some(({ from }) => name.test(from))
const PROGRAMS = /^(main|admin|photos|backup|restore)\.ts$|^demo\/main\.ts$|^node\//

describe('the walls', () => {
  test('no file imports what its part may not', () => {
    expect(files.length).toBeGreaterThan(90)
    expect(files.flatMap(({ file, imports }) => violations(file, imports))).toEqual([])
  })

  test('none could be stricter', () => {
    const loose = stricterWalls().filter(({ walls }) =>
      files.every(({ file, imports }) => violations(file, imports, walls).length === 0),
    )
    expect(loose.map(({ what }) => what)).toEqual([])
  })

  test('no package is permitted to a part that does not use it', () => {
    const unused = PACKAGES.flatMap(([pattern, places]) =>
      places.filter(
        (place) => !files.some(({ file, imports }) => isOf(file, place) && uses(imports, pattern)),
      ),
    )
    expect(unused).toEqual([])
  })

  test('an installation without development packages has all that the sources import', () => {
    const imported = files.flatMap(({ file, imports }) =>
      imports.filter(({ type }) => !type).map(({ from }) => ({ file, from })),
    )
    const isOfDevelopment = ({ from }: { from: string }) =>
      Object.keys(devDependencies).some((name) => from === name || from.startsWith(`${name}/`))
    expect(imported.filter(isOfDevelopment)).toEqual([])
  })

  test('every part has a wall', () => {
    expect(files.map(({ file }) => file).filter((file) => !hasWall(file))).toEqual([])
  })

  test('only the programs read the environment, and hand it to the configuration', () => {
    const readers = files
      // In quotes it is a name that the build of the page replaces.
      .filter(({ text }) => /(?<!')\b(process|Bun)\.env\b|import\.meta\.env/.test(text))
      .map(({ file }) => file)
    expect(readers.filter((file) => !PROGRAMS.test(file))).toEqual([])
  })

  test('the transpiler sees no import that this test overlooks', () => {
    for (const { file, text, imports } of files) {
      // The transpiler adds `require` of the library that makes the elements of JSX.
      const transpiler = new Bun.Transpiler({ loader: file.endsWith('x') ? 'tsx' : 'ts' })
      const seen = new Set(imports.map(({ from }) => from))
      expect(
        transpiler.scanImports(text).filter(({ path, kind }) => !seen.has(path) && kind !== 'require-call'),
        file,
      ).toEqual([])
    }
  })
})

describe('the rule itself', () => {
  const check = (file: string, source: string) => violations(file, importsOf(source))

  test.each([
    ['config.ts', "import { sql } from './db/client.ts'"],
    ['db/client.ts', "import { createTask } from '../core/tasks/create.ts'"],
    ['db/client.ts', "import { readConfig } from '../config.ts'"],
    ['bus/redis.ts', "import { openDatabase } from '../db/client.ts'"],
    ['core/ledger.ts', "import { t } from 'elysia'"],
    ['core/ledger.ts', "import type { Elysia } from 'elysia'"],
    ['core/ledger.ts', "import { languageOf } from '../http/language.ts'"],
    ['core/tasks/tasks.ts', "import type { Hub } from '../../live/hub.ts'"],
    ['core/ledger.ts', "import postgres from 'postgres'"],
    ['live/hub.ts', "import { sql } from 'drizzle-orm'"],
    ['live/hub.ts', "import { Elysia } from 'elysia'"],
    ['live/hub.ts', "import { bearer } from '../http/authenticate.ts'"],
    ['http/errors.ts', "import { isUnavailable } from '../db/errors.ts'"],
    ['http/errors.ts', "import { eq } from 'drizzle-orm/pg-core'"],
    ['contracts/factory/gpu.ts', "import { nodes } from '../../db/schema/index.ts'"],
    ['contracts/factory/gpu.ts', "import { sql } from 'drizzle-orm'"],
    ['contracts/factory/gpu.ts', "export { User } from '../learning/models.ts'"],
    ['contracts/study/tasks.ts', "import { both } from '../study-factory/both.ts'"],
    ['contracts/study/tasks.ts', "import { Task } from '../factory/models.ts'"],
    ['contracts/factory/gpu.ts', "import { study } from '../study/contract.ts'"],
    ['contracts/study-factory/auth.ts', "import { User } from '../learning/models.ts'"],
    ['contracts/learning/auth.ts', "const x = await import('../factory/models.ts')"],
    ['jobs/scheduler.ts', "import { createApp } from '../app.ts'"],
    ['node/main.ts', "import { createTask } from '../core/tasks/create.ts'"],
    ['node/link.ts', "import { CLOSE } from '../live/user/hub.ts'"],
    ['app.ts', "import { openDatabase } from './db/client.ts'"],
    ['protocol/frame.ts', "import { parseJson } from '../util/json.ts'"],
    ['protocol/frame.ts', "import { join } from 'node:path'"],
    ['db/embedded.ts', "new Worker(new URL('../core/worker.ts', import.meta.url))"],
    ['core/ledger.ts', "import {\n  a,\n  b,\n} from '../http/language.ts'"],
  ])('%s with %j is reported', (file, source) => {
    const from = importsOf(source)[0]!.from
    expect(check(file, source)).toEqual([`${file} imports ${from}`])
  })

  test.each([
    [
      'core/ledger.ts',
      "import { users } from '../db/schema/index.ts'\nimport type { Config } from '../config.ts'",
    ],
    [
      'contracts/study-factory/auth.ts',
      "import { a } from '../study/models.ts'\nimport { b } from '../factory/models.ts'",
    ],
    ['contracts/study/contract.ts', "import { factory } from '../factory/contract.ts'"],
    [
      'contracts/factory/gpu.ts',
      "import { t } from 'elysia'\nimport { guard } from '../../http/authenticate.ts'",
    ],
    [
      'live/node/socket.ts',
      "import { Elysia } from 'elysia'\nimport type { Context } from '../../core/context.ts'",
    ],
    [
      'node/link.ts',
      "import { nodeFrameProblem } from '../protocol/node/node-frames.ts'\nimport { a } from '../util/egress.ts'",
    ],
    ['http/docs.ts', "import { version } from '../../package.json'\nimport { join } from 'node:path'"],
    [
      'core/ledger.ts',
      "// see import { x } from '../http/language.ts' for\nconst text = 'from \"../http/x.ts\"'",
    ],
  ])('%s with what it may have is not reported', (file, source) => {
    expect(check(file, source)).toEqual([])
  })
})

/** What the documents of the finished contracts name, in their order. A contract that is finished adds its own. */
const DOCUMENTED = {
  factory: `
    POST /api/auth/login
    POST /api/auth/register
    GET /api/users/me
    PUT /api/users/me
    POST /api/users/change-password
    GET /api/users/stats
    POST /api/tasks
    GET /api/tasks
    GET /api/tasks/:
    POST /api/tasks/:/cancel
    POST /api/tasks/:/retry
    DELETE /api/tasks/:
    GET /api/gpu/servers
    GET /api/gpu/servers/:
    GET /api/gpu/servers/:/status
    GET /api/gpu/cluster/overview
    GET /api/admin/users
    PUT /api/admin/users/:`,
  learning: `
    GET /health
    GET /api/v1/health/db
    POST /api/v1/auth/register
    POST /api/v1/auth/login
    GET /api/v1/auth/me
    POST /api/v1/auth/refresh
    POST /api/v1/auth/logout
    GET /api/v1/materials
    GET /api/v1/materials/:
    DELETE /api/v1/materials/:
    POST /api/v1/materials/:/like
    POST /api/v1/upload
    GET /api/v1/upload/status/:
    GET /api/v1/upload/thumbnail-status/:
    DELETE /api/v1/upload/:
    POST /api/v1/admin/cleanup
    GET /api/v1/admin/scheduler/status
    POST /api/v1/admin/scheduler/jobs/:/pause
    POST /api/v1/admin/scheduler/jobs/:/resume`,
  runtime: `
    POST /api/v1/auth/verifications
    POST /api/v1/auth/verifications/resend
    POST /api/v1/auth/verifications/verify
    POST /api/v1/auth/sessions
    POST /api/v1/auth/sessions/refresh
    DELETE /api/v1/auth/sessions
    POST /api/v1/auth/password-reset
    POST /api/v1/auth/password-reset/confirm
    GET /api/v1/auth/users
    POST /api/v1/schedule-items
    GET /api/v1/schedule-items
    GET /api/v1/schedule-items/:
    PATCH /api/v1/schedule-items/:
    DELETE /api/v1/schedule-items/:
    GET /api/v1/users/me
    PATCH /api/v1/users/me
    POST /api/v1/users/search
    POST /api/v1/agent-chats
    GET /api/v1/infra/health
    GET /api/v1/health`,
  'study, as far as factory has it too': `
    POST /api/auth/register
    POST /api/auth/login
    GET /api/tasks
    POST /api/tasks
    GET /api/tasks/:
    POST /api/tasks/:/cancel
    POST /api/tasks/:/retry
    DELETE /api/tasks/:
    GET /api/admin/users
    PUT /api/admin/users/:
    GET /ws/connect
    GET /api/docs`,
  'docs/design.md': `
    POST /api/gpu/servers
    PUT /api/gpu/servers/:
    DELETE /api/gpu/servers/:
    POST /api/gpu/servers/:/drain
    POST /api/gpu/servers/:/rotate-token
    POST /api/gpu/servers/:/heartbeat
    POST /api/ws/ticket
    POST /api/v1/invite-codes
    GET /api/v1/invite-codes
    GET /api/v1/agent-chats
    GET /api/v1/agent-chats/:
    POST /api/v1/agent-chats/:/cancel
    GET /api/ws/connect
    GET /ws/node`,
}

describe('the routes', () => {
  const mounted = new Set(
    mountedRoutes().map(({ method, path }) => `${method} ${path.replace(/:\w+/g, ':')}`),
  )
  test.each(Object.entries(DOCUMENTED))('of %s are mounted', (_, text) => {
    const documented = text.trim().split(/\s*\n\s*/)
    expect(documented.filter((route) => !mounted.has(route))).toEqual([])
  })
})
