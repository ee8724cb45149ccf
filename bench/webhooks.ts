/**
 * What webhooks cost the request whose event they get, against the same request of a user without webhooks; and deliveries a
 * second to a receiver on this machine, against bare requests to it.
 */
import { sql } from 'drizzle-orm'
import type { Actor } from '../src/core/accounts/principals.ts'
import type { Context } from '../src/core/context.ts'
import { updatePhoto } from '../src/core/photos/update.ts'
import { createTask } from '../src/core/tasks/create.ts'
import { createWebhook } from '../src/core/webhooks/webhooks.ts'
import { settings } from '../src/db/schema/index.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { seedPhotos } from './support/seed-photos.ts'
import { percentile, ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const ROUNDS = 15
/** With the webhook, and as many without. */
const WRITES_OF_ROUND = 40
const DELIVERIES = 2000
const WEBHOOKS = 16
/** How many bare requests run at the same time: as many as the server sends deliveries. */
const AT_ONCE = 128

export async function webhooks(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind)))
  return rows
}

async function measure(kind: Kind): Promise<Row[]> {
  const parts = await freshParts(kind, { ALLOW_PRIVATE_EGRESS: '1', WEBHOOKS_PER_USER: '100' })
  const receiver = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('ok') })
  try {
    return await parts.prepare(async (ctx) => {
      const value = { max_concurrent_tasks_per_user: 1_000_000 }
      await ctx.db.insert(settings).values({ key: 'system', value }).onConflictDoNothing()
      await seedPhotos(ctx, 200)
      const admin = await administrator(ctx)
      const url = `http://127.0.0.1:${receiver.port}/`
      const sent = await throughput(ctx, kind, admin, url)
      // Now deliveries only wait: sending them was measured apart.
      await ctx.services.webhooks.close()
      await createWebhook(ctx, admin, { url, events: ['task.created', 'photo.updated'] })
      const task = () => createTask(ctx, admin.userId, { kind: 'gpu', title: 'a task', taskType: 'test' })
      let n = 0
      const photo = () => updatePhoto(ctx, admin, 1 + (n++ % 200), { title: `photo ${n}` }, undefined)
      return [
        await cost(ctx, `${kind}: creating a task`, task),
        await cost(ctx, `${kind}: changing a photo`, photo),
        sent,
      ]
    })
  } finally {
    await receiver.stop(true)
    await parts.remove()
  }
}

async function administrator({ db }: Context): Promise<Actor> {
  const [user] = await db.execute<{ id: number; uuid: string }>(
    sql`select id, uuid from users where role = 'super_admin' order by id limit 1`,
  )
  const client = { ip: '127.0.0.1', userAgent: undefined, requestId: 'bench' }
  return {
    userId: user!.id,
    userUuid: user!.uuid,
    username: 'admin',
    role: 'super_admin',
    sessionId: '',
    client,
  }
}

/** With the webhook and without it in turns, write by write, on one user, because the load of the machine changes in between. */
async function cost(ctx: Context, name: string, write: () => Promise<unknown>): Promise<Row> {
  const [stored] = await ctx.db.execute<{ hooks: string }>(
    sql`select hooks::text from channels where hooks is not null`,
  )
  const timed = async (hooks: string | null) => {
    await ctx.db.execute(sql`update channels set hooks = ${hooks}::text::jsonb`)
    const startedAt = performance.now()
    await write()
    return performance.now() - startedAt
  }
  const plain: number[] = []
  const hooked: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const times = { plain: [] as number[], hooked: [] as number[] }
    for (let n = 0; n < WRITES_OF_ROUND; n++) {
      times.plain.push(await timed(null))
      times.hooked.push(await timed(stored!.hooks))
    }
    if (round === 0) continue
    plain.push(percentile(times.plain, 50))
    hooked.push(percentile(times.hooked, 50))
  }
  const ratio = ratios(hooked, plain)
  return {
    name: `webhooks, ${name} with a webhook; floor: without`,
    figure: shown(spread(hooked), 'ms'),
    floor: shown(spread(plain), 'ms'),
    ratio: shownWithSpread(ratio),
    target: '<= 1.05',
    ok: ratio.median <= 1.05,
  }
}

async function throughput(ctx: Context, kind: Kind, admin: Actor, url: string): Promise<Row> {
  await ctx.db.execute(sql`delete from webhook_deliveries`)
  for (let n = 0; n < WEBHOOKS; n++) await createWebhook(ctx, admin, { url, events: ['task.deleted'] })
  const sent: number[] = []
  const bare: number[] = []
  for (let round = 0; round < 3; round++) {
    bare.push(await requests(url))
    await ctx.db.execute(sql`
      insert into webhook_deliveries (id, webhook_id, type, event, at, next_attempt_at)
      select gen_random_uuid(), w.id, 'task.deleted', '{"task_id":"00000000-0000-7000-8000-000000000000"}', now(), now()
      from webhooks w, generate_series(1, ${DELIVERIES / WEBHOOKS})`)
    const startedAt = performance.now()
    ctx.services.webhooks.wake()
    while (Number((await ctx.db.execute<{ n: number }>(waiting))[0]!.n) > 0) await Bun.sleep(50)
    sent.push((DELIVERIES * 1000) / (performance.now() - startedAt))
  }
  return {
    name: `webhooks, ${kind}: deliveries a second; floor: bare requests`,
    figure: shown(spread(sent), '/s'),
    floor: shown(spread(bare), '/s'),
    ratio: shownWithSpread(ratios(sent, bare)),
    target: '',
    ok: undefined,
  }
}

const waiting = sql`select count(*)::int as n from webhook_deliveries where status = 'pending'`

/** Bare requests a second, each on a connection of its own, as deliveries are. */
async function requests(url: string): Promise<number> {
  const startedAt = performance.now()
  let left = DELIVERIES
  const one = async () => {
    while (left-- > 0) {
      const answer = await fetch(url, {
        method: 'POST',
        body: '{}',
        keepalive: false,
        headers: { connection: 'close' },
      })
      await answer.text()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return (DELIVERIES * 1000) / (performance.now() - startedAt)
}
