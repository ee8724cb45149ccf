/**
 * A Python client, generated from the document as openapi-python-client does it, and used. It needs python3 with venv, and
 * PyPI at its first run; the installed packages stay under node_modules.
 */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unique } from '../support/factories.ts'
import { startServer } from '../support/server.ts'
import { pythonPrograms } from './python-environment.ts'
import { run } from './run.ts'

const HERE = import.meta.dir
const folder = mkdtempSync(join(tmpdir(), 'roost-python-'))
const server = await startServer()
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.stop()
})

const runHere = (command: string[]) =>
  run(command, { cwd: folder, env: { ...process.env, PYTHONPATH: folder } })

test('a Python client generated from the document works on the server', async () => {
  const bin = await pythonPrograms()
  const document = join(folder, 'openapi.json')
  await Bun.write(document, await (await fetch(`${server.url}/api/docs/json`)).text())
  await runHere([join(bin, 'openapi-spec-validator'), document])
  const generated = await runHere([
    join(bin, 'openapi-python-client'),
    'generate',
    ...['--path', document, '--meta', 'none', '--output-path', join(folder, 'roost_client')],
    ...['--config', join(HERE, 'config.yml')],
  ])
  // It makes no function for routes that answer with a file, and one for every other route.
  const warned = [...generated.matchAll(/^WARNING parsing (.*) within/gm)].map(([, route]) => route)
  expect(warned.filter((route) => route !== 'GET /files/{file_path}')).toEqual([])

  const name = unique('py')
  const output = await runHere([join(bin, 'python'), join(HERE, 'usage.py'), server.url, name])
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
