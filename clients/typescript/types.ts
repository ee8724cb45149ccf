/** Types of the server, written out so that they need no other file. */
import { join } from 'node:path'
import { API, NodeBuilderFlags } from 'typescript/unstable/async'

const ROOT = join(import.meta.dir, '../..')
const CONFIG = join(ROOT, 'clients/typescript/virtual.tsconfig.json')
const SOURCE = join(ROOT, 'clients/typescript/virtual.ts')

/**
 * `Plain` is the type itself. `Tree` is a tree of routes whose fields with a default are optional, and whose answers are
 * those of success alone, because all errors have the form of the contract. The compiler writes what a condition of types
 * results in, and refers to other types by name; therefore all of these are conditions.
 */
const HELPERS = `
type Plain<T> = T extends Response ? T : T extends object ? { [K in keyof T]: Plain<T[K]> } : T
type Success<T> = T extends object ? { [K in keyof T as K extends 422 ? never : K]: Plain<T[K]> } : never
type Fields<T, Path> = Path extends keyof Defaults
  ? Plain<Omit<T, Defaults[Path]> & Partial<Pick<T, Defaults[Path] & keyof T>>>
  : Plain<T>
type Route = { body: unknown; params: unknown; query: unknown; headers: unknown; response: unknown }
type Tree<R, Path extends string> = R extends Route
  ? { [K in keyof R]: K extends 'response' ? Success<R[K]> : Fields<R[K], \`\${Path}/\${K & string}\`> }
  : R extends object
    ? { [K in keyof R]: Tree<R[K], \`\${Path}/\${K & string}\`> }
    : never
`

/**
 * @param imports where the types come from; paths are those of this folder
 * @param defaults the type of `defaultsType()`
 * @param types by name; they may use `Plain` and `Tree`
 * @returns each type as text
 */
export async function writeTypes(
  imports: string[],
  defaults: string,
  types: Record<string, string>,
): Promise<Record<string, string>> {
  const files: Record<string, string> = {
    [CONFIG]: JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { noUnusedLocals: false },
      include: [],
      files: [SOURCE],
    }),
    [SOURCE]: [
      ...imports,
      `type Defaults = ${defaults}`,
      HELPERS,
      ...Object.entries(types).map(([name, type]) => `export type ${name} = ${type}`),
    ].join('\n'),
  }
  const compiler = new API({
    cwd: ROOT,
    fs: {
      readFile: (path) => files[path],
      fileExists: (path) => (path in files ? true : undefined),
    },
  })
  try {
    const project = (await compiler.updateSnapshot({ openProjects: [CONFIG] })).getProject(CONFIG)!
    const { checker, program } = project
    const problems = await program.getSemanticDiagnostics(SOURCE)
    if (problems.length > 0) throw new Error(problems.map(({ text }) => text).join('\n'))
    const module = await checker.getSymbolAtLocation((await program.getSourceFile(SOURCE))!)
    const written: Record<string, string> = {}
    for (const symbol of await checker.getExportsOfModule(module!)) {
      const type = await checker.getDeclaredTypeOfSymbol(symbol)
      const text = await checker.typeToString(
        type,
        undefined,
        NodeBuilderFlags.NoTruncation |
          NodeBuilderFlags.MultilineObjectLiterals |
          NodeBuilderFlags.InTypeAlias,
      )
      written[symbol.name] = text.replace(/^( {4})+/gm, (spaces) => '\t'.repeat(spaces.length / 4))
    }
    return written
  } finally {
    await compiler.close()
  }
}
