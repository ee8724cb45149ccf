/** Builds the page of `app/` to files with hashed names, in memory. `bun src/dashboard/build.ts` prints their sizes. */
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

export interface PageFile {
  type: string
  bytes: Uint8Array
  /** Absent for files that are compressed already. */
  brotli?: Uint8Array
  gzip?: Uint8Array
}

export interface Page {
  index: PageFile
  /** By their name below `/assets/`. A name changes with the content of its file, and with that of the files it loads. */
  assets: Map<string, PageFile>
  /** Names of the scripts that the browser loads before the page shows anything. */
  firstScripts: string[]
}

const ENTRY = join(import.meta.dir, 'app/index.html')
// In other threads: together they take half a second, in which the server goes on.
const toBrotli = promisify(brotliCompress)
const toGzip = promisify(gzip)

export async function buildPage(): Promise<Page> {
  const { outputs } = await Bun.build({
    entrypoints: [ENTRY],
    target: 'browser',
    minify: true,
    splitting: true,
    publicPath: '/assets/',
    naming: { entry: '[name].[ext]', chunk: '[name]-[hash].[ext]', asset: '[name]-[hash].[ext]' },
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  const assets = new Map<string, PageFile>()
  let index: PageFile | undefined
  const files = await Promise.all(outputs.map(toFile))
  for (const [i, { path }] of outputs.entries()) {
    if (path.endsWith('.html')) index = files[i]
    else assets.set(basename(path), files[i]!)
  }
  if (!index) throw new Error(`${ENTRY} gave no page`)
  const html = new TextDecoder().decode(index.bytes)
  const firstScripts = [...html.matchAll(/src="\/assets\/([^"]+\.js)"/g)].map(([, name]) => name!)
  return { index, assets, firstScripts }
}

async function toFile(output: Bun.BuildArtifact): Promise<PageFile> {
  const bytes = new Uint8Array(await output.arrayBuffer())
  const type = output.type.replace(/; */, '; ')
  if (!/^(text\/|image\/svg|application\/(json|manifest))/.test(type)) return { type, bytes }
  const [brotli, gzip] = await Promise.all([
    toBrotli(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    toGzip(bytes, { level: 9 }),
  ])
  return { type, bytes, brotli, gzip }
}

/** Bytes of JavaScript, compressed with brotli, that the browser loads before the page shows anything. */
export const MAX_FIRST_SCRIPTS = 60_000

/** All scripts that the first ones import statically, and themselves. */
export function firstLoad(page: Page): string[] {
  const found = new Set<string>()
  const visit = (name: string) => {
    if (found.has(name)) return
    found.add(name)
    const text = new TextDecoder().decode(page.assets.get(name)!.bytes)
    for (const [, next] of text.matchAll(/(?:from|import)\s*"\/assets\/([^"]+\.js)"/g)) visit(next!)
  }
  for (const name of page.firstScripts) visit(name)
  return [...found]
}

if (import.meta.main) {
  const page = await buildPage()
  const first = new Set(firstLoad(page))
  const sizes = [...page.assets].map(([name, { bytes, brotli }]) => ({
    name,
    size: bytes.length,
    brotli: brotli?.length ?? bytes.length,
    first: first.has(name),
  }))
  for (const { name, size, brotli } of sizes.toSorted((a, b) => b.brotli - a.brotli)) {
    console.log(`${String(size).padStart(8)} ${String(brotli).padStart(7)}  ${name}`)
  }
  const total = sizes.filter((one) => one.first).reduce((sum, one) => sum + one.brotli, 0)
  console.log(
    `dashboard: ${total} bytes of JavaScript (brotli) on the first load, at most ${MAX_FIRST_SCRIPTS}`,
  )
  if (total > MAX_FIRST_SCRIPTS) process.exit(1)
}
