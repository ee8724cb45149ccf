/**
 * The state machine of GPU tasks against a model of it: whatever owners, nodes and timers do, in any order and with reports of old
 * attempts, states, holds, costs and events are those of the model. docs/design.md, "Tasks".
 */
import { afterAll, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import * as fc from 'fast-check'
import type { Actor } from '../../../src/core/accounts/principals.ts'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { readEvents } from '../../../src/core/channel/log.ts'
import { AppError } from '../../../src/core/errors.ts'
import { updateSystemConfig } from '../../../src/core/system/settings.ts'
import {
  type AttemptKey,
  acceptAttempt,
  CANNOT_START,
  endAttempt,
  rejectAttempt,
} from '../../../src/core/tasks/attempts.ts'
import { createTask } from '../../../src/core/tasks/create.ts'
import { ACCEPT_SECONDS, expireAssignments, expireRunning } from '../../../src/core/tasks/expiry.ts'
import { failure } from '../../../src/core/tasks/failures.ts'
import { loseAttempts } from '../../../src/core/tasks/lost-attempts.ts'
import { saveProgress, taskTopic } from '../../../src/core/tasks/progress.ts'
import { leaseTasks } from '../../../src/core/tasks/queue.ts'
import { cancelTask, deleteTask, retryTask } from '../../../src/core/tasks/tasks.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { nodes, tasks } from '../../../src/db/schema/index.ts'
import { Ages } from '../../../src/util/ages.ts'
import { actorOf } from '../../support/actors.ts'
import { makeNode, makeUser, type TestUser } from '../../support/factories.ts'
import { moneyOf } from '../../support/ledger.ts'
import { Random } from '../../support/random.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer({ NODE_HEARTBEAT_SECONDS: '60' })
afterAll(() => server.stop())
const { ctx } = server
// Its sweeps would take part in the sequences.
await ctx.services.nodeControl.close()

/** Minor units per minute. */
const PRICE = 10
const LIMIT = 3
const MAX_LOST = 3
/** Of each node. */
const SLOTS = 2
const BALANCE = 120
const TIMEOUT_SECONDS = 3600
await updateSystemConfig(ctx, SERVER, {
  taskPrices: { modelled: PRICE },
  maxConcurrentTasksPerUser: LIMIT,
  defaultTaskTimeout: TIMEOUT_SECONDS,
})
const NODES = await Promise.all(
  [1, 2].map(async () => {
    const { node } = await makeNode(server, SLOTS)
    await ctx.db
      .update(nodes)
      .set({ online: true, taskTypes: ['modelled'] })
      .where(eq(nodes.id, node.id))
    return node.id
  }),
)

/** Of which attempt a node speaks: of the task's current one, of the one before, or of one that another node has. */
type Of = 'current' | 'old' | 'other node'
type Op =
  | { do: 'create'; minutes: number; priority: number }
  | { do: 'lease'; node: number }
  | {
      do: 'accept' | 'complete' | 'fail' | 'reject' | 'cannot start' | 'progress' | 'lose'
      slot: number
      of: Of
    }
  | { do: 'cancel' | 'retry' | 'delete'; slot: number }
  /** Lets the current attempt have run for this time. */
  | { do: 'run'; slot: number; seconds: number }
  | { do: 'time out' | 'leave unanswered'; slot: number }

/** Mostly the first task, so that its sequence gets long. */
const slot = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(2))
const of = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Of>('current') },
  fc.constantFrom<Of>('old', 'other node'),
)
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    do: fc.constant('create' as const),
    minutes: fc.integer({ min: 1, max: 5 }),
    priority: fc.nat(2),
  }),
  { weight: 3, arbitrary: fc.record({ do: fc.constant('lease' as const), node: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('accept' as const), slot, of }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('complete' as const, 'fail', 'reject', 'cannot start', 'progress', 'lose', 'lose'),
      slot,
      of,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'retry', 'retry', 'delete'), slot }),
  },
  // The cost is the same for three seconds more, so that a slow machine changes nothing.
  fc.record({ do: fc.constant('run' as const), slot, seconds: fc.constantFrom(3, 57, 63, 10_000) }),
  fc.record({ do: fc.constantFrom('time out' as const, 'leave unanswered'), slot }),
)

/** What the model knows of a task. */
interface Modelled {
  id: number
  uuid: string
  minutes: number
  priority: number
  status: 'pending' | 'running' | 'completed' | 'failed' | 'cancelled'
  node: number | null
  attempt: number
  submission: number
  lost: number
  lostBy: number[]
  /** Seconds for which the current attempt has run. */
  ran: number
  held: number
  cost: number
  progress: number
}

class Model {
  readonly tasks: Modelled[] = []
  readonly events: string[] = []
  available = BALANCE

  get unfinished(): number {
    return this.tasks.filter(isUnfinished).length
  }

  emit(task: Modelled, verb: string): void {
    this.events.push(`task.${verb} ${task.uuid}`)
  }

  /** Undefined, or the error of a submission. */
  refusal(cost: number): string | undefined {
    if (this.unfinished >= LIMIT) return 'TASK_LIMIT_EXCEEDED'
    return this.available < cost ? 'INSUFFICIENT_BALANCE' : undefined
  }

  hold(task: Modelled): void {
    task.held = PRICE * task.minutes
    this.available -= task.held
  }

  settle(task: Modelled, status: 'completed' | 'failed' | 'cancelled', isCharged = true): void {
    const cost = isCharged ? Math.min(task.held, Math.ceil((PRICE * task.ran) / 60)) : 0
    this.available += task.held - cost
    Object.assign(task, { status, held: 0, cost: task.cost + cost })
    if (status === 'completed') task.progress = 100
    this.emit(task, status)
  }

  requeue(task: Modelled): void {
    Object.assign(task, { status: 'pending', node: null, ran: 0, progress: 0 })
    this.emit(task, 'requeued')
  }

  lose(task: Modelled): void {
    task.lost++
    if (!task.lostBy.includes(task.node!)) task.lostBy.push(task.node!)
    if (task.lost < MAX_LOST) this.requeue(task)
    else this.settle(task, 'failed', false)
  }

  /** The task that a node with a free slot gets. A task that a node lost waits for a node that has not lost it. */
  next(node: number): Modelled | undefined {
    const held = this.tasks.filter((task) => task.node === node && isUnfinished(task))
    if (held.length >= SLOTS) return undefined
    const waiting = this.tasks.filter(({ status, node }) => status === 'pending' && node === null)
    const fits = waiting.filter(
      ({ lostBy }) => !lostBy.includes(node) || NODES.every((other) => lostBy.includes(other)),
    )
    return fits.sort((a, b) => b.priority - a.priority || a.id - b.id)[0]
  }
}

const isUnfinished = ({ status }: Modelled) => status === 'pending' || status === 'running'

const outcomeOf = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
}

/** Does the same with the server and with the model, and compares what both say. */
async function step(model: Model, { owner, who }: World, op: Op): Promise<void> {
  if (op.do === 'create') {
    const { minutes, priority } = op
    const refusal = model.refusal(PRICE * minutes)
    const input = {
      kind: 'gpu',
      title: 't',
      taskType: 'modelled',
      estimatedMinutes: minutes,
      priority,
    } as const
    const made = await outcomeOf(() => createTask(ctx, owner.user.id, input))
    if (refusal) return expect(made).toBe(refusal)
    const { id, uuid } = made as { id: number; uuid: string }
    const fresh = {
      status: 'pending',
      node: null,
      attempt: 0,
      submission: 1,
      lost: 0,
      ran: 0,
      held: 0,
    } as const
    const task: Modelled = { ...fresh, id, uuid, minutes, priority, lostBy: [], cost: 0, progress: 0 }
    model.hold(task)
    model.tasks.push(task)
    return model.emit(task, 'created')
  }
  if (op.do === 'lease') {
    const node = NODES[op.node]!
    const task = model.next(node)
    const room = { free: 1, probing: false, refused: new Set<string>() }
    const leased = await leaseTasks(ctx, [
      { nodeId: node, socket: 0, taskTypes: new Set(['modelled']), ...room },
    ])
    expect(leased.map(({ task }) => task.id)).toEqual(task ? [task.id] : [])
    if (task) Object.assign(task, { node, attempt: task.attempt + 1 })
    return
  }
  const task = model.tasks[op.slot % Math.max(model.tasks.length, 1)]
  if (!task) return
  const held = task.node !== null && isUnfinished(task)
  switch (op.do) {
    case 'run':
      if (task.status !== 'running') return
      await age(task, { attemptStartedAt: op.seconds })
      task.ran = op.seconds
      return
    case 'time out': {
      if (task.status === 'running') {
        task.ran = TIMEOUT_SECONDS + 60
        await age(task, { attemptStartedAt: task.ran })
      }
      // Those that ran too long already fail together.
      const late = model.tasks.filter(({ status, ran }) => status === 'running' && ran > TIMEOUT_SECONDS)
      await expireRunning(ctx, new Ages())
      for (const one of late) model.settle(one, 'failed')
      return
    }
    case 'leave unanswered':
      if (!(held && task.status === 'pending')) return
      await age(task, { leasedAt: 2 * ACCEPT_SECONDS })
      await expireAssignments(ctx, new Ages(), () => ACCEPT_SECONDS)
      return model.lose(task)
    case 'cancel': {
      const outcome = await outcomeOf(() => cancelTask(ctx, who, task.id))
      if (task.status !== 'pending' && task.status !== 'running') return expect(outcome).toBe('INVALID_STATE')
      return model.settle(task, 'cancelled')
    }
    case 'retry': {
      const outcome = await outcomeOf(() => retryTask(ctx, who, task.uuid))
      const canRetry = task.status === 'failed' || task.status === 'cancelled'
      const refusal = canRetry ? model.refusal(PRICE * task.minutes) : 'INVALID_STATE'
      if (refusal) return expect(outcome).toBe(refusal)
      Object.assign(task, { submission: task.submission + 1, lost: 0 })
      model.hold(task)
      return model.requeue(task)
    }
    case 'delete': {
      const outcome = await outcomeOf(() => deleteTask(ctx, who, task.id))
      if (task.status === 'running') return expect(outcome).toBe('INVALID_STATE')
      if (task.status === 'pending') model.available += task.held
      model.tasks.splice(model.tasks.indexOf(task), 1)
      return model.emit(task, 'deleted')
    }
    default:
      return report(model, task, op)
  }
}

/** What a node says of an attempt, which may not be its own any more. */
async function report(model: Model, task: Modelled, op: Op & { of: Of }): Promise<void> {
  const isOwn = op.of === 'current' && task.node !== null
  const holder = task.node ?? NODES[0]!
  const key: AttemptKey = {
    nodeId: op.of === 'other node' ? NODES.find((node) => node !== holder)! : holder,
    taskUuid: task.uuid,
    attempt: op.of === 'old' ? task.attempt - 1 : task.attempt,
  }
  const isOpen = isOwn && isUnfinished(task)
  switch (op.do) {
    case 'accept': {
      const accepted = await acceptAttempt(ctx, key)
      expect(accepted?.status).toBe(isOpen ? 'running' : undefined)
      if (!isOpen || task.status === 'running') return
      // A moment costs as much as the first six seconds.
      Object.assign(task, { status: 'running', ran: 1, progress: 0 })
      return model.emit(task, 'started')
    }
    case 'complete':
    case 'fail': {
      const report =
        op.do === 'complete'
          ? ({ status: 'completed', result: { n: 1 } } as const)
          : ({ status: 'failed', error: 'it did not work' } as const)
      const outcome = await endAttempt(ctx, key, report)
      if (!isOwn || task.status === 'pending') return expect(outcome).toBe('stale')
      if (task.status !== 'running') return expect(outcome).toBe('repeated')
      expect(outcome).toBe('ended')
      return model.settle(task, op.do === 'complete' ? 'completed' : 'failed')
    }
    case 'reject':
    case 'cannot start': {
      const reason = op.do === 'reject' ? 'busy' : CANNOT_START
      const rejected = await rejectAttempt(ctx, key, { reason })
      expect(rejected?.id).toBe(isOpen ? task.id : undefined)
      if (!isOpen) return
      if (task.status === 'pending') task.node = null
      else if (op.do === 'reject') model.lose(task)
      else model.requeue(task)
      return
    }
    case 'progress': {
      const attempt = op.of === 'current' ? task.attempt : task.attempt - 1
      const report = { attempt, progress: 42, currentItem: '' }
      if (op.of === 'current' && task.status === 'running') {
        task.progress = report.progress
        // Shown before it is stored, as the server of the node does.
        ctx.bus.setState(taskTopic(task.uuid), report)
      }
      await saveProgress(ctx, [{ taskId: task.id, ...report }])
      return
    }
    case 'lose': {
      const attempt = op.of === 'current' ? task.attempt : task.attempt - 1
      await transaction(ctx, (tx) => loseAttempts(tx, [{ id: task.id, attempt }], failure('node_offline')))
      if (isOpen) model.lose(task)
    }
  }
}

/** Moves times of a task into the past, by seconds. */
const age = async ({ id }: Modelled, seconds: { attemptStartedAt?: number; leasedAt?: number }) => {
  const past = Object.entries(seconds).map(([column, ago]) => [
    column,
    sql`now() - make_interval(secs => ${ago})`,
  ])
  await ctx.db.update(tasks).set(Object.fromEntries(past)).where(eq(tasks.id, id))
}

interface World {
  owner: TestUser
  who: Actor
}

async function compare(model: Model, { owner }: World): Promise<void> {
  const rows = await ctx.db.select().from(tasks).where(eq(tasks.userId, owner.user.id)).orderBy(tasks.id)
  const shown = rows.map((row) => ({
    id: row.id,
    status: row.status,
    node: row.nodeId,
    attempt: row.attempt,
    submission: row.submission,
    lost: row.lostAttempts,
    held: row.heldMinor,
    cost: row.costMinor,
    progress: row.progress,
  }))
  const expected = model.tasks.map(
    ({ uuid: _, minutes: __, priority: ___, lostBy: ____, ran: _____, ...task }) => task,
  )
  expect(shown).toEqual(expected as typeof shown)
  const held = model.tasks.reduce((sum, task) => sum + task.held, 0)
  expect(await moneyOf(server, owner.user.id)).toEqual({ balance: model.available + held, held })
  const events = (await readEvents(ctx, owner.user.id, 0, 1000)).filter(({ type }) =>
    type.startsWith('task.'),
  )
  expect(events.map(({ type, data }) => `${type} ${JSON.parse(data).task_id}`)).toEqual(model.events)
}

test('tasks, holds, costs and events are those of the model', async () => {
  const { seed } = Random.announced('tasks')
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 25, maxLength: 50 }), async (ops) => {
      const owner = await makeUser(server, { balanceMinor: BALANCE })
      const world = { owner, who: actorOf(owner) }
      const model = new Model()
      try {
        for (const op of ops) {
          await step(model, world, op)
          await compare(model, world)
        }
      } finally {
        // No task of this owner waits in the queue of the next one.
        await ctx.db.delete(tasks).where(eq(tasks.userId, owner.user.id))
      }
    }),
    { seed, numRuns: 8, endOnFailure: true },
  )
})
