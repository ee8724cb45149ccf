/** The types of a domain that is added as docs/adding-a-domain.md says. */
import { expect, test } from 'bun:test'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, temporaryDirectory } from './support/process.ts'
import { LISTS, scaffold } from './support/toy-domain.ts'

/** The errors that the type checker reports for a copy of the sources with the toy, after `change`. */
async function typeErrors(change: (directory: string) => void = () => {}): Promise<string> {
  const directory = temporaryDirectory('toy-types')
  try {
    scaffold(directory)
    change(directory)
    const tsc = Bun.spawn([process.execPath, 'x', 'tsc', '--noEmit'], { cwd: directory, stdout: 'pipe' })
    const text = await new Response(tsc.stdout).text()
    if ((await tsc.exited) !== 0 && text === '') throw new Error('the type checker did not run')
    return text
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

test('compile with the line in each list', async () => {
  expect(await typeErrors()).toBe('')
})

test.each([
  ['src/core/errors/catalogue.ts', 'src/core/kites/kites.ts'],
  ['src/core/messages.ts', 'src/contracts/factory/kites/routes.ts'],
  ['src/live/events/index.ts', 'src/live/events/index.ts'],
])('do not compile without the line in %s', async (list, misfit) => {
  expect(Object.keys(LISTS)).toContain(list)
  const restore = (directory: string) => writeFileSync(join(directory, list), readFileSync(join(ROOT, list)))
  expect(await typeErrors(restore)).toContain(misfit)
})
