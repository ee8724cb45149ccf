/** The declarations of the client's own files. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const FOLDER = import.meta.dir
const ROOT = join(FOLDER, '../..')
const IMPORT = /(\bfrom ')([^']+)(';)/g
const PROTOCOL = /^(?:import|export) (?:type )?\{([^}]*)\} from '\.\.\/(protocol\/[^']+)';$/gm

export interface Declarations {
  /** The text of each file, by its name. They refer to `contracts.js` and `protocol.js`. */
  files: Map<string, string>
  /** The types of the protocol that they use: by the name of the type, the path of its file from here. */
  protocol: Map<string, string>
}

/** All that the client's index leads to. */
export function declarations(): Declarations {
  const out = mkdtempSync(join(tmpdir(), 'roost-client-'))
  try {
    const compiler = join(ROOT, 'node_modules/.bin/tsc')
    const { stdout } = Bun.spawnSync([compiler, '-p', FOLDER, '--outDir', out], { cwd: ROOT })
    // It writes the server's files that the client imports, too, and complains about those that it cannot write.
    const problems = stdout.toString().match(/^src\/client\/.*$/gm)
    if (problems) throw new Error(problems.join('\n'))
    const files = new Map<string, string>()
    const protocol = new Map<string, string>()
    const add = (name: string) => {
      if (files.has(name)) return
      const text = readFileSync(join(out, 'client', name), 'utf8')
      files.set(
        name,
        text.replace(IMPORT, (_, before, from, after) => before + toFile(from) + after),
      )
      for (const [, names, file] of text.matchAll(PROTOCOL))
        for (const type of names!
          .split(',')
          .map((one) => one.trim())
          .filter(Boolean))
          protocol.set(type, `../../src/${file}`)
      for (const [, , from] of text.matchAll(IMPORT))
        if (from!.startsWith('./')) add(from!.slice(2).replace(/\.ts$/, '.d.ts'))
    }
    add('index.d.ts')
    return { files, protocol }
  } finally {
    rmSync(out, { recursive: true })
  }
}

const toFile = (from: string) =>
  from === '#contracts'
    ? './contracts.js'
    : from.startsWith('../protocol/')
      ? './protocol.js'
      : from.replace(/\.ts$/, '.js')
