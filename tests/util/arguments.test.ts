/** Each program explains itself, and refuses arguments that it does not know. */
import { expect, test } from 'bun:test'
import { ROOT } from '../support/process.ts'

async function run(program: string, ...args: string[]) {
  const child = Bun.spawn([process.execPath, '--no-env-file', `src/${program}.ts`, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', DATA_DIR: '/nonexistent' },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [said, complained] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { code: await child.exited, said, complained }
}

test.each(['main', 'backup', 'restore', 'admin', 'photos'])('%s --help', async (program) => {
  const usage = expect.stringMatching(/^Usage: bun /)
  expect(await run(program, '--help')).toEqual({ code: 0, said: usage, complained: '' })
})

test('another option, and a name too many', async () => {
  const usage = expect.stringMatching(/^Usage: bun run restore /)
  for (const args of [['--nonsense'], ['a', 'b']])
    expect(await run('restore', ...args)).toEqual({ code: 1, said: '', complained: usage })
})
