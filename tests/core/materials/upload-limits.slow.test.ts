/** Many uploads of one user at once: constant work for each, a limit on their number, and no effect on other users. */
import { afterAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import type { Context } from '../../../src/core/context.ts'
import { IncomingUploads } from '../../../src/core/files/incoming.ts'
import { uploadMaterial } from '../../../src/core/materials/receive.ts'
import { beginUpload } from '../../../src/core/materials/upload-steps.ts'
import { materials } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { makeUser } from '../../support/factories.ts'
import { form, mp4, type SlowUpload, slowUpload, upload } from '../../support/files.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
const LIMIT = ctx.config.uploadsPerUser
const format = { type: 'video', extension: 'mp4', maxBytes: 1e9 } as const

const sendFile = (token: string, name = 'same.mp4') =>
  upload(server, token, form(['title', 't'], ['file', mp4(), name]))
async function expectRefused(answer: Response): Promise<void> {
  const { error } = (await answer.json()) as { error: { code: string } }
  expect([answer.status, error.code]).toEqual([429, 'RATE_LIMIT_EXCEEDED'])
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
}

/**
 * The context, with a look at all its transactions, of which the text is empty, and at all its prepared statements outside
 * of transactions.
 */
function watched(look: (text: string, end: Promise<unknown>) => void): Context {
  const session = Reflect.get(ctx.db, 'session')
  const unsafe = (text: string, ...rest: unknown[]) => {
    const query = session.client.unsafe(text, ...rest)
    look(text, query)
    return query
  }
  const db = new Proxy(ctx.db, {
    get(target, name) {
      if (name === 'session') return Object.assign(Object.create(session), { client: { unsafe } })
      if (name !== 'transaction') return Reflect.get(target, name)
      return (work: Parameters<Context['db']['transaction']>[0]) => {
        const end = target.transaction(work)
        look('', end)
        return end
      }
    },
  })
  return { ...ctx, db }
}

test('one more upload than the limit is refused at once, others are not, and room that is made is used', async () => {
  const [busy, other] = [await makeUser(server), await makeUser(server)]
  // One upload more than the limit; some have sent no byte of their file.
  const opened = Array.from({ length: LIMIT + 1 }, (_, i): SlowUpload => {
    const one = slowUpload(server, busy.token, 2048)
    if (i % 2) one.send(mp4(1024))
    return one
  })
  const refused = await Promise.any(opened.map(async (one) => ({ one, answer: await one.answer })))
  expect(refused.answer).toEqual({ status: 429, code: 'RATE_LIMIT_EXCEEDED' })
  const slow = opened.filter((one) => one !== refused.one)
  await expectRefused(await sendFile(busy.token))
  expect((await sendFile(other.token)).status).toBe(201)

  slow.pop()!.cut()
  await eventually(async () => (await sendFile(busy.token)).status === 201, 'the place is free again')
  for (const one of slow.splice(0)) one.cut()
  await eventually(async () => {
    const answers = await Promise.all(Array.from({ length: LIMIT }, () => sendFile(busy.token)))
    return answers.every(({ status }) => status === 201)
  }, 'every place is free again')
})

test('what comes in on other servers counts, unless its server is lost', async () => {
  const { user, token } = await makeUser(server)
  const elsewhere = (n: number, secondsAgo: number) => ({
    userId: user.id,
    title: 't',
    type: 'video' as const,
    fileFormat: 'mp4' as const,
    filePath: `materials/${user.id}/elsewhere_${n}_${secondsAgo}.mp4`,
    status: 'processing' as const,
    updatedAt: sql`now() - make_interval(secs => ${secondsAgo})`,
  })
  const rows = Array.from({ length: LIMIT }, (_, n) => elsewhere(n, 20))
  await ctx.db.insert(materials).values(rows.map((row, n) => ({ ...row, ...elsewhere(n, 600) })))
  expect((await sendFile(token)).status).toBe(201)
  await ctx.db.insert(materials).values(rows.slice(1))
  expect((await sendFile(token)).status).toBe(201)
  await ctx.db.insert(materials).values(rows.slice(0, 1))
  await expectRefused(await sendFile(token))
})

test('two servers do not both give the last place away', async () => {
  const { user } = await makeUser(server)
  const servers = [
    ctx,
    { ...ctx, services: { ...ctx.services, uploads: new IncomingUploads(ctx.bus, LIMIT) } },
  ]
  const begins = await Promise.allSettled(
    Array.from({ length: LIMIT * 3 }, (_, i) =>
      beginUpload(servers[i % 2]!, user.id, { format, name: 'a.mp4', title: '' }),
    ),
  )
  expect(begins.filter(({ status }) => status === 'fulfilled')).toHaveLength(LIMIT)
  for (const begin of begins)
    if (begin.status === 'rejected') expect(begin.reason).toMatchObject({ code: 'TOO_MANY_UPLOADS' })
})

test('the name that the fortieth upload of a second gets costs what the second one costs', async () => {
  const { user } = await makeUser(server)
  let inserts = 0
  const counted: Context = {
    ...watched((text) => {
      if (text.includes('insert into materials')) inserts++
    }),
    config: { ...ctx.config, uploadsPerUser: 1000 },
  }
  const at = new Date('2026-03-01T08:30:00Z')
  const paths = new Set<string>()
  const costs: number[] = []
  for (let i = 0; i < 40; i++) {
    inserts = 0
    paths.add((await beginUpload(counted, user.id, { format, name: 'same.mp4', title: '' }, at)).filePath)
    costs.push(inserts)
  }
  expect(paths.size).toBe(40)
  expect([...paths][0]).toBe(`materials/${user.id}/20260301_083000_same.mp4`)
  for (const path of paths)
    expect(path).toMatch(/^materials\/\d+\/20260301_083000_same(_[0-9a-f]{10})?\.mp4$/)
  expect(costs[0]).toBe(1)
  expect(costs.slice(1)).toEqual(Array.from({ length: 39 }, () => 2))
})

test('the uploads of one user take one connection to the database at a time', async () => {
  let [now, most] = [0, 0]
  const slow = watched((_, end) => {
    most = Math.max(most, ++now)
    end.finally(() => now--).catch(() => {})
  })
  const details = { title: 't', description: '' }
  const upload = (userId: number) =>
    uploadMaterial(slow, userId, {
      total: null,
      async read(take) {
        await take({ name: 'a.mp4', details, body: new Response(mp4()).body! })
        return details
      },
    })
  const [one, two] = [await makeUser(server), await makeUser(server)]
  await Promise.all(Array.from({ length: LIMIT }, () => upload(one.user.id)))
  expect(most).toBe(1)
  // A failure ends only its own turn.
  const full = Array.from({ length: LIMIT + 5 }, () =>
    beginUpload(slow, one.user.id, { format, name: 'a.mp4', title: '' }),
  )
  expect((await Promise.allSettled(full)).filter(({ status }) => status === 'rejected')).toHaveLength(5)
  await upload(two.user.id)
})

test('hundreds at once: each is taken or told to wait, and the requests of others are answered meanwhile', async () => {
  const [busy, other] = [await makeUser(server), await makeUser(server)]
  const statuses = new Map<number, number>()
  let running = true
  const storm = Promise.all(
    Array.from({ length: 400 }, async () => {
      const answer = await sendFile(busy.token)
      await answer.arrayBuffer()
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    }),
  ).finally(() => {
    running = false
  })
  let answered = 0
  let slowest = 0
  while (running) {
    const start = performance.now()
    const me = await api(server, 'GET', '/api/v1/materials', { token: other.token })
    expect(me.status).toBe(200)
    const own = await sendFile(other.token, 'mine.mp4')
    expect(own.status).toBe(201)
    slowest = Math.max(slowest, performance.now() - start)
    answered++
  }
  await storm
  console.log(
    `400 uploads: ${JSON.stringify([...statuses])}; others: ${answered} times, ${slowest.toFixed(0)} ms`,
  )
  expect([...statuses.keys()].sort()).toEqual([201, 429])
  expect(statuses.get(201)).toBeGreaterThanOrEqual(LIMIT)
  expect(answered).toBeGreaterThan(0)
}, 60_000)
