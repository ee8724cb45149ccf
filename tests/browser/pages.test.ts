/** Every page, with something on it: in both languages and themes, at the width of a desk and of a phone. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { makeUser } from '../support/factories.ts'
import { go, overflows, screenshot, seriousFindings, settled, untilStatus, Visitor } from './browser.ts'
import { makeWorld, type World } from './world.ts'

const APP = join(import.meta.dir, '../../src/dashboard/app')

/** The paths of all pages, read from the source: importing it takes a browser. */
const PATHS = [
  ...new Set(
    await Promise.all(
      [...new Bun.Glob('pages/**/index.ts').scanSync(APP)].map(async (file) =>
        [...(await Bun.file(join(APP, file)).text()).matchAll(/\bpath: '(\/[^']*)'/g)].map(
          ([, path]) => path!,
        ),
      ),
    ).then((found) => found.flat().sort()),
  ),
]

/** Each page is seen in each of them by one of the two languages. */
const LOOKS: Record<'en' | 'zh', { theme: 'light' | 'dark'; width: number }[]> = {
  en: [
    { theme: 'light', width: 1280 },
    { theme: 'dark', width: 390 },
  ],
  zh: [
    { theme: 'dark', width: 1280 },
    { theme: 'light', width: 390 },
  ],
}

/** Texts that no page should show in any language: values that were not meant for people. */
const UNMEANT = /\bundefined\b|\bnull\b|\bNaN\b|\[object |Invalid Date|\$\{/

/** What people read on the page, without what is the same in each language: code, logs, and texts of their own language. */
const readable = (page: Page): Promise<string[]> =>
  page.evaluate(`(() => {
    const texts = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
      const { parentElement: parent, data } = walker.currentNode
      if (parent.closest('noscript, script, style, code, pre, .log, datalist, [lang]:not(html)')) continue
      if (data.trim()) texts.push(data.trim())
    }
    for (const element of document.querySelectorAll('[aria-label], [title], [placeholder]')) {
      if (element.closest('[lang]:not(html)')) continue
      for (const name of ['aria-label', 'title', 'placeholder']) texts.push(element.getAttribute(name) ?? '')
    }
    return texts.filter(Boolean)
  })()`)

/** A sentence or a name of the other language. Names of products and formats are the same in both. */
const foreign = (language: 'en' | 'zh', texts: string[]): string[] =>
  texts.filter((text) =>
    language === 'en' ? /[\u4e00-\u9fff]/.test(text) : /\b[a-z]{2,} [a-z]{2,}\b/i.test(text),
  )

describe.each(['en', 'zh'] as const)('in %s', (language) => {
  let world: World
  beforeAll(async () => {
    world = await makeWorld(language)
  })
  afterAll(() => world[Symbol.asyncDispose]())

  describe.each(LOOKS[language])('$theme, $width pixels wide', ({ theme, width }) => {
    let visitor: Visitor
    let page: Page
    beforeAll(async () => {
      const { server, owner: user } = world
      visitor = await Visitor.come(server, { language, theme, width, user })
      page = await visitor.open('/')
      await untilStatus(page, 'live')
    })
    afterAll(() => visitor[Symbol.asyncDispose]())

    test.each(PATHS)('%s', async (path) => {
      const address = path.replace(
        /:\w+/,
        () => world.shown[path] ?? expect.unreachable(`an example of ${path}`),
      )
      await go(page, address)
      await settled(page)
      const name = path === '/' ? 'overview' : path.slice(1).replaceAll('/:', '-').replaceAll('/', '-')
      await screenshot(page, `${name}.${language}.${theme}.${width}`)

      const heading = page.getByRole('heading', { level: 1 })
      expect(await heading.count()).toBe(1)
      expect(await page.title()).toBe(`${(await heading.textContent())!.trim()} · Roost`)
      await expectGood(page, language)
      expect(visitor.complaints).toEqual([])
    })
  })

  // Those that need no example have something to say when there is nothing yet.
  test('of an account that has nothing yet', async () => {
    const user = await makeUser(world.server)
    await using visitor = await Visitor.come(world.server, { language, width: 360, user })
    const page = await visitor.open('/')
    await untilStatus(page, 'live')
    for (const path of PATHS.filter((one) => !/:|admin/.test(one))) {
      await go(page, path)
      await settled(page)
      await expectGood(page, language)
    }
  })
})

async function expectGood(page: Page, language: 'en' | 'zh'): Promise<void> {
  const texts = await readable(page)
  expect(texts.filter((text) => UNMEANT.test(text))).toEqual([])
  expect(foreign(language, texts)).toEqual([])
  expect(await overflows(page)).toBe(false)
  // What axe finds depends on the theme and the width; English is seen in each theme and at each width.
  if (language === 'en') expect(await seriousFindings(page)).toEqual([])
}
