/** A small domain, kites, with one of everything. `scaffold` adds it to a copy of the sources, as a person would. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './process.ts'

/** The folders of the domain: in core, in live, and as a chapter of a contract. */
export const FILES: Record<string, string> = {
  'src/core/kites/errors.ts': `import { defineErrors } from '../errors/define.ts'

export const KITE_ERRORS = defineErrors({
  NO_WIND: { kind: 'invalid_state', zh: '风速只有 {wind} 级，风筝飞不起来', en: 'A wind of {wind} carries no kite' },
})
`,
  'src/core/kites/messages.ts': `import { defineTexts } from '../errors/define.ts'

export const KITE_MESSAGES = defineTexts({ kite_launched: { zh: '风筝已放飞', en: 'Kite launched' } })
`,
  'src/core/kites/events.ts': `export interface KiteEvents {
  'kite.risen': { heightMetres: number }
}
`,
  'src/core/kites/job-handles.ts': `import { jobHandle } from '../../jobs/job.ts'

export const riseHandle = jobHandle<{ userId: number; wind: number }>('kite_rise', {
  timeoutSeconds: 10,
  retries: 1,
  backoff: { seconds: 1, maxSeconds: 1 },
})
`,
  'src/core/kites/jobs.ts': `import { defineJob, defineSchedule } from '../../jobs/job.ts'
import type { Context } from '../context.ts'
import { riseHandle } from './job-handles.ts'
import { landAll, rise } from './kites.ts'

const riseJob = defineJob({
  ...riseHandle,
  concurrency: 1,
  run: (ctx: Context, { userId, wind }) => rise(ctx, userId, wind),
})

const landSchedule = defineSchedule({
  id: 'land_kites',
  name: 'land_kites',
  pattern: '0 0 * * *',
  run: async (ctx: Context) => landAll(ctx),
})

export const kiteJobs = { jobs: [riseJob], schedules: [landSchedule] }
`,
  'src/core/kites/sky.ts': `/** The heights of the kites, in memory. */
export class Sky {
  readonly heights = new Map<number, number>()
}
`,
  'src/core/kites/kites.ts': `import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { riseHandle } from './job-handles.ts'

export const kiteTopic = (userId: number): string => \`kite:\${userId}\`

/** @throws AppError NO_WIND */
export async function launch(ctx: Context, userId: number, wind: number): Promise<void> {
  if (wind < 3) throw new AppError('NO_WIND', { params: { wind } })
  await transaction(ctx, (tx) => tx.queue.enqueue(tx, riseHandle, { userId, wind }))
}

export async function rise(ctx: Context, userId: number, wind: number): Promise<void> {
  const heightMetres = wind * 10
  await transaction(ctx, async (tx) => {
    tx.emit(userId, 'kite.risen', { heightMetres })
    tx.afterCommit(() => {
      tx.services.sky.heights.set(userId, heightMetres)
      tx.bus.setState(kiteTopic(userId), { heightMetres })
    })
  })
}

export function landAll({ services }: Context): number {
  const { size } = services.sky.heights
  services.sky.heights.clear()
  return size
}
`,
  'src/live/events/kites.ts': `import type { KiteEvents } from '../../core/kites/events.ts'
import type { EventPresenters } from './presenters.ts'

export const kiteEvents: EventPresenters<KiteEvents> = {
  'kite.risen': ({ heightMetres }) => ({ height_metres: heightMetres }),
}
`,
  'src/live/topics/kite.ts': `import { kiteTopic } from '../../core/kites/kites.ts'
import { TOPIC_PATTERNS } from '../../protocol/live/topics.ts'
import { type ReadCurrent, sharedText, type TopicKind } from './topic.ts'

const textOf = sharedText(({ heightMetres }: { heightMetres: number }) => ({ height_metres: heightMetres }))

const readCurrent: ReadCurrent = async (ctx, keys) =>
  new Map(keys.map((key) => [key, { heightMetres: ctx.services.sky.heights.get(Number(key.slice(5))) ?? 0 }]))

export const kiteKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.kite),
  open: async ({ who, name }) => ({
    name,
    key: kiteTopic(who.userId),
    permits: () => true,
    readCurrent,
    render: (value) => \`{"type":"kite_update","key":"kite","data":\${textOf(value)}}\`,
  }),
}
`,
  'src/contracts/factory/kites/models.ts': `import { t } from 'elysia'

export const KiteLaunch = t.Object({ wind: t.Integer({ minimum: 0, maximum: 12 }) })
`,
  'src/contracts/factory/kites/routes.ts': `import type { Context } from '../../../core/context.ts'
import { launch } from '../../../core/kites/kites.ts'
import { type Body, chapter, type SignedCall } from '../../../http/chapter.ts'
import { Nothing } from '../../../http/models.ts'
import { Envelope, envelope, factory } from '../contract.ts'
import { KiteLaunch } from './models.ts'

const { routes, route } = chapter(factory, 'kites')

export const kiteRoutes = (ctx: Context) =>
  routes(ctx, '/kites').post(
    '',
    launchKite,
    route({
      auth: true,
      summary: 'Launch your kite',
      body: KiteLaunch,
      status: 202,
      response: Envelope(Nothing),
      errors: ['NO_WIND'],
    }),
  )

async function launchKite({ ctx, principal, body, request, set }: SignedCall & Body<typeof KiteLaunch>) {
  await launch(ctx, principal.userId, body.wind)
  set.status = 202
  return envelope(request, {}, 'kite_launched')
}
`,
}

/** The lists that name every domain: in each, what stands there, and the same with the toy added. */
export const LISTS: Record<string, [present: string | RegExp, added: string][]> = {
  'src/core/errors/catalogue.ts': [
    [/^import /m, "import { KITE_ERRORS } from '../kites/errors.ts'\nimport "],
    ['joinLists(\n  GENERAL_ERRORS,\n', 'joinLists(\n  GENERAL_ERRORS,\n  KITE_ERRORS,\n'],
  ],
  'src/core/messages.ts': [
    [/^import /m, "import { KITE_MESSAGES } from './kites/messages.ts'\nimport "],
    ['  SYSTEM_MESSAGES,\n', '  SYSTEM_MESSAGES,\n  KITE_MESSAGES,\n'],
  ],
  'src/core/events.ts': [
    [/^import /m, "import type { KiteEvents } from './kites/events.ts'\nimport "],
    ['    MoneyEvents,\n', '    MoneyEvents,\n    KiteEvents,\n'],
  ],
  'src/core/jobs.ts': [
    [/^import /m, "import { kiteJobs } from './kites/jobs.ts'\nimport "],
    ['  channelJobs,\n', '  channelJobs,\n  kiteJobs,\n'],
  ],
  'src/core/services.ts': [
    [/^import /m, "import { Sky } from './kites/sky.ts'\nimport "],
    ['export interface Services {\n', 'export interface Services {\n  readonly sky: Sky\n'],
    ['): Services => ({\n', '): Services => ({\n  sky: new Sky(),\n'],
  ],
  'src/protocol/live/events.ts': [
    [
      'export const EVENTS = {\n',
      "export const EVENTS = {\n  'kite.risen': Type.Object({ height_metres: Type.Number() }),\n",
    ],
  ],
  'src/protocol/live/topics.ts': [
    ['export const TOPIC_PATTERNS = {\n', "export const TOPIC_PATTERNS = {\n  kite: '^kite$',\n"],
    [
      'export const TOPICS: Record<keyof typeof TOPIC_PATTERNS, Topic> = {\n',
      "export const TOPICS: Record<keyof typeof TOPIC_PATTERNS, Topic> = {\n  kite: { name: 'kite', frames: ['kite_update'], description: 'How high the kite is.' },\n",
    ],
    [
      'export const TaskUpdateData =',
      'export const KiteUpdateData = Type.Object({ height_metres: Type.Number() })\nexport type KiteUpdateData = Static<typeof KiteUpdateData>\n\nexport const TaskUpdateData =',
    ],
    [
      'export const StateFrame = Type.Union([\n',
      "export const StateFrame = Type.Union([\n  frame('kite_update', 'How high the kite is.', { key, data: KiteUpdateData }),\n",
    ],
  ],
  'src/client/live-client.ts': [
    ['import type {\n  ClusterUpdateData,\n', 'import type {\n  ClusterUpdateData,\n  KiteUpdateData,\n'],
    [
      "  : Name extends 'gpu:cluster'\n",
      "  : Name extends 'kite'\n  ? KiteUpdateData\n  : Name extends 'gpu:cluster'\n",
    ],
  ],
  'src/client/index.ts': [
    ['export type {\n  ClusterUpdateData,\n', 'export type {\n  ClusterUpdateData,\n  KiteUpdateData,\n'],
  ],
  'src/dashboard/app/lib/event-names.ts': [
    [
      '[en: string, zh: string]> = {\n',
      "[en: string, zh: string]> = {\n  'kite.risen': ['A kite rises', '风筝升起'],\n",
    ],
  ],
  'src/live/events/index.ts': [
    [/^import /m, "import { kiteEvents } from './kites.ts'\nimport "],
    ['  ...moneyEvents,\n', '  ...moneyEvents,\n  ...kiteEvents,\n'],
  ],
  'src/live/topics/index.ts': [
    [/^import /m, "import { kiteKind } from './kite.ts'\nimport "],
    ['TopicKind[] = [', 'TopicKind[] = [kiteKind, '],
  ],
  'src/contracts/factory/index.ts': [
    [/^import /m, "import { kiteRoutes } from './kites/routes.ts'\nimport "],
    ['.use(userRoutes(ctx))', '.use(userRoutes(ctx)).use(kiteRoutes(ctx))'],
  ],
}

/** Copies the sources to `directory` and adds the toy. @throws when a list no longer has what the toy is added to */
export function scaffold(directory: string): void {
  for (const name of ['src', 'drizzle', 'package.json', 'tsconfig.json', 'bunfig.toml']) {
    cpSync(join(ROOT, name), join(directory, name), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  for (const [path, changes] of Object.entries(LISTS)) {
    let text = readFileSync(join(directory, path), 'utf8')
    for (const [present, added] of changes) {
      const before = text
      text = text.replace(present, () => added)
      if (text === before) throw new Error(`${path} has no ${present}`)
    }
    writeFileSync(join(directory, path), text)
  }
}
