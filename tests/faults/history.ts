/** The rows in the database at the end, and checks of the channel logs and of the readers against them. */
import { asc, eq } from 'drizzle-orm'
import { openDatabase } from '../../src/db/client.ts'
import {
  channels,
  ledgerAccounts,
  ledgerEntries,
  ledgerTransfers,
  tasks,
  users,
} from '../../src/db/schema/index.ts'
import { eventFrame } from '../../src/live/user/channel.ts'
import { createLogger } from '../../src/util/logger.ts'
import type { Reader } from './reader.ts'

export interface LoggedEvent {
  userId: number
  seq: number
  type: string
  at: string
  /** JSON text, as it was written. */
  data: string
}

/** An entry with its transfer. `change` is the amount with its sign. */
type Booked = typeof ledgerEntries.$inferSelect &
  Pick<typeof ledgerTransfers.$inferSelect, 'kind' | 'reference'> & { change: number }

export interface History {
  epoch: string
  /** By user id, in order. */
  logs: Map<number, LoggedEvent[]>
  heads: Map<number, number>
  tasks: (typeof tasks.$inferSelect)[]
  users: (typeof users.$inferSelect)[]
  accounts: (typeof ledgerAccounts.$inferSelect)[]
  ledger: Booked[]
}

/** Reads everything. No server may use an embedded database at that moment. */
export async function readHistory(from: {
  dataDir: string
  databaseUrl?: string | undefined
}): Promise<History> {
  const { dataDir, databaseUrl } = from
  const database = await openDatabase({ dataDir, databaseUrl }, createLogger('silent'))
  try {
    const { db, epoch } = database
    const logs = new Map<number, LoggedEvent[]>()
    const rows = await db.execute<{ user_id: number; seq: string; type: string; at: string; data: string }>(
      `select user_id, seq, type, data::text as data,
         to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at from events order by user_id, seq`,
    )
    for (const { user_id: userId, seq, ...row } of rows) {
      logs.set(userId, [...(logs.get(userId) ?? []), { userId, seq: Number(seq), ...row }])
    }
    return {
      epoch,
      logs,
      heads: new Map((await db.select().from(channels)).map((row) => [row.userId, row.lastSeq])),
      tasks: await db.select().from(tasks).orderBy(asc(tasks.id)),
      users: await db.select().from(users),
      accounts: await db.select().from(ledgerAccounts),
      ledger: (
        await db
          .select()
          .from(ledgerEntries)
          .innerJoin(ledgerTransfers, eq(ledgerTransfers.id, ledgerEntries.transferId))
      ).map(({ ledger_entries: entry, ledger_transfers: { kind, reference } }) => ({
        ...entry,
        kind,
        reference,
        change: entry.side === 'credit' ? entry.amountMinor : -entry.amountMinor,
      })),
    }
  } finally {
    await database.close()
  }
}

const list = (items: Iterable<unknown>) => [...items].slice(0, 20).join(', ')

/** The differences between a reader's events and the log since `from`, order included. */
export function readerProblems(reader: Reader, history: History, from = 0): string[] {
  const log = (history.logs.get(reader.account.id) ?? []).filter(({ seq }) => seq > from)
  const problems = reader.problems.map((problem) => `${reader.name}: ${problem}`)
  const got = new Map<number, string>()
  for (const { seq, text } of reader.events) {
    if (got.has(seq)) problems.push(`${reader.name}: got ${seq} twice`)
    got.set(seq, text)
  }
  const lost = log.filter(({ seq }) => !got.has(seq)).map(({ seq, type }) => `${seq} ${type}`)
  if (lost.length > 0) problems.push(`${reader.name}: lost ${lost.length}: ${list(lost)}`)
  const known = new Map(log.map((event) => [event.seq, eventFrame(history.epoch, event)]))
  for (const [seq, text] of got) {
    if (known.get(seq) !== text) {
      problems.push(
        `${reader.name}: ${seq} came as ${text.slice(0, 300)}, the log has ${known.get(seq)?.slice(0, 300)}`,
      )
    }
  }
  const order = reader.events.map(({ seq }) => seq)
  const disorder = order.filter((seq, i) => i > 0 && seq <= order[i - 1]!)
  if (disorder.length > 0) problems.push(`${reader.name}: out of order: ${list(disorder)}`)
  return problems
}

/** A log without gaps that ends at its head. */
export function gapProblems(history: History): string[] {
  const problems: string[] = []
  for (const [userId, log] of history.logs) {
    const gaps = log.filter(({ seq }, i) => seq !== i + 1).map(({ seq }) => seq)
    if (gaps.length > 0) problems.push(`user ${userId}: the log has gaps before ${list(gaps)}`)
    const head = history.heads.get(userId)
    if (head !== log.length) problems.push(`user ${userId}: ${log.length} events, but the head is ${head}`)
  }
  return problems
}

const ENDED = ['completed', 'failed', 'cancelled']

/**
 * Walks each task's events through the state machine: one `created`, every `started` a newer attempt, one ending per
 * life, and a new life only by a retry. `unplaceable` tells of a task that waits. The stored task has the state of the last event.
 */
export function lifeProblems(history: History): string[] {
  const problems: string[] = []
  const lives = new Map<string, { status: string; attempt: number; story: string[] }>()
  for (const { userId, seq, type, data } of [...history.logs.values()].flat()) {
    if (!type.startsWith('task.')) continue
    const { task_id, attempt, reason } = JSON.parse(data)
    const step = type.slice('task.'.length)
    const life = lives.get(task_id) ?? { status: 'none', attempt: 0, story: [] }
    lives.set(task_id, life)
    life.story.push(`${seq} ${step}${step === 'requeued' ? ` (${reason})` : ''} ${attempt}`)
    const bad = (why: string) =>
      problems.push(`user ${userId}, task ${task_id}, event ${seq}: ${why}; ${life.story.join(', ')}`)
    if (step === 'created' && life.status !== 'none') bad('created twice')
    if (step !== 'created' && life.status === 'none') bad('not created yet')
    if (step === 'started') {
      if (life.status !== 'pending') bad(`started while ${life.status}`)
      if (attempt <= life.attempt) bad('started with an old attempt')
      life.attempt = attempt
    }
    if (step === 'unplaceable') {
      if (life.status !== 'pending') bad(`unplaceable while ${life.status}`)
      continue
    }
    if (step === 'requeued') {
      const retried = reason === 'retry'
      if (retried !== ENDED.includes(life.status) || life.status === 'completed')
        bad(`requeued from ${life.status}`)
    }
    if (ENDED.includes(step) && ENDED.includes(life.status)) bad(`ended again after ${life.status}`)
    if (step === 'completed' && life.status !== 'running') bad(`completed while ${life.status}`)
    if (step === 'completed' && attempt !== life.attempt) bad('completed by another attempt than it runs')
    life.status = { created: 'pending', requeued: 'pending', started: 'running' }[step] ?? step
  }
  for (const task of history.tasks) {
    const life = lives.get(task.uuid)
    if (life?.status !== task.status) {
      problems.push(
        `task ${task.uuid} is ${task.status}, its log says ${life?.story.join(', ') ?? 'nothing'}`,
      )
    }
    lives.delete(task.uuid)
  }
  for (const [uuid, { status, story }] of lives) {
    if (status !== 'deleted') problems.push(`task ${uuid} is only in the log: ${story.join(', ')}`)
  }
  return problems
}

/** Balances are the sums of their entries, holds those of unfinished tasks, and no life is charged twice. */
export function moneyProblems(history: History): string[] {
  const problems: string[] = []
  const sum = (amounts: number[]) => amounts.reduce((total, amount) => total + amount, 0)
  const inAll = sum(history.ledger.map(({ change }) => change))
  if (inAll !== 0) problems.push(`the entries of all accounts add up to ${inAll}`)
  for (const user of history.users) {
    const entries = history.ledger.filter(({ userId }) => userId === user.id)
    const own = history.tasks.filter(({ userId }) => userId === user.id)
    for (const kind of ['available', 'held'] as const) {
      const stored = history.accounts.find((account) => account.userId === user.id && account.kind === kind)
      const booked = sum(entries.filter(({ account }) => account === kind).map(({ change }) => change))
      if (stored?.balanceMinor !== booked)
        problems.push(`user ${user.id}: ${kind} ${stored?.balanceMinor}, booked ${booked}`)
      const held = sum(own.map(({ heldMinor }) => heldMinor))
      if (kind === 'held' && stored?.balanceMinor !== held)
        problems.push(`user ${user.id}: ${stored?.balanceMinor} held, its tasks hold ${held}`)
    }
    const transfers = new Set(entries.map(({ transferId }) => transferId)).size
    const told = (history.logs.get(user.id) ?? []).filter(({ type }) => type === 'balance.changed').length
    if (told !== transfers) problems.push(`user ${user.id}: ${transfers} transfers, ${told} events of them`)
    for (const task of own) {
      const captures = entries.filter(({ kind, reference }) => kind === 'capture' && reference === task.uuid)
      const cost = -sum(captures.map(({ change }) => change))
      if (cost !== task.costMinor) problems.push(`task ${task.uuid}: cost ${task.costMinor}, charged ${cost}`)
    }
  }
  return problems
}
