/**
 * Protects every answer of the database from connections that break: thousands of queries that check their own answers go
 * through a proxy that resets, stalls and forgets connections. A query fails or is right, and an acknowledged write is stored.
 */
import { expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { type Db, openDatabase } from '../../src/db/client.ts'
import { sqlState } from '../../src/db/errors.ts'
import { createLogger } from '../../src/util/logger.ts'
import { NO_POSTGRES, PostgresCluster, postgresBinaries } from '../support/postgres.ts'
import { eventually } from '../support/process.ts'
import { Random } from '../support/random.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

if (!postgresBinaries) console.log(`skipped: the driver on connections that break: ${NO_POSTGRES}`)

/** Of each run. FAULT_CHAOS_SECONDS sets another time: shorter while one works, longer to search for more. */
const SECONDS = Number(process.env.FAULT_CHAOS_SECONDS ?? 20)
const WORKERS = 40
/** The limit of a query, with the time that a busy machine adds. */
const BOUND_MS = 25_000

class Tally {
  right = 0
  failed = 0
  slowestMs = 0
  readonly wrong: string[] = []
  readonly acknowledged: string[] = []
  readonly codes: Record<string, number> = {}

  /** Runs one query; `check` says what is wrong with its answer. */
  async run<T>(what: string, query: () => Promise<T>, check: (answer: T) => boolean): Promise<boolean> {
    const start = performance.now()
    try {
      const answer = await query()
      if (check(answer)) this.right++
      else this.wrong.push(`${what}: ${JSON.stringify(answer).slice(0, 200)}`)
      return true
    } catch (error) {
      this.failed++
      const code = sqlState(error) ?? String(error).slice(0, 100)
      this.codes[code] = (this.codes[code] ?? 0) + 1
      return false
    } finally {
      this.slowestMs = Math.max(this.slowestMs, performance.now() - start)
    }
  }
}

type Row = Record<string, unknown>
type Rows = Record<string, unknown>[]

/** Runs one query of a kind; `mark` is like no other. @returns the parts of the mark that are stored for certain */
type Kind = (db: Db, tally: Tally, mark: string, random: Random) => Promise<number>

const insert = (mark: string, part: number) =>
  sql`insert into marks (mark, part) values (${mark}, ${part}) returning mark`

const shows = (mark: string, count: number) => (rows: Rows) =>
  rows.length === count && rows.every((row) => row?.mark === mark)

/** Queries like the server's: with and without values, with many rows, with errors, and in transactions. */
const KINDS: Kind[] = [
  async (db, tally, mark) => {
    await tally.run('values', () => db.execute<Row>(sql`select ${mark}::text as mark`), shows(mark, 1))
    return 0
  },
  async (db, tally, mark) => {
    const query = sql.raw(`select '${mark}' as mark, pg_sleep(0.002)`)
    await tally.run('no values', () => db.execute<Row>(query), shows(mark, 1))
    return 0
  },
  async (db, tally, mark, random) => {
    const count = random.between(1, 300)
    const query = sql`select i, ${mark} as mark from generate_series(1, ${count}::int) i`
    const inOrder = (rows: Rows) => shows(mark, count)(rows) && rows.every(({ i }, n) => i === n + 1)
    await tally.run('many rows', () => db.execute<Row>(query), inOrder)
    return 0
  },
  async (db, tally, mark, random) => {
    const values = Array.from({ length: random.between(1, 9) }, (_, i) => sql`${i}::int`)
    const query = sql`select ${mark} as mark, cardinality(array[${sql.join(values, sql`, `)}]) as values`
    const counts = (rows: Rows) => shows(mark, 1)(rows) && rows[0]!.values === values.length
    await tally.run('many values', () => db.execute<Row>(query), counts)
    return 0
  },
  async (db, tally, mark) => {
    // Rows come before the error.
    const query = sql`select 1 / (50 - i) as x, ${mark} as mark from generate_series(1, 100) i`
    await tally.run(
      'an error',
      () => db.execute<Row>(query),
      () => false,
    )
    return 0
  },
  async (db, tally, mark) => {
    // The driver refuses this query while other queries are in flight.
    const query = sql`select ${mark} as mark, ${sql.param(undefined)}::text as x`
    await tally.run(
      'a refusal',
      () => db.execute<Row>(query),
      () => false,
    )
    return 0
  },
  async (db, tally, mark) =>
    (await tally.run('an insert', () => db.execute<Row>(insert(mark, 1)), shows(mark, 1))) ? 1 : 0,
  async (db, tally, mark) => {
    const both = () =>
      db.transaction(async (tx) => {
        const first = await tx.execute<Row>(insert(mark, 1))
        return [...first, ...(await tx.execute<Row>(insert(mark, 2)))]
      })
    return (await tally.run('a transaction', both, shows(mark, 2))) ? 2 : 0
  },
]

async function work(db: Db, tally: Tally, random: Random, name: string, signal: AbortSignal): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const mark = `${name}.${n}`
    const stored = await random.pick(KINDS)(db, tally, mark, random)
    for (let part = 1; part <= stored; part++) tally.acknowledged.push(`${mark} ${part}`)
  }
}

test.skipIf(!postgresBinaries).each([1, 2])(
  'every answer is right or an error, and nothing acknowledged is lost, run %i',
  async (run) => {
    const random = Random.announced(`the driver, run ${run}`)
    await using stack = new AsyncDisposableStack()
    const cluster = stack.use(await PostgresCluster.start())
    const url = await cluster.createDatabase()
    const proxy = stack.use(await TcpProxy.start(url))
    const database = await openDatabase(
      { databaseUrl: proxy.through(url), dataDir: '' },
      createLogger('silent'),
    )
    stack.defer(() => database.close())
    const { db } = database
    await cluster.query(url, 'create table marks (mark text, part int, primary key (mark, part))')

    const tally = new Tally()
    const stop = new AbortController()
    const harm = proxy.disturb(random.fork(), stop.signal, [5, 250])
    const workers = Array.from({ length: WORKERS }, (_, i) =>
      work(db, tally, random.fork(), `w${i}`, stop.signal),
    )
    await Bun.sleep(SECONDS * 1000)
    stop.abort()
    const hung = Symbol('hung')
    const late = Bun.sleep(BOUND_MS).then(() => hung)
    const ended = await Promise.race([Promise.all(workers), late])

    const { right, failed, slowestMs, codes, acknowledged } = tally
    console.log(
      `the driver, run ${run}: ${right} right, ${failed} failed, ${tally.wrong.length} wrong, slowest ${Math.round(slowestMs)} ms;`,
      JSON.stringify({ harm: await harm, codes }),
    )
    expect(ended).not.toBe(hung)
    expect(tally.wrong).toEqual([])
    // Every connection of the pool works again.
    const all = () =>
      Promise.all(
        Array.from({ length: 10 }, () => db.execute<Row>(sql`select pg_backend_pid() as pid, pg_sleep(0.5)`)),
      )
    await eventually(async () => {
      const answers = await all().catch(() => [])
      return new Set(answers.map(([row]) => row?.pid)).size === 10
    }, 'ten connections at once')
    const stored = new Set(
      (await cluster.query(url, 'select mark, part from marks')).map(({ mark, part }) => `${mark} ${part}`),
    )
    expect(acknowledged.filter((mark) => !stored.has(mark))).toEqual([])
    // Both rows of a transaction are stored, or none.
    const halves = [...stored].filter((mark) => mark.endsWith(' 2') && !stored.has(mark.replace(/ 2$/, ' 1')))
    expect(halves).toEqual([])
    expect(slowestMs).toBeLessThan(BOUND_MS)
    expect(right).toBeGreaterThan(SECONDS * 20)
  },
)
