/** Files that take long to read: the decoder reads a local file, whichever storage it came from. */
import { afterAll, test } from 'bun:test'
import { fixture, pdf } from '../../imaging/support.ts'
import { makeUser } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import { openLive } from '../../support/sockets.ts'
import { expectThumbnail } from '../../support/thumbnails.ts'

const server = await startServer()
afterAll(() => server.stop())

/** A PDF with this many empty pages. */
const pages = (count: number) =>
  pdf([
    '<</Type/Catalog/Pages 2 0 R>>',
    `<</Type/Pages/Count ${count}/Kids[${Array.from({ length: count }, (_, i) => `${i + 3} 0 R`).join(' ')}]>>`,
    ...Array.from({ length: count }, () => '<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>'),
  ])

test.each<[name: string, file: Uint8Array, outcome: string]>([
  ['encrypted.pdf', fixture('encrypted.pdf'), 'thumbnail.failed'],
  ['5000-pages.pdf', pages(5000), 'thumbnail.completed'],
  ['400-million-pixels.pdf', fixture('picture-400m.pdf'), 'thumbnail.completed'],
])('%s is taken; its thumbnail comes, or a placeholder for it', async (name, file, outcome) => {
  const owner = await makeUser(server)
  const live = await openLive(server, owner.token)
  await expectThumbnail(server, owner, live, { name, file, outcome })
  live.close()
})
