/** As much as a page may have to show: thousands of photos, and tasks that all change. */
import { sql } from 'drizzle-orm'
import type { BrowserContext } from 'playwright-core'
import sharp from 'sharp'
import { rgbaToThumbHash } from 'thumbhash'
import { seedTasks } from '../../bench/support/seed.ts'
import { seedPhotos } from '../../bench/support/seed-photos.ts'
import type { Context } from '../../src/core/context.ts'
import { makeTask, type TestUser } from '../support/factories.ts'
import type { TestServer } from '../support/server.ts'
import { steeredNode } from '../support/steered-node.ts'
import { landscape } from './pictures.ts'

const PICTURES = 12
const WIDTHS: Record<string, number> = { small: 150, medium: 300, large: 600 }

/** Photos without files, for which `showPictures` gives some. Each has a placeholder of its own, which costs the page most. */
export async function manyPhotos({ ctx }: { ctx: Context }, count: number): Promise<void> {
  await seedPhotos(ctx, count)
  for (let n = 0; n < PICTURES; n++) {
    const small = sharp(await landscape(n))
      .resize(48, 32)
      .ensureAlpha()
      .raw()
    const { data, info } = await small.toBuffer({ resolveWithObject: true })
    const hash = Buffer.from(rgbaToThumbHash(info.width, info.height, data)).toString('hex')
    // The last five bytes are details of the picture.
    await ctx.db.execute(sql`
      update photo_files set width = 900, height = 600,
        placeholder = encode(decode(left(${hash}, -10) || lpad(to_hex(id * 7919), 10, '0'), 'hex'), 'base64')
      where id % ${PICTURES} = ${n}`)
  }
}

/** The browser gets a few pictures in place of the thumbnails of all photos. */
export async function showPictures(context: BrowserContext): Promise<void> {
  const pictures = new Map<string, Promise<Buffer>>()
  await context.route('**/files/photos/*/thumb_*', async (route) => {
    const [, id, size] = /photos\/(\d+)\/thumb_(\w+)/.exec(route.request().url())!
    const n = Number(id) % PICTURES
    const picture = async () =>
      sharp(await landscape(n))
        .resize(WIDTHS[size!]!)
        .webp()
        .toBuffer()
    const body = await pictures.getOrInsertComputed(`${n} ${size}`, picture)
    await route.fulfill({ body, contentType: 'image/webp', headers: { 'cache-control': 'max-age=600' } })
  })
}

/** Tasks of a user, of which the newest run on one node, whose socket the caller has. */
export async function manyTasks(
  server: TestServer,
  user: TestUser,
  { ended, running }: { ended: number; running: number },
) {
  await seedTasks(server.ctx, user.user.id, ended, 0)
  const node = await steeredNode(server, { max: running })
  const leases: Awaited<ReturnType<typeof node.take>>[] = []
  for (let n = 0; n < running; n++) {
    const { uuid } = await makeTask(server, user, { title: `Running ${n}` })
    leases.push(await node.take(uuid))
  }
  let sent = 0
  return {
    /** One task after the other goes on. */
    advance() {
      const lease = leases[sent % running]!
      const progress = 1 + (Math.floor(sent++ / running) % 98)
      lease.send('progress', { progress, current_item: `step ${progress}` })
    },
    complete() {
      for (const { send } of leases) send('completed', { result: {} })
    },
    [Symbol.dispose]: node[Symbol.dispose],
  }
}
