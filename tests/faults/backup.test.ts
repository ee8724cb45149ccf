/**
 * Protects docs/operations.md, "Backup" and "Restore": after `kill -9` of the command or of the server in the middle, nothing but a
 * named file is left, and the next backup succeeds; a restore that was killed says what to do at the next try.
 */
import { expect, test } from 'bun:test'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { form, pdf, upload } from '../support/files.ts'
import { eventually, ROOT, ServerProcess, temporaryDirectory } from '../support/process.ts'
import { signInAsAdmin } from './client.ts'
import { openParts } from './parts.ts'

/** More than the pipe and the streams hold, and nothing makes it smaller. */
const FILE_BYTES = 4 * 1024 * 1024
const FILES = 2

function command(stack: AsyncDisposableStack, env: Record<string, string>, args: string[]) {
  const { PATH = '', HOME = '' } = process.env
  const child = Bun.spawn([process.execPath, '--no-env-file', ...args], {
    cwd: ROOT,
    env: { PATH, HOME, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  stack.defer(() => child.kill('SIGKILL'))
  const said = child.stderr.text()
  return { child, ended: async () => ({ code: await child.exited, said: await said }) }
}

const filesIn = (directory: string): string[] => (existsSync(directory) ? readdirSync(directory) : [])
const objectsIn = (dataDir: string) => filesIn(join(dataDir, 'objects', 'materials'))

test('the backup command, the server and the restore command, each killed in the middle', async () => {
  await using stack = new AsyncDisposableStack()
  const directory = temporaryDirectory('fault-backup')
  stack.defer(() => rmSync(directory, { recursive: true, force: true }))
  const parts = stack.use(await openParts('embedded'))
  const server = stack.use(await ServerProcess.start(parts.env))
  const token = await signInAsAdmin(server.url)
  for (let n = 0; n < FILES; n++) {
    const noise = new Uint8Array(FILE_BYTES)
    for (let at = 0; at < FILE_BYTES; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536))
    const file = new Uint8Array(Buffer.concat([pdf(), noise]))
    const answer = await upload(server, token, form(['title', `${n}`], ['file', file, 'a.pdf']))
    expect(answer.status).toBe(201)
  }
  const backup = (...args: string[]) => command(stack, parts.env, ['src/backup.ts', ...args])
  const copies = () => filesIn(join(parts.dataDir, 'backup'))
  const file = join(directory, 'a.backup')

  const killed = backup(file)
  await eventually(() => filesIn(directory).length > 0, 'the file is begun')
  killed.child.kill('SIGKILL')
  await killed.child.exited
  expect(filesIn(directory)).toEqual([expect.stringMatching(/^\.a\.backup\..+\.part$/)])
  const interrupted = 'The program that made the backup was interrupted.'
  await eventually(() => server.output.includes(interrupted), 'the server says that it failed')
  expect(copies()).toEqual([])

  // Nobody reads its output, so it is in the middle.
  const stuck = backup('-')
  await eventually(
    () => copies().some((copy) => existsSync(join(parts.dataDir, 'backup', copy, 'pg.sock'))),
    'it reads the copy',
  )
  await server.kill()
  // Though still nobody reads it.
  const { code, said } = await stuck.ended()
  expect(said).toBe('The server ended in the middle of the backup. Start the backup again.\n')
  expect(code).toBe(1)

  await server.start()
  expect(copies()).toEqual([])
  // The server makes thumbnails again, with temporary files of its own.
  const temporaries = filesIn(join(parts.dataDir, 'tmp')).filter((name) => name.startsWith('backup-'))
  expect(temporaries).toEqual([])
  expect(await backup(file).ended()).toMatchObject({ code: 0 })
  expect(server.complaints).toEqual([expect.stringContaining(interrupted)])

  const target = join(directory, 'target')
  const restore = () => command(stack, { DATA_DIR: target }, ['src/restore.ts', file])
  const half = restore()
  await eventually(() => objectsIn(target).length > 0, 'it stores files')
  half.child.kill('SIGKILL')
  await half.child.exited
  const refused = await restore().ended()
  expect(refused.said).toContain('Files that a killed restore has left can be deleted.')
  rmSync(join(target, 'objects'), { recursive: true })
  expect(await restore().ended()).toMatchObject({ code: 0 })
  expect(readdirSync(join(target, 'objects', 'materials'), { recursive: true })).not.toEqual([])
})
