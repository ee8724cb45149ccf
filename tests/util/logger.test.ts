import { expect, test } from 'bun:test'
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
