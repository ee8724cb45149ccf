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

test('do not compile without the line in a list: the error names the place and what is missing', async () => {
  const without = ['src/core/errors/catalogue.ts', 'src/core/messages.ts', 'src/live/events/index.ts']
  expect(Object.keys(LISTS)).toEqual(expect.arrayContaining(without))
  const errors = await typeErrors((directory) => {
    for (const list of without) writeFileSync(join(directory, list), readFileSync(join(ROOT, list)))
  })
  expect(errors).toMatch(/^src\/core\/kites\/kites\.ts\(.*"NO_WIND"/m)
  expect(errors).toMatch(/^src\/contracts\/factory\/kites\/routes\.ts\(.*"kite_launched"/m)
  expect(errors).toMatch(/^src\/live\/events\/index\.ts\([\s\S]*Property '"kite\.risen"' is missing/m)
})
