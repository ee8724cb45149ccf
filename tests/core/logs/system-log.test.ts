/** The log in the database: what is stored, what happens while the database is slow or away, and what is deleted. */
import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { trimSystemLog } from '../../../src/core/logs/jobs.ts'
import { linesOfDay, listSystemLog, type SystemLogFilter } from '../../../src/core/logs/list.ts'
import { dayAfter } from '../../../src/core/logs/partitions.ts'
import { SystemLog } from '../../../src/core/logs/system-log.ts'
import { Metrics } from '../../../src/core/metrics.ts'
import { createLogger } from '../../../src/util/logger.ts'
import { eventually } from '../../support/process.ts'
import { query, startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { db, config } = server.ctx

/** A log of its own on the server's database, without the timers that the process's clock would need. */
function openLog({ database = db } = {}) {
  const printed: string[] = []
  const log = createLogger('debug', { write: (line) => void printed.push(line) })
  const metrics = new Metrics()
  const early = () => log.info('before the database is open')
  const open = () => new SystemLog({ db: database, config, log, metrics })
  const counted = (result: string) => metrics.logLines.of(result).value
  return { log, printed, metrics, early, open, counted }
}

/** As `close`, without its limit of a second, which a busy machine reaches. */
async function storeAll(systemLog: SystemLog): Promise<void> {
  // A flush that is under way leaves later lines waiting, and one after a loss adds the line that tells of it.
  for (let times = 0; times < 3; times++) await systemLog.flush()
  await systemLog.close()
}

const list = (filter: SystemLogFilter = {}, page = { page: 1, pageSize: 50 }) =>
  listSystemLog({ db }, filter, page)
const messages = async (filter: SystemLogFilter = {}) =>
  (await list(filter)).lines.map(({ message }) => message)
const empty = () => query(server, sql`truncate system_logs`)

/** A database that fails or hangs as the test says. */
function unsteady() {
  const state = { away: false, hangs: undefined as Promise<unknown> | undefined, statements: 0 }
  const { session } = db as unknown as {
    session: { client: { unsafe(...args: unknown[]): Promise<unknown> } }
  }
  const unsafe = (...args: unknown[]) => {
    state.statements++
    if (state.away) throw Object.assign(new Error('it is away'), { code: 'CONNECTION_CLOSED' })
    const run = () => session.client.unsafe(...args)
    return state.hangs ? state.hangs.then(run) : run()
  }
  const client = Object.assign(Object.create(session.client), { unsafe })
  const database: typeof db = Object.assign(Object.create(db), {
    session: Object.assign(Object.create(session), { client }),
  })
  return { state, database }
}

describe('lines', () => {
  test('are stored with their level, message, fields and server, those of the start too', async () => {
    await empty()
    const { log, open, early, counted } = openLog()
    early()
    const systemLog = open()
    log.warn({ part: 'bus', ms: 12.5, 中文: '值' }, '总线断开 "quoted"')
    log.child({ request: 'req_1' }).fatal(new Error('broken'))
    await storeAll(systemLog)
    log.info('after the end')
    const { lines, total } = await list()
    expect(total).toBe(3)
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['CRITICAL', 'broken'],
      ['WARNING', '总线断开 "quoted"'],
      ['INFO', 'before the database is open'],
    ])
    expect(lines[1]!.fields).toEqual({ part: 'bus', ms: 12.5, 中文: '值' })
    expect(lines[0]!.fields).toMatchObject({ request: 'req_1', err: { type: 'Error', message: 'broken' } })
    expect(lines[0]!.server).toEndWith(`:${process.pid}`)
    expect(lines[0]!.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect([counted('stored'), counted('lost')]).toEqual([3, 0])
  })

  test('keep their order, across chunks and servers, and have pages', async () => {
    await empty()
    const logs = [openLog(), openLog()]
    const systemLogs = logs.map(({ open }) => open())
    for (let n = 0; n < 3000; n++)
      logs[n % 2]!.log[n % 500 === 0 ? 'error' : 'info']({ n, fill: 'x'.repeat(200) }, `line ${n}`)
    await Promise.all(systemLogs.map(storeAll))
    const [stored] = await query(server, sql`select count(*)::int as n from system_logs`)
    expect(stored!.n).toBeGreaterThan(6)
    const seen: { at: string; n: number }[] = []
    for (let page = 1; page <= 7; page++) {
      const { lines, total } = await list({}, { page, pageSize: 500 })
      expect(total).toBe(3000)
      seen.push(...lines.map(({ at, fields }) => ({ at, n: fields.n as number })))
    }
    expect(new Set(seen.map(({ n }) => n)).size).toBe(3000)
    expect(seen.map(({ at }) => at)).toEqual(
      seen
        .map(({ at }) => at)
        .toSorted()
        .reverse(),
    )
    for (const rest of [0, 1]) {
      const own = seen.filter(({ n }) => n % 2 === rest).map(({ n }) => n)
      expect(own).toEqual(own.toSorted((a, b) => b - a))
    }
    const errors = await list({ level: 'ERROR' }, { page: 2, pageSize: 2 })
    expect([errors.total, errors.lines.map(({ fields }) => fields.n)]).toEqual([6, [1500, 1000]])
    expect((await list({ level: 'DEBUG' })).total).toBe(0)
    // The day's file has the same lines, in the other direction.
    const file: string[] = []
    for await (const lines of linesOfDay({ db }, seen[0]!.at.slice(0, 10)))
      file.push(...lines.map(({ at }) => at))
    expect(file).toEqual(seen.map(({ at }) => at).toReversed())
  })

  test('that are very long are stored without their fields', async () => {
    await empty()
    const { log, open } = openLog()
    const systemLog = open()
    log.info({ fill: 'x'.repeat(100_000) }, 'a long line')
    await storeAll(systemLog)
    const { lines } = await list()
    expect(lines[0]).toMatchObject({ message: 'a long line', level: 'INFO' })
    expect(Object.keys(lines[0]!.fields)).toEqual(['omitted'])
  })
})

test('a late page reads only the chunks that have its lines', async () => {
  await empty()
  const systemLog = openLog().open()
  const take = (systemLog as unknown as { take(text: string, level: number, time: string): void }).take
  const start = Date.parse('2024-05-05T10:00:00.500Z')
  for (let n = 0; n < 600; n++) {
    const time = new Date(start + Math.floor(n / 2) * 1000 + (n % 2)).toISOString()
    take.call(systemLog, `{"level":50,"time":"${time}","msg":"line ${n}"}\n`, 50, time)
  }
  await storeAll(systemLog)
  const decompress = spyOn(Bun, 'zstdDecompressSync')
  try {
    const { lines, total } = await list({ level: 'ERROR' }, { page: 40, pageSize: 15 })
    expect(total).toBe(600)
    expect(lines.map(({ message }) => message)).toEqual(
      Array.from({ length: 15 }, (_, n) => `line ${14 - n}`),
    )
    expect(decompress.mock.calls.length).toBeLessThan(30)
    for (const page of [41, 2 ** 53])
      expect(await list({ level: 'ERROR' }, { page, pageSize: 15 })).toEqual({
        lines: [],
        total,
        searchedFrom: null,
      })
  } finally {
    decompress.mockRestore()
  }
})

describe('a search', () => {
  test('finds a part of a message or a value, in any case and script, and no name of a field', async () => {
    await empty()
    const { log, open } = openLog()
    const systemLog = open()
    log.info({ path: '/API/Tasks', nested: { deep: ['Überall'] } }, '任务已创建')
    log.info({ status: 503 }, 'a "quoted" back\\slash 100%_')
    log.info({ gone: null }, 'nothing')
    await storeAll(systemLog)
    const found = async (search: string) => (await messages({ search })).map((text) => text.slice(0, 5))
    expect(await found('任务')).toEqual(['任务已创建'])
    expect(await found('api/tasks')).toEqual(['任务已创建'])
    expect(await found('ÜBERALL')).toEqual(['任务已创建'])
    for (const part of ['503', '"QUOTED"', 'back\\slash', '100%_', '%_'])
      expect(await found(part)).toEqual(['a "qu'])
    // Not the name of a field, nor the level, time and server that every line has.
    const ofEveryLine = ['info', String(process.pid), String(new Date().getFullYear())]
    for (const none of ['path', 'level', ...ofEveryLine, '任 务', '%任务%', "'; drop table system_logs"])
      expect(await found(none)).toEqual([])
    expect(await list({ search: 'i', level: 'INFO' })).toMatchObject({ searchedFrom: null })
  })
})

describe('a database that is away or slow', () => {
  test('costs a bounded number of lines in memory; the loss is counted and told, once', async () => {
    await empty()
    const { state, database } = unsteady()
    const { log, printed, open, counted } = openLog({ database })
    const systemLog = open()
    state.away = true
    for (let n = 0; n < 30_000; n++) log.info('an info line')
    await systemLog.flush()
    await systemLog.flush()
    log.error('an error has room that info lines have not')
    // Its own failure is told on the standard output, once, and not to itself.
    expect(printed.filter((line) => line.includes('cannot be stored'))).toHaveLength(1)
    expect(counted('lost')).toBe(15_000)
    state.away = false
    await storeAll(systemLog)
    expect(await messages({ level: 'ERROR' })).toEqual(['an error has room that info lines have not'])
    const [loss, ...others] = (await list({ level: 'WARNING' })).lines
    expect(loss).toMatchObject({
      message: '15000 lines of the log could not be stored',
      fields: { lost: 15_000 },
    })
    expect(others).toEqual([])
    const [rows] = await query(server, sql`select sum(info_lines)::int as n from system_logs`)
    expect(rows!.n).toBe(15_000)
    expect(counted('stored')).toBe(15_002)
  })

  test('lets nobody wait: a line is taken at once, and a stop ends after a second', async () => {
    await empty()
    const { state, database } = unsteady()
    const { log, open } = openLog({ database })
    const systemLog = open()
    const answered = Promise.withResolvers<void>()
    state.hangs = answered.promise
    log.info('1')
    const flushed = systemLog.flush()
    await eventually(() => state.statements === 1, 'the statement that hangs')
    for (let n = 2; n <= 4; n++) log.info(`${n}`)
    void systemLog.flush()
    await systemLog.close()
    // One statement at a time, however long it takes.
    expect(state.statements).toBe(1)
    expect(await messages()).toEqual([])
    answered.resolve()
    await flushed
    await eventually(async () => (await messages()).join() === '4,3,2,1', 'all lines, each once')
  })
})

describe('days', () => {
  const today = new Date().toISOString().slice(0, 10)
  /** A line as a server writes it whose clock shows another day. */
  async function write(day: string, message: string) {
    const systemLog = openLog().open()
    const time = `${day}T23:59:59.999Z`
    const take = (systemLog as unknown as { take(text: string, level: number, time: string): void }).take
    take.call(systemLog, `{"level":30,"time":"${time}","msg":"${message}"}\n`, 30, time)
    await storeAll(systemLog)
  }
  const partitions = async () =>
    (
      await query(
        server,
        sql`select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
          where inhparent = 'system_logs'::regclass order by 1`,
      )
    ).map(({ name }) => (name as string).replace('system_logs_', ''))

  test('get a partition when a line comes, also when several servers write at once', async () => {
    await empty()
    const days = ['2020-02-29', '2020-12-31', today]
    await Promise.all(days.flatMap((day) => [write(day, `on ${day}`), write(day, `on ${day}`)]))
    expect(await partitions()).toEqual(
      expect.arrayContaining(['20200229', '20201231', today.replaceAll('-', '')]),
    )
    // PostgreSQL does not compress again what zstd has compressed.
    const stored = await query(
      server,
      sql`select distinct attstorage from pg_attribute
        where attname = 'body' and attrelid::regclass::text like 'system_logs%'`,
    )
    expect(stored).toEqual([{ attstorage: 'e' }])
    expect(await messages({ from: '2020-02-29', to: '2020-02-29' })).toHaveLength(2)
    expect(await messages({ from: '2020-03-01', to: '2020-12-30' })).toEqual([])
    expect(await messages({ to: '2020-12-31' })).toHaveLength(4)
    expect(await messages({ from: '9999-12-31', to: '9999-12-31' })).toEqual([])
  })

  test('are deleted when they are too old, and a line of a deleted day makes it anew', async () => {
    const [kept, gone] = [dayAfter(today, -30), dayAfter(today, -31)]
    await write(kept, 'kept')
    await write(gone, 'gone')
    const old = (await partitions()).filter((day) => day < kept.replaceAll('-', ''))
    expect(old).toContain(gone.replaceAll('-', ''))
    expect(await trimSystemLog(server.ctx)).toBe(old.length)
    expect((await partitions())[0]).toBe(kept.replaceAll('-', ''))
    await write(gone, 'late')
    expect(await messages({ to: gone })).toEqual(['late'])
    // Without days to keep, every day but today is deleted, and no line is taken.
    const none = { db, config: { ...config, logKeepDays: 0 } }
    await trimSystemLog(none)
    expect((await partitions()).filter((day) => day < today.replaceAll('-', ''))).toEqual([])
    const { log, printed } = openLog()
    const systemLog = new SystemLog({ ...none, log, metrics: new Metrics() })
    log.info('only printed')
    await systemLog.close()
    expect(printed).toHaveLength(1)
    expect(await messages({ search: 'only printed' })).toEqual([])
  })
})
