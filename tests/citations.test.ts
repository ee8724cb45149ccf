/** Protects readers of comments: every page that a comment cites is in the repository, and so is the heading. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Glob } from 'bun'
import { headings, wrongCitations } from './support/citations.ts'
import { ROOT } from './support/process.ts'

const pages = new Map<string, Set<string> | undefined>()
const headingsOf = (path: string) => {
  const file = join(ROOT, path)
  if (!pages.has(path)) pages.set(path, existsSync(file) ? headings(readFileSync(file, 'utf8')) : undefined)
  return pages.get(path)
}

const SOURCES = new Glob(
  '{src,tests,bench,drizzle,patches,.ci}/**/*.{ts,tsx,js,mjs,py,sql,sh,html,css,patch}',
)
/** This file shows wrong citations. */
const CASES = 'tests/citations.test.ts'

test('every page and heading that a comment cites exists', () => {
  const files = [...SOURCES.scanSync({ cwd: ROOT, dot: true })].filter(
    (file) => file !== CASES && !file.includes('node_modules/'),
  )
  const found = files.sort().map((file) => [file, readFileSync(join(ROOT, file), 'utf8')] as const)
  expect(found.filter(([, text]) => text.includes('docs/')).length).toBeGreaterThan(50)
  const wrong = found.flatMap(([file, text]) =>
    wrongCitations(text, headingsOf).map((line) => `${file}: ${line}`),
  )
  expect(wrong).toEqual([])
})

describe('the rule itself', () => {
  const page = '# Design\n\n## 1. The house\n\n### 1.2 Close codes\n\n```sh\n# no heading\n```\n\n## Walls\n'
  const check = (text: string) =>
    wrongCitations(text, (path) => (path === 'docs/design.md' ? headings(page) : undefined))

  test('headings are those outside of code, without their numbers', () => {
    expect([...headings(page)]).toEqual(['Design', 'The house', 'Close codes', 'Walls'])
  })

  test.each([
    ['/** docs/design.md, "Roofs". */', 'docs/design.md has no heading "Roofs"'],
    ['// See docs/design.md "Roofs".', 'docs/design.md has no heading "Roofs"'],
    ['// docs/design.md, "Walls" and "Roofs".', 'docs/design.md has no heading "Roofs"'],
    ['// docs/design.md, "Walls", "Roofs".', 'docs/design.md has no heading "Roofs"'],
    ['/**\n * docs/design.md, "Close\n * doors".\n */', 'docs/design.md has no heading "Close doors"'],
    ['-- docs/design.md,\n-- "Roofs"', 'docs/design.md has no heading "Roofs"'],
    ['// docs/design.md, "no heading"', 'docs/design.md has no heading "no heading"'],
    ['// docs/designs.md, "Walls"', 'docs/designs.md: the repository has no such file'],
    ['// As learning.md shows it.', 'learning.md: the repository has no such file'],
    ['// contracts/factory.md, "Tasks"', 'contracts/factory.md: the repository has no such file'],
    ["read('../../docs/other.md')", 'docs/other.md: the repository has no such file'],
    ['// docs/design.md#walls', 'docs/design.md#walls: cite the heading, in double quotes'],
    ['// docs/design.md 1.2', 'docs/design.md 1.2: cite the heading, in double quotes'],
    ['// docs/design.md, chapter 1', 'docs/design.md, chapter 1: cite the heading, in double quotes'],
    ['// Ids are UUIDs (DESIGN 2.3)', '"DESIGN 2.3": cite docs/design.md and a heading'],
    ['// See DESIGN.', '"DESIGN.": cite docs/design.md and a heading'],
  ])('%j is reported', (text, problem) => expect(check(text)).toEqual([problem]))

  test.each([
    '/** docs/design.md, "Walls". */',
    '/** docs/design.md, "Walls" and "The house": both exist. */',
    '/**\n * Protects docs/design.md, "The\n * house".\n */',
    '// The page docs/design.md says it; "quoted" words follow.',
    "read('../../docs/design.md')",
    '// RFC 5545, section 3.3.10',
    '// https://example.com/guide/learning.md',
  ])('%j is not reported', (text) => expect(check(text)).toEqual([]))
})
