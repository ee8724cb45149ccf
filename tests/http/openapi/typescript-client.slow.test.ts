/** A TypeScript client that openapi-typescript generates from the document; it is type-checked and used. */
import { afterAll, expect, mock, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { unique } from '../../support/factories.ts'
import { ROOT } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'

// The generator uses the compiler's API, which TypeScript 7 no longer has.
mock.module('typescript', () => ({ default: require('typescript-5') }))
const { default: openapiTS, astToString } = await import('openapi-typescript')

const CACHE = join(ROOT, 'node_modules/.cache')
mkdirSync(CACHE, { recursive: true })
// Inside the repository, so that the packages that it imports are found.
const folder = mkdtempSync(join(CACHE, 'typescript-client-'))
const server = await startServer()
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server.stop()
})

test('a TypeScript client generated from the document compiles, and works on the server', async () => {
  const document = await (await fetch(`${server.url}/api/docs/json`)).text()
  await Bun.write(join(folder, 'api.d.ts'), astToString(await openapiTS(document, { silent: true })))
  const options = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { lib: ['ESNext', 'DOM'], paths: { 'roost-api': [join(folder, 'api.d.ts')] } },
    include: [join(import.meta.dir, 'typescript/usage.ts')],
    exclude: [],
  }
  await Bun.write(join(folder, 'tsconfig.json'), JSON.stringify(options))
  const compiler = Bun.spawn(['bun', 'x', 'tsc', '-p', folder], { cwd: ROOT, stdout: 'pipe' })
  expect(await compiler.stdout.text()).toBe('')
  expect(await compiler.exited).toBe(0)

  // In a variable, because the compiler would look for the generated types if it knew the path.
  const { useRoost } = await import(`${import.meta.dir}/typescript/usage.ts`)
  expect(await useRoost(server.url, unique('ts'))).toEqual({
    id: expect.any(Number),
    uuid: expect.any(String),
    priority: 3,
    startedAt: null,
    status: 'pending',
    total: 1,
    cancelled: 'cancelled',
    conflict: 'INVALID_STATE',
    materials: [],
    itemStatus: 'active',
    uploadStatus: 201,
  })
})
