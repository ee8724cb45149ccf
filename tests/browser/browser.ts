/** Debian's Chromium without a window, driven as a person would use it. A visitor that saw an error in the console fails its test. */
import { expect } from 'bun:test'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page, type Request } from 'playwright-core'
import { PASSWORD, type TestUser } from '../support/factories.ts'
import { eventually } from '../support/process.ts'

/** Chromium with windows works too, but is slower. */
const EXECUTABLE = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium-headless-shell'
/** Screenshots of the pages; git ignores the folder. */
export const SCREENSHOTS = join(import.meta.dir, '../../screenshots')
mkdirSync(SCREENSHOTS, { recursive: true })

/** One for all files of a process. It ends when its pipe to this process does. */
let browser: Promise<Browser> | undefined
const launch = () => {
  // Tests may run as root in a container, where Chromium's sandbox cannot.
  browser ??= chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-gpu'] })
  return browser
}

export interface VisitorOptions {
  language?: 'en' | 'zh'
  theme?: 'light' | 'dark'
  width?: number
  height?: number
  /** Who is signed in from the beginning. */
  user?: TestUser
  /** Errors of the console that this test provokes. */
  expected?: RegExp
}

/** What the page keeps of a session. */
const kept = ({ user, token, refreshToken }: TestUser): string =>
  JSON.stringify({
    accessToken: token,
    refreshToken,
    expiresAt: Date.now() + 30 * 60_000,
    user: { id: user.uuid, email: user.email },
  })

/** Requests of a page without a whole answer yet. */
const unanswered = new WeakMap<Page, Set<Request>>()

/** A browser profile with its tabs. */
export class Visitor implements AsyncDisposable {
  /** What the console and the page have complained of. */
  readonly complaints: string[] = []

  private constructor(
    readonly context: BrowserContext,
    private readonly options: VisitorOptions,
  ) {}

  static async come(server: { url: string }, options: VisitorOptions = {}): Promise<Visitor> {
    const { language = 'en', theme = 'light', width = 1280, height = 800, user } = options
    const localStorage = user ? [{ name: 'roost.session', value: kept(user) }] : []
    const context = await (await launch()).newContext({
      baseURL: server.url,
      locale: language === 'zh' ? 'zh-CN' : 'en-GB',
      timezoneId: 'Asia/Shanghai',
      colorScheme: theme,
      viewport: { width, height },
      reducedMotion: 'reduce',
      storageState: { cookies: [], origins: [{ origin: server.url, localStorage }] },
    })
    context.setDefaultTimeout(20_000)
    return new Visitor(context, options)
  }

  /** A new tab, at the address of a page of the dashboard such as `/tasks`. */
  async open(path = '/'): Promise<Page> {
    const page = await this.context.newPage()
    page.on('console', (message) => {
      // A resource that fails to load: the server of the test is down, or answers with an error that the page shows.
      const isNetwork = /^Failed to load resource|WebSocket connection to/.test(message.text())
      if (message.type() === 'error' && !isNetwork) this.complain(message.text())
    })
    page.on('pageerror', (error) => this.complain(error.stack ?? error.message))
    const requests = new Set<Request>()
    unanswered.set(page, requests)
    page.on('request', (request) => requests.add(request))
    for (const end of ['requestfinished', 'requestfailed'] as const) {
      page.on(end as 'requestfinished', (request) => requests.delete(request))
    }
    await page.goto(`/#${path}`)
    return page
  }

  /** A tab in which the user is signed in, by the form. */
  async signIn(user: { user: { email: string }; password?: string }, path = '/'): Promise<Page> {
    const page = await this.open(path)
    const zh = this.options.language === 'zh'
    await page.getByLabel(zh ? '邮箱或用户名' : 'Email or username').fill(user.user.email)
    await page.getByLabel(zh ? '密码' : 'Password').fill(user.password ?? PASSWORD)
    await page.getByRole('button', { name: zh ? '登录' : 'Sign in', exact: true }).click()
    await page.locator('.shell').waitFor()
    return page
  }

  private complain(text: string): void {
    if (!this.options.expected?.test(text)) this.complaints.push(text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close()
    expect(this.complaints).toEqual([])
  }
}

/** Waits until the connection light of the page says so. */
export const untilStatus = (page: Page, status: string, timeout = 20_000) =>
  page.locator(`.light[data-status="${status}"]`).waitFor({ timeout })

/** Waits until the page knows who is signed in, and so what they may do. */
export const untilKnown = (page: Page) => page.getByTitle(/^(Available balance|可用余额)$/).waitFor()

/** Goes to another page of the dashboard, such as `/tasks`. The older one is not shown any more when this resolves. */
export const go = (page: Page, path: string): Promise<void> =>
  page.evaluate(`new Promise((done) => {
    const to = ${JSON.stringify(`#${path}`)}
    if (location.hash === to) return done()
    // Handlers run in the order in which they were added: the page has handled the change before.
    addEventListener('hashchange', () => done(), { once: true })
    location.hash = to
  })`)

/** Waits until the data of the page is there, and nothing more is asked for. */
export async function settled(page: Page): Promise<void> {
  const requests = unanswered.get(page)!
  const busy = page.locator('#content [aria-busy="true"]')
  await page.locator('#content h1').waitFor()
  await eventually(
    async () => {
      if (requests.size > 0) return false
      // Preact runs effects after the next frame.
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))')
      return requests.size === 0 && (await busy.count()) === 0
    },
    () => `the data of the page; unanswered: ${[...requests].map((request) => request.url())}`,
  )
}

export const screenshot = (page: Page, name: string) =>
  page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) })

/** Files of a person's desk, let go over the middle of the page. */
export async function drop(page: Page, files: readonly string[]): Promise<void> {
  const { width, height } = page.viewportSize()!
  const devtools = await page.context().newCDPSession(page)
  const at = { x: width / 2, y: height / 2, data: { items: [], files: [...files], dragOperationsMask: 1 } }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await devtools.send('Input.dispatchDragEvent', { type, ...at })
  }
  await devtools.detach()
}

interface Violation {
  id: string
  impact: string
  help: string
  nodes: { html: string; target: string[] }[]
}

/** What axe-core finds that keeps people out: its impacts `serious` and `critical`. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const violations = (await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  )) as Violation[]
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`))
}

/** Whether the page scrolls sideways, which it must not at any width. */
export const overflows = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth + 1')
