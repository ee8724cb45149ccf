/** `bun start` and `bun run node` install the packages first. Two of them in one folder take turns. */
import { afterAll, expect, test } from 'bun:test'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acquireFileLock } from '../../src/util/file-lock.ts'
import { ROOT } from '../support/process.ts'

const folder = mkdtempSync(join(tmpdir(), 'roost-install-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('an install waits for the one before it', async () => {
  // A project of its own, because the packages of this one are in use.
  mkdirSync(join(folder, 'src/util'), { recursive: true })
  for (const name of ['install.ts', 'file-lock.ts']) {
    cpSync(join(ROOT, 'src/util', name), join(folder, 'src/util', name))
  }
  await Bun.write(join(folder, 'package.json'), '{ "name": "none", "dependencies": {} }')
  const cache = join(folder, 'node_modules/.cache/roost')
  mkdirSync(cache, { recursive: true })
  const lock = acquireFileLock(join(cache, 'install.sqlite'))!
  const installs = [1, 2].map(() =>
    Bun.spawn([process.execPath, 'src/util/install.ts'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'ignore'],
    }),
  )
  await Bun.sleep(500)
  expect(installs.map(({ exitCode }) => exitCode)).toEqual([null, null])
  lock.release()
  expect(await Promise.all(installs.map(({ exited }) => exited))).toEqual([0, 0])
  expect(existsSync(join(cache, 'install.sqlite'))).toBe(true)
})
