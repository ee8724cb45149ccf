/** The blocks of README's tour, as a newcomer pastes them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './process.ts'

/** Shell blocks between two headings of a document, in their order. */
export function shellBlocks(document: string, heading: string): string[] {
  const text = readFileSync(join(ROOT, document), 'utf8')
  const from = text.indexOf(`\n## ${heading}\n`)
  if (from < 0) throw new Error(`${document} has no chapter ${heading}`)
  const chapter = text.slice(from, text.indexOf('\n## ', from + 1))
  return [...chapter.matchAll(/\n```sh\n([\s\S]*?)```/g)].map(([, block]) => block!)
}
