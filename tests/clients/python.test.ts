/**
 * A Python client, generated from the document as openapi-python-client does it, and used. It needs python3 with venv, and
 * PyPI at its first run; the installed packages stay under node_modules.
 */
import { afterAll, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unique } from '../support/factories.ts'
import { startServer } from '../support/server.ts'

const HERE = import.meta.dir
const CACHE = join(HERE, '../../node_modules/.cache/roost-python')
const folder = mkdtempSync(join(tmpdir(), 'roost-python-'))
const server = await startServer()
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.stop()
})

async function run(command: string[]): Promise<string> {
  const env = { ...process.env, PYTHONPATH: folder }
  const program = Bun.spawn(command, { cwd: folder, env, stdout: 'pipe', stderr: 'pipe' })
  const [output, errors] = await Promise.all([program.stdout.text(), program.stderr.text()])
  expect(await program.exited, `${command.join(' ')}\n${output}\n${errors}`).toBe(0)
  return output
}

/** Where the programs of the requirements are. */
async function environment(): Promise<string> {
  const requirements = join(HERE, 'requirements.txt')
  const hash = createHash('sha256')
    .update(await Bun.file(requirements).bytes())
    .digest('hex')
    .slice(0, 16)
  const place = join(CACHE, hash)
  const ready = join(place, 'ready')
  if (!existsSync(ready)) {
    rmSync(place, { recursive: true, force: true })
    mkdirSync(CACHE, { recursive: true })
    await run(['python3', '-m', 'venv', place])
    await run([join(place, 'bin/pip'), 'install', '--quiet', '--requirement', requirements])
    writeFileSync(ready, '')
  }
  return join(place, 'bin')
}

test('a Python client generated from the document works on the server', async () => {
  const bin = await environment()
  const document = join(folder, 'openapi.json')
  await Bun.write(document, await (await fetch(`${server.url}/api/docs/json`)).text())
  await run([join(bin, 'openapi-spec-validator'), document])
  const generated = await run([
    join(bin, 'openapi-python-client'),
    'generate',
    ...['--path', document, '--meta', 'none', '--output-path', join(folder, 'roost_client')],
    ...['--config', join(HERE, 'config.yml')],
  ])
  // It makes no function for routes that answer with a file, and one for every other route.
  const warned = [...generated.matchAll(/^WARNING parsing (.*) within/gm)].map(([, route]) => route)
  expect(warned.filter((route) => route !== 'GET /files/{file_path}')).toEqual([])

  const name = unique('py')
  const output = await run([join(bin, 'python'), join(HERE, 'usage.py'), server.url, name])
  expect(JSON.parse(output)).toEqual({
    registered: name,
    refused: [401, 'INVALID_CREDENTIALS'],
    task: ['from Python', 3, true, 2],
    too_urgent: [422, 'VALIDATION_ERROR'],
    tasks: [true],
    cancelled: 'cancelled',
    again: [409, 'INVALID_STATE'],
    material: ['手册', 'pdf', 1],
    materials: 1,
    missing: [404, 'NOT_FOUND'],
    items: [true],
    me: name,
  })
})
