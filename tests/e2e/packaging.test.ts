/** Every path that the Dockerfile copies exists, and `.dockerignore` does not exclude it. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/process.ts'

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8')

/** `.dockerignore` excludes everything except the paths after a `!`. */
function isIncluded(source: string, ignore: string): boolean {
  const [first, ...lines] = ignore.split('\n').filter(Boolean)
  expect(first).toBe('*')
  expect(lines.every((line) => line.startsWith('!'))).toBe(true)
  return lines.some((line) => source === line.slice(1) || source.startsWith(`${line.slice(1)}/`))
}

const sources = read('Dockerfile')
  .split('\n')
  .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
  .flatMap((line) => line.split(/\s+/).slice(1, -1))

describe('the Docker build', () => {
  test.each(sources)('%s exists and reaches the build', (source) => {
    expect(existsSync(join(ROOT, source))).toBe(true)
    expect(isIncluded(source, read('.dockerignore'))).toBe(true)
  })

  test('has what the install needs: every patch', () => {
    expect(sources.length).toBeGreaterThan(5)
    const { patchedDependencies } = JSON.parse(read('package.json'))
    for (const patch of Object.values<string>(patchedDependencies)) {
      expect(sources.some((source) => patch === source || patch.startsWith(`${source}/`))).toBe(true)
    }
  })
})
