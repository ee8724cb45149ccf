/**
 * The life of study tasks against a model of it: whatever their owner does, and however they move between servers, states,
 * attempts, events, places and the learner's progress are those of the model. docs/contracts/study.md, "Study tasks".
 */
import { afterAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import * as fc from 'fast-check'
import { readEvents } from '../../../src/core/channel/log.ts'
import { progressOf } from '../../../src/core/courses/progress.ts'
import { AppError } from '../../../src/core/errors.ts'
import { pauseTask, resumeTask, startTask } from '../../../src/core/study/study.ts'
import { createTask } from '../../../src/core/tasks/create.ts'
import { studyHint } from '../../../src/core/tasks/hints.ts'
import { cancelTask, deleteTask, listTasks, retryTask } from '../../../src/core/tasks/tasks.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { studySettings } from '../../../src/db/schema/index.ts'
import { actorOf } from '../../support/actors.ts'
import { makeCourse } from '../../support/courses.ts'
import { makeUser } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import { Random } from '../../support/random.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
const editor = await makeUser(server, { role: 'editor' })

/** So slow that the time of the test itself moves a task by little. */
const SPEED = 0.1
/** Seconds of items that a sequence may take by itself. */
const TOLERANCE = 5
const ITEM = 100
const ITEMS = 2

type Verb = 'start' | 'pause' | 'resume' | 'cancel' | 'retry' | 'delete'
type Op =
  | { do: 'create' }
  | { do: Verb; slot: number }
  /** Another server has played the task for this time, and leaves it. */
  | { do: 'play elsewhere'; slot: number; seconds: number }

const slot = fc.nat(1)
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ do: fc.constant('create' as const) }),
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom<Verb>('start', 'start', 'pause', 'resume', 'resume', 'cancel', 'retry', 'delete'),
      slot,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('play elsewhere' as const),
      slot,
      seconds: fc.constantFrom(10, 60, 150),
    }),
  },
)

interface Modelled {
  id: number
  status: 'pending' | 'running' | 'paused' | 'completed' | 'cancelled'
  attempt: number
  /** Where the learner was in each item when the task was started, and from then on where the task is. */
  at: number[]
  index: number
}

class Model {
  readonly tasks: Modelled[] = []
  readonly events: string[] = []
  /** Seconds of each item that are recorded. */
  readonly learned: number[] = Array(ITEMS).fill(0)

  emit(task: Modelled, verb: string): void {
    this.events.push(`task.${verb} ${task.id} ${task.attempt}`)
  }

  record({ at, index }: Modelled): void {
    if (index < ITEMS) this.learned[index] = Math.max(this.learned[index]!, at[index]!)
  }

  start(task: Modelled): void {
    Object.assign(task, { status: 'running', attempt: task.attempt + 1, at: [...this.learned], index: 0 })
    this.emit(task, 'started')
    this.skipFinished(task)
  }

  play(task: Modelled, seconds: number): void {
    task.attempt += 2
    task.at[task.index] = Math.min(task.at[task.index]! + seconds, ITEM)
    if (task.at[task.index]! < ITEM) return
    this.record(task)
    this.skipFinished(task)
  }

  private skipFinished(task: Modelled): void {
    while (task.index < ITEMS && task.at[task.index]! >= ITEM) task.index++
    if (task.index < ITEMS) return
    task.status = 'completed'
    this.emit(task, 'completed')
  }
}

interface World {
  model: Model
  who: ReturnType<typeof actorOf>
  courseId: string
}

const FROM: Record<Verb, Modelled['status'][]> = {
  start: ['pending'],
  pause: ['running'],
  resume: ['paused'],
  cancel: ['pending', 'running', 'paused'],
  retry: ['cancelled'],
  delete: ['pending', 'completed', 'cancelled'],
}
const CALLS = {
  start: startTask,
  pause: pauseTask,
  resume: resumeTask,
  cancel: cancelTask,
  retry: retryTask,
  delete: deleteTask,
}

/** Does the same with the server and with the model. */
async function step({ model, who, courseId }: World, op: Op): Promise<void> {
  if (op.do === 'create') {
    if (model.tasks.length === 2) return
    const { id } = await createTask(ctx, who.userId, { kind: 'study', title: 't', courseIds: [courseId] })
    const task: Modelled = { id, status: 'pending', attempt: 0, at: Array(ITEMS).fill(0), index: 0 }
    model.tasks.push(task)
    return model.emit(task, 'created')
  }
  const task = model.tasks[op.slot % Math.max(model.tasks.length, 1)]
  if (!task) return
  if (op.do === 'play elsewhere') {
    if (task.status !== 'running') return
    await playElsewhere(task.id, op.seconds)
    return model.play(task, op.seconds)
  }
  const outcome = await CALLS[op.do](ctx, who, task.id).catch((error) => {
    if (error instanceof AppError) return error.code
    throw error
  })
  if (!FROM[op.do].includes(task.status)) return expect(outcome).toBe('INVALID_STATE')
  expect(outcome).toBeObject()
  switch (op.do) {
    case 'start':
      return model.start(task)
    case 'pause':
      model.record(task)
      task.status = 'paused'
      return model.emit(task, 'paused')
    case 'resume':
      task.status = 'running'
      task.attempt++
      return model.emit(task, 'resumed')
    case 'cancel':
      if (task.status === 'running') model.record(task)
      task.status = 'cancelled'
      return model.emit(task, 'cancelled')
    case 'retry':
      task.status = 'pending'
      task.at.fill(0)
      return model.emit(task, 'requeued')
    case 'delete':
      model.tasks.splice(model.tasks.indexOf(task), 1)
      return model.emit(task, 'deleted')
  }
}

async function playElsewhere(taskId: number, seconds: number): Promise<void> {
  // The first item that is played must be the current one, and not one that waits for the answer of the provider.
  await eventually(async () => {
    const [run] = await ctx.db.execute(
      sql`select phase from study_runs where task_id = ${taskId} and phase = 'playing'`,
    )
    return run !== undefined
  }, 'the task plays')
  await transaction(ctx, async (tx) => {
    await tx.db.execute(sql`update tasks set attempt = attempt + 1 where id = ${taskId}`)
    await tx.db.execute(sql`update study_runs set runner_id = null, revision = revision + 1,
      item_position = least(item_position + ${seconds}, item_duration) where task_id = ${taskId}`)
    tx.afterCommit(() => tx.bus.publish(studyHint, { type: 'free' }))
  })
}

/** The server comes to the same, some ms later when it has to store the next item. */
async function compare({ model, who, courseId }: World): Promise<void> {
  const shown = async () => {
    const filter = { page: 1, pageSize: 10, sortBy: 'createdAt', sortOrder: 'asc' } as const
    const { tasks } = await listTasks(ctx, who.userId, filter)
    return tasks.map(({ id, status, attempt }) => ({ id, status, attempt }))
  }
  const expected = model.tasks.map(({ id, status, attempt }) => ({ id, status, attempt }))
  const learned = model.learned.toSorted((a, b) => a - b)
  const positions = await eventually(
    async () => {
      const recorded = await progressOf(ctx, who.userId, [courseId])
      const positions = [...recorded.map(({ position }) => position), ...Array(ITEMS).fill(0)]
        .slice(0, ITEMS)
        .sort((a, b) => a - b)
      const isSettled = Bun.deepEquals(await shown(), expected)
      return isSettled && positions.every((position, i) => position >= learned[i]!) && positions
    },
    () => `the tasks are ${JSON.stringify(expected)}, and ${learned} are recorded`,
    10_000,
  )
  const events = await readEvents(ctx, who.userId, 0, 500)
  const told = events.map(({ type, data }) => {
    const { id, attempt } = JSON.parse(data)
    return `${type} ${id} ${attempt}`
  })
  expect(told).toEqual(model.events)
  for (const [i, position] of positions.entries()) {
    expect(position).toBeLessThan(learned[i]! + TOLERANCE)
  }
}

test('random sequences', async () => {
  const { seed } = Random.announced('study tasks')
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 4, maxLength: 10 }), async (ops) => {
      const owner = await makeUser(server)
      await ctx.db.insert(studySettings).values({ userId: owner.user.id, speed: SPEED })
      const items = Array.from({ length: ITEMS }, () => ({ durationSeconds: ITEM }))
      const { courseId } = await makeCourse(server, editor, items)
      const world = { model: new Model(), who: actorOf(owner), courseId }
      await step(world, { do: 'create' })
      await step(world, { do: 'start', slot: 0 })
      for (const op of ops) {
        await step(world, op)
        await compare(world)
      }
      for (const { id, status } of world.model.tasks)
        if (FROM.cancel.includes(status)) await cancelTask(ctx, world.who, id)
    }),
    { numRuns: 6, seed },
  )
})
