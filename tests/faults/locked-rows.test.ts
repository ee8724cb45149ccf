/**
 * Protects all other work from one locked row: a server that vanished in the middle of a transaction, or a person with a
 * database client, holds the lock. Sweeps skip that row, take it later, and handle the other rows.
 */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { and, eq, inArray, sql } from 'drizzle-orm'
import postgres from 'postgres'
import { createItem } from '../../src/core/agenda/items.ts'
import { sendReminders } from '../../src/core/agenda/reminders.ts'
import { SERVER } from '../../src/core/audit/audit.ts'
import { cleanUp } from '../../src/core/materials/cleanup.ts'
import { deleteNode } from '../../src/core/nodes/nodes.ts'
import { expireAssignments, expireRunning } from '../../src/core/tasks/expiry.ts'
import {
  agentRuns,
  agentSessions,
  events,
  materials,
  nodes,
  sessions,
  tasks,
} from '../../src/db/schema/index.ts'
import { Ages } from '../../src/util/ages.ts'
import { makeNode, makeTask, makeUser, type TestUser } from '../support/factories.ts'
import { NO_POSTGRES, PostgresCluster, postgresBinaries } from '../support/postgres.ts'
import { eventually } from '../support/process.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { heartbeat, openNode } from '../support/sockets.ts'

if (!postgresBinaries) console.log(`skipped: rows that somebody holds: ${NO_POSTGRES}`)

let cluster: PostgresCluster
let url: string
let server: TestServer
beforeAll(async () => {
  if (!postgresBinaries) return
  cluster = await PostgresCluster.start()
  url = await cluster.createDatabase()
  server = await startServer({ DATABASE_URL: url, NODE_HEARTBEAT_SECONDS: '1' })
})
afterAll(async () => {
  await server?.stop()
  await cluster?.[Symbol.asyncDispose]()
})

/** Locks the rows of the query on a connection of its own, until it is disposed of. */
async function hold(query: string): Promise<AsyncDisposable> {
  const client = postgres(url, { max: 1, onnotice: () => {} })
  const released = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const transaction = client.begin(async (tx) => {
    const rows = await tx.unsafe(query)
    if (rows.length === 0) throw new Error(`nothing to hold: ${query}`)
    held.resolve()
    await released.promise
  })
  transaction.catch(held.reject)
  await held.promise
  return {
    async [Symbol.asyncDispose]() {
      released.resolve()
      await transaction
      await client.end()
    },
  }
}

const holdTask = (id: number) => hold(`select 1 from tasks where id = ${id} for update`)
/** Every event for this user needs this row. */
const holdChannel = async ({ user }: TestUser) => {
  await server.ctx.db.execute(
    sql`insert into channels (user_id, last_seq) values (${user.id}, 0) on conflict do nothing`,
  )
  return hold(`select 1 from channels where user_id = ${user.id} for update`)
}

const stored = async (id: number) => (await server.ctx.db.select().from(tasks).where(eq(tasks.id, id)))[0]!

async function node(stack: AsyncDisposableStack, slots = 4) {
  const made = await makeNode(server, slots)
  const socket = await openNode(server, made.token)
  const beat = setInterval(() => socket.closed || socket.send(heartbeat()), 400)
  stack.defer(() => {
    clearInterval(beat)
    socket.close()
  })
  /** Gives this node a task of its own kind, and runs it. */
  const run = async (owner: TestUser) => {
    const task = await makeTask(server, owner)
    const { attempt } = await socket.next('assign', ({ task_id }) => task_id === task.uuid)
    const key = { task_id: task.uuid, attempt }
    socket.send({ type: 'accept', ...key })
    await eventually(async () => (await stored(task.id)).status === 'running', 'the task runs')
    return { id: task.id, key }
  }
  const fallSilent = () => {
    clearInterval(beat)
    socket.close()
  }
  return { node: made.node, socket, run, fallSilent }
}

describe.skipIf(!postgresBinaries)('a row that somebody holds', () => {
  test('progress and log lines of other tasks are stored; those of the held one follow, in order', async () => {
    await using stack = new AsyncDisposableStack()
    const { socket, run } = await node(stack)
    const owner = await makeUser(server)
    const [held, free] = [await run(owner), await run(owner)]
    const logged = async (id: number) => {
      const rows = await server.ctx.db.execute<{ message: string }>(
        sql`select message from task_logs where task_id = ${id} and level = 'INFO' order by id`,
      )
      return rows.map(({ message }) => message)
    }
    const speak = (key: object, progress: number) => {
      socket.send({ type: 'progress', ...key, progress })
      socket.send({ type: 'log', ...key, level: 'INFO', message: `at ${progress}` })
    }
    {
      await using _ = await holdTask(held.id)
      for (let progress = 10; progress <= 50; progress += 10) {
        speak(held.key, progress)
        speak(free.key, progress)
        await eventually(
          async () =>
            (await stored(free.id)).progress === progress && (await logged(free.id)).length === progress / 10,
          'what the other task says is stored',
          8000,
        )
      }
      expect((await stored(held.id)).progress).toBe(0)
    }
    await eventually(async () => (await stored(held.id)).progress === 50, 'the progress that was held up')
    await eventually(async () => (await logged(held.id)).length === 5, 'the lines that were held up')
    expect(await logged(held.id)).toEqual(['at 10', 'at 20', 'at 30', 'at 40', 'at 50'])
  }, 60_000)

  test('nodes that fall silent lose their tasks, but for the one that is held', async () => {
    await using stack = new AsyncDisposableStack()
    const owner = await makeUser(server)
    const first = await node(stack)
    const [held, beside] = [await first.run(owner), await first.run(owner)]
    // Now this node has more free places.
    const second = await node(stack, 20)
    const other = await second.run(owner)
    {
      await using _ = await holdTask(held.id)
      first.fallSilent()
      second.fallSilent()
      const lost = async (id: number) => (await stored(id)).status === 'pending'
      await eventually(async () => (await lost(beside.id)) && (await lost(other.id)), 'the others are lost')
      expect((await stored(held.id)).status).toBe('running')
    }
    await eventually(async () => (await stored(held.id)).status === 'pending', 'the held one follows')
  }, 60_000)

  test('a node whose row is held costs no other node its heartbeats', async () => {
    await using stack = new AsyncDisposableStack()
    const [one, other] = [await node(stack), await node(stack)]
    await using _ = await hold(`select 1 from nodes where id = ${one.node.id} for update`)
    const heard = async () => {
      const [row] = await server.ctx.db.execute<{ at: string }>(
        sql`select last_heartbeat_at::text as at from nodes where id = ${other.node.id}`,
      )
      return row!.at
    }
    for (let n = 0; n < 4; n++) {
      const before = await heard()
      await eventually(
        async () => (await heard()) !== before,
        'a heartbeat of the other node is stored',
        5000,
      )
    }
  }, 60_000)

  test('overdue tasks and unanswered assignments of others are ended', async () => {
    const { ctx } = server
    const { node: absent } = await makeNode(server)
    // Nothing else would take these tasks from the node.
    await ctx.db
      .update(nodes)
      .set({ online: true, lastHeartbeatAt: new Date(Date.now() + 3_600_000) })
      .where(eq(nodes.id, absent.id))
    const owners = await Promise.all([makeUser(server), makeUser(server), makeUser(server)])
    const own = await Promise.all(
      owners.map(async (owner) => ({
        long: (await makeTask(server, owner, { taskType: 'test' })).id,
        unanswered: (await makeTask(server, owner, { taskType: 'test' })).id,
      })),
    )
    const past = sql`now() - interval '30 days'`
    const set = (ids: number[], change: object) =>
      ctx.db
        .update(tasks)
        .set({ nodeId: absent.id, attempt: 1, leasedAt: past as never, ...change })
        .where(inArray(tasks.id, ids))
    {
      await using _ = await holdChannel(owners[0]!)
      await set(
        own.map(({ long }) => long),
        { status: 'running', attemptStartedAt: past },
      )
      await set(
        own.map(({ unanswered }) => unanswered),
        {},
      )
      const start = performance.now()
      await expireRunning(ctx, new Ages())
      await expireAssignments(ctx, new Ages(), () => 10)
      // If a sweep waited for the locked row, each of them would need the time limit of a statement.
      expect(performance.now() - start).toBeLessThan(9000)
      for (const { long, unanswered } of own.slice(1)) {
        expect((await stored(long)).status).toBe('failed')
        expect((await stored(unanswered)).nodeId).not.toBe(absent.id)
      }
      expect((await stored(own[0]!.long)).status).toBe('running')
    }
    await expireRunning(ctx, new Ages())
    expect((await stored(own[0]!.long)).status).toBe('failed')
  }, 60_000)

  test('reminders of others are sent', async () => {
    const { ctx } = server
    const people = await Promise.all([makeUser(server), makeUser(server), makeUser(server)])
    for (const { user } of people) {
      await createItem(
        ctx,
        user.id,
        { title: 't', startAt: '2090-03-01T09:00:00Z', reminderMinutes: 15 },
        'manual',
      )
    }
    const now = new Date('2090-03-01T08:50:00Z')
    const told = async ({ user }: TestUser) =>
      ctx.db.$count(events, and(eq(events.userId, user.id), eq(events.type, 'schedule.reminder')))
    {
      await using _ = await holdChannel(people[1]!)
      expect(await sendReminders(ctx, now)).toBe(2)
      expect(await Promise.all(people.map(told))).toEqual([1, 0, 1])
    }
    expect(await sendReminders(ctx, now)).toBe(1)
    expect(await Promise.all(people.map(told))).toEqual([1, 1, 1])
  }, 60_000)

  test('what is forgotten, and what is cleaned up', async () => {
    const { ctx } = server
    const { user } = await makeUser(server)
    const old = await Promise.all(
      [1, 2, 3].map(async () => {
        const id = crypto.randomUUID()
        await ctx.db.execute(sql`
          insert into sessions (id, user_id, expires_at) values (${id}, ${user.id}, now() - interval '3 days')`)
        return id
      }),
    )
    const kept = () => ctx.db.$count(sessions, inArray(sessions.id, old))
    {
      await using _ = await hold(`select 1 from sessions where id = '${old[1]}' for update`)
      await ctx.scheduler.runNow('trim_sessions')
      expect(await kept()).toBe(1)
    }
    await ctx.scheduler.runNow('trim_sessions')
    expect(await kept()).toBe(0)

    const uploads = await Promise.all(
      [1, 2, 3].map(async (n) => {
        const [row] = await ctx.db
          .insert(materials)
          .values({
            userId: user.id,
            title: `t${n}`,
            type: 'pdf',
            status: 'processing',
            fileSize: 1,
            fileFormat: 'pdf',
            filePath: `materials/${user.id}/${crypto.randomUUID()}.pdf`,
            updatedAt: new Date(Date.now() - 86_400_000),
          })
          .returning()
        return row!.id
      }),
    )
    const left = () => ctx.db.$count(materials, inArray(materials.id, uploads))
    const clean = () => cleanUp(ctx, { processing: true, orphans: false, maxAgeMinutes: 60 })
    {
      await using _ = await hold(`select 1 from materials where id = ${uploads[0]} for update`)
      expect((await clean()).errors).toEqual([])
      expect(await left()).toBe(1)
    }
    await clean()
    expect(await left()).toBe(0)
  }, 60_000)

  test('runs of the agent whose server is gone are ended', async () => {
    const { ctx } = server
    const { agentRuns: runs } = ctx.services
    const people = await Promise.all([makeUser(server), makeUser(server)])
    const dead = await Promise.all(
      people.map(async ({ user }) => {
        const [sessionId, id] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
        await ctx.db.insert(agentSessions).values({ id: sessionId, userId: user.id, title: 't' })
        await ctx.db
          .insert(agentRuns)
          .values({ id, sessionId, status: 'running', firstSeq: 1, language: 'en' })
        return id
      }),
    )
    const status = async (id: string) =>
      (await ctx.db.select().from(agentRuns).where(eq(agentRuns.id, id)))[0]!.status
    await using _ = await hold(`select 1 from agent_runs where id = '${dead[0]}' for update`)
    await ctx.db
      .update(agentRuns)
      .set({ heartbeatAt: sql`now() - interval '1 hour'` })
      .where(eq(agentRuns.id, dead[1]!))
    await runs.sweep({ all: true })
    expect(await status(dead[1]!)).toBe('failed')
    expect(await status(dead[0]!)).toBe('running')
  }, 60_000)

  test('a node that is removed while a server leases it a task keeps no task', async () => {
    const { node } = await makeNode(server)
    const task = await makeTask(server, await makeUser(server))
    let removed: Promise<void>
    {
      // As `leaseTasks` does it, before its commit.
      await using _ = await hold(`
        update tasks set node_id = n.id, attempt = attempt + 1, leased_at = now()
        from (select id from nodes where id = ${node.id} for key share) n where tasks.id = ${task.id} returning 1`)
      removed = deleteNode(server.ctx, SERVER, node.uuid)
      await eventually(async () => {
        const [waits] = await server.ctx.db.execute<{ n: number }>(
          sql`select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        )
        return waits!.n > 0
      }, 'the removal waits')
    }
    await removed
    expect(await stored(task.id)).toMatchObject({ status: 'pending', nodeId: null, lostAttempts: 1 })
  })
})
