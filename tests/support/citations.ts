/** What comments cite: pages of this repository by path and heading, never a document outside of it. */

/** The headings of a page, or undefined when the repository has no such file. */
export type HeadingsOf = (path: string) => Set<string> | undefined

/** Headings without their numbers: `## 1.2 Close codes` is cited as "Close codes". */
export function headings(page: string): Set<string> {
  const lines = page.replace(/^```.*?^```/gms, '').matchAll(/^#{1,6} +(?:\d+(?:\.\d+)*\.? +)?(.+?) *$/gm)
  return new Set([...lines].map(([, heading]) => heading!))
}

/** The anchors that GitHub gives to a page's headings; their numbers count here. */
export function anchors(page: string): Set<string> {
  const lines = page.replace(/^```.*?^```/gms, '').matchAll(/^#{1,6} +(.+?) *$/gm)
  return new Set(
    [...lines].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** A path from the repository's root (or relative to the file, up to the root), and what follows it as its chapter. */
const CITATION =
  /(?<![\w./-])(?:\.{1,2}\/)*((?:[\w.-]+\/)*[\w.-]+\.md)\b(#[\w-]+|,? (?:chapter |section )?\d[\d.]*|(?:(?:,|,? and)? "[^"]+")*)/g

/** What is wrong with the citations in a file's text, one line each. */
export function wrongCitations(text: string, headingsOf: HeadingsOf): string[] {
  // A citation may go on in the next line of its comment.
  const running = text.replace(/\n[ \t]*(?:\*(?!\/)|\/\/|--|#)?[ \t]*/g, ' ')
  const wrong = [...running.matchAll(/\bDESIGN\b[\w. ]{0,8}/g)].map(
    ([found]) => `"${found.trim()}": cite docs/design.md and a heading`,
  )
  for (const [, path, chapter] of running.matchAll(CITATION)) {
    const known = headingsOf(path!)
    if (!known) wrong.push(`${path}: the repository has no such file`)
    else if (/^#|\d$/.test(chapter!)) wrong.push(`${path}${chapter}: cite the heading, in double quotes`)
    else
      for (const [, heading] of chapter!.matchAll(/"([^"]+)"/g))
        if (!known.has(heading!)) wrong.push(`${path} has no heading "${heading}"`)
  }
  return wrong
}
