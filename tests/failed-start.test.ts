/** A start that fails closes what it has opened, so that nothing keeps the process alive. */
import { expect, test } from 'bun:test'
import { ROOT } from './support/process.ts'
import { freshParts } from './support/server.ts'

const script = `
  import { readConfig } from './src/config/index.ts'
  import { createServer } from './src/server.ts'
  const onAdministratorMade = () => {
    throw new Error('the start was stopped')
  }
  const config = readConfig(process.env)
  await createServer(config, { onAdministratorMade }).catch((error) => console.log(error.message))
`

test('the process ends by itself', async () => {
  const { env, remove } = await freshParts()
  const { ADMIN_PASSWORD: _, ...withoutPassword } = env
  const child = Bun.spawn([process.execPath, '-e', script], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, LOG_LEVEL: 'silent', ...withoutPassword },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), 30_000)
  try {
    expect(await child.exited).toBe(0)
    expect(await child.stdout.text()).toBe('the start was stopped\n')
  } finally {
    clearTimeout(limit)
    child.kill('SIGKILL')
    await remove()
  }
}, 60_000)
