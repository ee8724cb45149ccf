/** The documents name everything that people rely on, and both READMEs lead through the same commands. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Glob } from 'bun'
import { CLOSE } from '../src/protocol/close-codes.ts'
import { ClientFrame } from '../src/protocol/live/client-frames.ts'
import { EVENTS } from '../src/protocol/live/events.ts'
import { NodeFrame } from '../src/protocol/node/node-frames.ts'
import { NodeServerFrame } from '../src/protocol/node/server-frames.ts'
import { anchors } from './support/citations.ts'
import { DOMAINS } from './support/domains.ts'
import { ROOT } from './support/process.ts'
import { shellBlocks } from './support/tour.ts'

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8')
const protocol = read('docs/protocol.md')
const operations = read('docs/operations.md')

const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found!)

describe('docs/protocol.md', () => {
  const events = Object.keys(EVENTS)

  test('is compared with every event of the code', () => expect(events.length).toBeGreaterThan(20))
  test.each(events)('names the event %s', (event) => expect(protocol).toContain(`\`${event}\``))
  test.each(Object.values(CLOSE))('names the close code %s', (code) => {
    expect(protocol).toContain(`| ${code} |`)
  })
  test.each(ClientFrame.anyOf.map((frame) => frame.properties.type.const))(
    'shows the frame %s of a client',
    (type) => expect(protocol).toContain(`{"type":"${type}"`),
  )
  const node = [...NodeFrame.anyOf, ...NodeServerFrame.anyOf]
  test.each(node.map((frame) => frame.properties.type.const))('names the frame %s of a node', (type) => {
    expect(protocol).toContain(`| \`${type}\` |`)
  })
})

describe('docs/operations.md', () => {
  const configFiles = [...new Glob('src/config/*.ts').scanSync(ROOT)]
  const variables = new Set(
    configFiles.flatMap((file) =>
      matches(read(file), /(?:text|integer|oneOf|url|webUrl|list|required)\('([A-Z][A-Z0-9_]+)'/g),
    ),
  )
  test('is compared with every variable of the code', () => expect(variables.size).toBeGreaterThan(25))
  test.each([...variables])('explains %s', (name) => expect(operations).toContain(`\`${name}\``))
})

test.each(DOMAINS)('docs/design.md says what the domain %s is about', (domain) => {
  expect(read('docs/design.md')).toMatch(new RegExp(`^\\| .*\`${domain}/\`.*\\|`, 'm'))
})

test('the Chinese README has the commands of the English one', () => {
  const english = shellBlocks('README.md', 'Five minutes')
  expect(shellBlocks('README.zh.md', '五分钟上手')).toEqual(english)
  expect(english.length).toBeGreaterThan(5)
})

const pagesLike = (pattern: string) => [...new Glob(pattern).scanSync({ cwd: ROOT })].sort()
const PAGES = [...pagesLike('*.md'), ...pagesLike('docs/**/*.md'), ...pagesLike('clients/**/*.md')]

test('there are pages whose links are checked', () => expect(PAGES.length).toBeGreaterThan(10))
test.each(PAGES)('every page and heading that %s links to exists', (name) => {
  for (const link of matches(read(name), /\]\((?!https?:)([^)]+)\)/g)) {
    const [path, anchor] = link.split('#')
    const page = path ? join(name, '..', path) : name
    expect(existsSync(join(ROOT, page)), link).toBe(true)
    if (anchor) expect([...anchors(read(page))], link).toContain(anchor)
  }
})

const PLACES = ['', 'src', 'src/core', 'src/dashboard/app']
const isThere = (path: string) => PLACES.some((place) => existsSync(join(ROOT, place, path)))

test('documents name files and folders of the code', () => {
  const named = PAGES.flatMap((page) => codePaths(read(page)).map((path) => ({ page, path })))
  expect(named.length).toBeGreaterThan(40)
  expect(named.filter(({ path }) => !isThere(path))).toEqual([])
})

/** `core/tasks/states.ts`, `live/topics/`: paths in code spans, outside of blocks. */
function codePaths(page: string): string[] {
  return matches(page.replace(/^```.*?^```/gms, ''), /`((?:[\w-]+\/)+(?:[\w.-]+\.ts)?)`/g)
}
