/**
 * `bun tests/browser/screenshots.ts`: makes the README's pictures in `docs/images/` anew, of `bun run demo`. Their pixels differ
 * from run to run, so only a change of the page is a reason for it.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { eventually, freePort, Program, ROOT, temporaryDirectory } from '../support/process.ts'
import { untilStatus, Visitor, type VisitorOptions } from './browser.ts'

const IMAGES = join(ROOT, 'docs/images')
/** By then the charts of the GPUs have something to show. */
const CHARTS_MS = 60_000

const SHOTS: (VisitorOptions & { name: string; path: string })[] = [
  { name: 'overview', path: '/' },
  { name: 'gpu', path: '/gpu', language: 'zh', theme: 'dark' },
  { name: 'photos', path: '/photos' },
  { name: 'phone', path: '/tasks', width: 390, height: 800 },
]

const place = temporaryDirectory('screenshots')
try {
  const port = freePort()
  await using demo = new Program(
    [process.execPath, '--no-env-file', 'src/demo/main.ts', join(place, 'data')],
    { PORT: String(port) },
    join(place, 'demo.log'),
  )
  demo.launch()
  await eventually(
    () => demo.output.includes('Everything is there'),
    () => demo.output,
    300_000,
  )
  const [, login, password] = /(demo@\S+) +password: (\S+)/.exec(demo.output)!
  const user = { user: { email: login! }, password: password! }
  mkdirSync(IMAGES, { recursive: true })
  await Promise.all(SHOTS.map((shot) => take({ url: `http://localhost:${port}` }, user, shot)))
  demo.signal('SIGTERM')
  await demo.exited
} finally {
  rmSync(place, { recursive: true, force: true })
}
// The browser keeps the process alive.
process.exit(0)

async function take(
  server: { url: string },
  user: Parameters<Visitor['signIn']>[0],
  { name, path, ...options }: (typeof SHOTS)[number],
): Promise<void> {
  await using visitor = await Visitor.come(server, options)
  const page = await visitor.signIn(user, path)
  await untilStatus(page, 'live')
  await Bun.sleep(CHARTS_MS)
  await page.mouse.move(0, 0)
  await sharp(await page.screenshot())
    .webp({ quality: 82 })
    .toFile(join(IMAGES, `${name}.webp`))
}
