/**
 * Protects the embedded database (docs/design.md, "Parts"): after a kill during writes its directory still opens, and
 * every write that was answered 201 is there.
 */
import { describe, expect, test } from 'bun:test'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, Program, ServerProcess, temporaryDirectory } from '../support/process.ts'
import { Random } from '../support/random.ts'
import { type Account, ask, listTasks, register } from './client.ts'
import { gapProblems, lifeProblems, readHistory } from './history.ts'
import { openParts } from './parts.ts'

const KILLS = 5
const WRITERS = 16

describe.concurrent('the embedded database, killed', () => {
  test(`${KILLS} times while it writes: what was answered is there`, async () => {
    const random = Random.announced('embedded database')
    await using parts = await openParts('embedded', { max_concurrent_tasks_per_user: 1_000_000 })
    await using server = await ServerProcess.start(parts.env)
    const { url } = server
    const accounts = [await register(url), await register(url)]
    const answered = new Map<string, Account>()
    const problems: string[] = []
    for (let kill = 1; kill <= KILLS; kill++) {
      let writing = true
      const writers = Array.from({ length: WRITERS }, async (_, i) => {
        const account = accounts[i % accounts.length]!
        while (writing) {
          // Long descriptions, so that pages are written and not only the log.
          const body = {
            title: `${kill}`,
            task_type: 'test',
            description: 'x'.repeat(random.between(1, 5000)),
          }
          const reply = await ask(url, 'POST', '/api/tasks', { token: account.token, body })
          if (reply?.status === 201) answered.set(reply.body.data.id, account)
          else if (reply) problems.push(JSON.stringify(reply))
        }
      })
      const before = answered.size
      await eventually(() => answered.size >= before + 50, 'fifty tasks are made', 30_000)
      await Bun.sleep(random.between(0, 300))
      await server.kill()
      writing = false
      await Promise.all(writers)
      await server.start()
      const there = new Set(
        (await Promise.all(accounts.map((a) => listTasks(url, a)))).flat().map(({ id }) => id),
      )
      const gone = [...answered.keys()].filter((id) => !there.has(id))
      if (gone.length > 0) problems.push(`kill ${kill}: answered 201 and gone: ${gone.join(', ')}`)
    }
    expect((await server.terminate()).code).toBe(0)
    const history = await readHistory(parts)
    console.log(`embedded database: ${answered.size} tasks answered, ${history.tasks.length} stored`)
    expect([...problems, ...gapProblems(history), ...lifeProblems(history), ...server.complaints]).toEqual([])
  })

  // Unpacking takes a tenth of a second, migrating about one.
  test.each([
    ['is unpacked', 'pg.new/', 100],
    ['is migrated', 'pg/', 800],
  ])(
    'in the middle of its first start, while the database %s: the next one succeeds',
    async (_, prefix, ms) => {
      const random = Random.announced('first start')
      const DATA_DIR = temporaryDirectory('fault')
      await using stack = new AsyncDisposableStack()
      stack.defer(() => rmSync(DATA_DIR, { recursive: true, force: true }))
      const env = { DATA_DIR, PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'warn' }
      const command = [process.execPath, '--no-env-file', 'src/main.ts']
      const first = stack.use(new Program(command, env, join(DATA_DIR, 'first.log')))
      first.launch()
      const begun = () =>
        readdirSync(DATA_DIR, { recursive: true }).some(
          // On a busy machine the check may come after the unpacking.
          (path) => String(path).startsWith(prefix) || String(path).startsWith('pg/'),
        )
      await eventually(begun, 'the first files', 60_000)
      await Bun.sleep(random.between(0, ms))
      await first.kill()
      const second = stack.use(await ServerProcess.start({ DATA_DIR }))
      expect((await register(second.url)).id).toBeGreaterThan(0)
      expect(second.complaints).toEqual([])
    },
  )
})
