import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { ROOT } from '../support/process.ts'

/** A logger writes to the standard output of its process, so it gets one. */
async function logged(error: string): Promise<string> {
  const program = `
    import { DrizzleQueryError } from 'drizzle-orm/errors'
    import { createLogger } from './src/util/logger.ts'
    createLogger('info').warn({ err: ${error} }, 'it failed')`
  const { stdout } = Bun.spawnSync([process.execPath, '-e', program], { cwd: ROOT })
  return stdout.toString()
}

test('a failed query is logged without its parameters and the values of its row', async () => {
  const line = await logged(`new DrizzleQueryError('insert into users values ($1)', ['hash-of-a-password'],
    Object.assign(new Error('null value'), { code: '23502', detail: 'Failing row contains (hash-of-a-password)' }))`)
  expect(JSON.parse(line)).toMatchObject({ msg: 'it failed', err: { message: 'null value', code: '23502' } })
  expect(line).not.toContain('hash-of-a-password')
})

test('any other error is logged with its causes', async () => {
  const { err } = JSON.parse(await logged("new Error('outer', { cause: new Error('inner') })"))
  expect(err.message).toBe('outer: inner')
})

test('every line is written once and in order, also at the exit and beyond the size of one write', () => {
  const program = `
    import { createLogger, flushLog } from './src/util/logger.ts'
    const log = createLogger('info')
    for (let n = 0; n < 3000; n++) log.info({ n }, 'line')
    await flushLog(log)
    for (let n = 3000; n < 3100; n++) log.info({ n }, 'line')
    process.exit(0)`
  const { stdout } = Bun.spawnSync([process.execPath, '-e', program], { cwd: ROOT })
  const lines = stdout.toString().trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line).n)).toEqual(Array.from({ length: 3100 }, (_, n) => n))
})

test.skipIf(!Bun.which('script'))('a terminal gets lines for people, a pipe gets JSON', async () => {
  const program = `import { openLogger } from ${JSON.stringify(join(ROOT, 'src/util/logger.ts'))}
    ;(await openLogger('info')).info({ port: 8000 }, 'it listens')`
  const command = [process.execPath, '-e', program]
  const piped = Bun.spawnSync(command)
  expect(JSON.parse(piped.stdout.toString())).toMatchObject({ port: 8000, msg: 'it listens' })
  // `script` runs a command on a terminal of its own.
  const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const shown = Bun.spawnSync(['script', '-qec', quoted, '/dev/null']).stdout.toString()
  expect(shown).toContain('it listens')
  expect(shown).toMatch(/\d\d:\d\d:\d\d/)
  expect(shown).not.toContain('"msg"')
})
