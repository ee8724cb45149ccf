/** Reads the part of Markdown that language models write: into data, which `Markdown` shows as elements. */

export type Inline =
  | { kind: 'text' | 'code'; text: string }
  | { kind: 'strong' | 'em' | 'del'; children: Inline[] }
  | { kind: 'link'; to: string; children: Inline[] }

export type Block =
  | { kind: 'paragraph'; text: string }
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'quote'; blocks: Block[] }
  | { kind: 'list'; start: number | undefined; items: Block[][] }
  | { kind: 'rule' }
  /** Its lines, of which the first one has the titles and the second one only dashes: `rowsOf` reads them. */
  | { kind: 'table'; text: string }

/** Deeper lists and quotes are read as text. */
const MAX_DEPTH = 6

const FENCE = /^ {0,3}(`{3,}|~{3,})/
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/
const QUOTE = /^ {0,3}>\s?/
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:\s+|$)/
const TABLE_RULE = /^\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?$/

/** @param next the line below */
const beginsTable = (line: string, next = ''): boolean =>
  line.includes('|') && next.includes('|') && TABLE_RULE.test(next.trim())

/** The cells of a table's lines, without the line of dashes. */
export const rowsOf = (table: string): string[][] =>
  table
    .split('\n')
    .toSpliced(1, 1)
    .map((line) =>
      line
        .trim()
        .replace(/^\||(?<!\\)\|$/g, '')
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    )

export function blocksOf(text: string, depth = 0): Block[] {
  const lines = text.replace(/\r\n?/g, '\n').replaceAll('\t', '    ').split('\n')
  const blocks: Block[] = []
  let at = 0
  const takeWhile = (fits: (line: string) => boolean): string[] => {
    const from = at
    while (at < lines.length && fits(lines[at]!)) at++
    return lines.slice(from, at)
  }
  while (at < lines.length) {
    const line = lines[at]!
    const fence = FENCE.exec(line)?.[1]
    const heading = HEADING.exec(line)
    if (line.trim() === '') {
      at++
    } else if (fence) {
      at++
      // A fence without an end goes on to the end of the text: the rest of it may still be on its way.
      const code = takeWhile((one) => !(one.trim().startsWith(fence) && /^[`~]+$/.test(one.trim())))
      at++
      blocks.push({ kind: 'code', text: code.join('\n') })
    } else if (heading) {
      at++
      blocks.push({ kind: 'heading', level: heading[1]!.length, text: heading[2]! })
    } else if (RULE.test(line)) {
      at++
      blocks.push({ kind: 'rule' })
    } else if (QUOTE.test(line) && depth < MAX_DEPTH) {
      const quoted = takeWhile((one) => QUOTE.test(one)).map((one) => one.replace(QUOTE, ''))
      blocks.push({ kind: 'quote', blocks: blocksOf(quoted.join('\n'), depth + 1) })
    } else if (ITEM.test(line) && depth < MAX_DEPTH) {
      blocks.push(listOf(takeWhile, () => lines[at], depth))
    } else if (beginsTable(line, lines[at + 1])) {
      blocks.push({ kind: 'table', text: takeWhile((one) => one.includes('|')).join('\n') })
    } else {
      const first = at
      const goesOn = (one: string) => !beginsBlock(one) && !beginsTable(one, lines[at + 1])
      const words = takeWhile((one) => one.trim() !== '' && (at === first || goesOn(one)))
      blocks.push({ kind: 'paragraph', text: words.map((one) => one.trimStart()).join('\n') })
    }
  }
  return blocks
}

const beginsBlock = (line: string): boolean =>
  FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || RULE.test(line) || ITEM.test(line)

function listOf(
  takeWhile: (fits: (line: string) => boolean) => string[],
  next: () => string | undefined,
  depth: number,
): Block {
  const isNumbered = (line: string) => /^\s*\d/.test(line)
  const numbered = isNumbered(next()!)
  const start = numbered ? Number.parseInt(next()!, 10) : undefined
  const items: Block[][] = []
  for (;;) {
    const line = next()
    const marker = line !== undefined && !RULE.test(line) ? ITEM.exec(line) : null
    if (!marker || isNumbered(line!) !== numbered) return { kind: 'list', start, items }
    const indent = marker[1]!.length + marker[2]!.length + 1
    const isInside = (one: string) => /^ */.exec(one)![0].length >= Math.min(indent, marker[1]!.length + 2)
    let isFirst = true
    let wasEmpty = false
    const content = takeWhile((one) => {
      const goesOn = isFirst || one.trim() === '' || isInside(one) || (!wasEmpty && !beginsBlock(one))
      isFirst = false
      wasEmpty = one.trim() === ''
      return goesOn
    })
    const inner = content.map((one, n) =>
      n === 0 ? one.slice(marker[0].length) : one.replace(new RegExp(`^ {0,${indent}}`), ''),
    )
    items.push(blocksOf(inner.join('\n'), depth + 1))
  }
}

/**
 * One pattern for all that may stand in a line: escapes, code, links, addresses, strong, emphasised and deleted text. An underscore
 * within a word is no mark, because names of tasks and files have them.
 */
const INLINE = new RegExp(
  [
    /\\([\\`*_~[\](){}#+\-.!>|])/u,
    /(`+)([^`]|[^`][\s\S]{0,5000}?[^`])\2(?!`)/u,
    /\[((?:[^[\]\\]|\\.){1,500})\]\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"]*")?\s*\)/u,
    /(https?:\/\/[^\s<>"'`，。；：！？、（）【】《》“”]+)/u,
    /\*\*(?=\S)([\s\S]{0,2000}?\S\*?)\*\*/u,
    /(?<![\p{L}\p{N}_])__(?=\S)([\s\S]{0,2000}?\S)__(?![\p{L}\p{N}_])/u,
    /\*(?=[^\s*])([^*]{0,2000}?[^\s*])\*/u,
    /(?<![\p{L}\p{N}_])_(?=[^\s_])([^_]{0,2000}?[^\s_])_(?![\p{L}\p{N}_])/u,
    /~~(?=\S)([\s\S]{0,2000}?\S)~~/u,
  ]
    .map(({ source }) => source)
    .join('|'),
  'gu',
)

export function inlinesOf(text: string, depth = 0): Inline[] {
  if (depth > MAX_DEPTH) return [{ kind: 'text', text }]
  const found: Inline[] = []
  let end = 0
  const plain = (more: string) => {
    const last = found.at(-1)
    if (last?.kind === 'text') last.text += more
    else if (more) found.push({ kind: 'text', text: more })
  }
  const inner = (one: string) => inlinesOf(one, depth + 1)
  for (const match of text.matchAll(INLINE)) {
    plain(text.slice(end, match.index))
    end = match.index + match[0].length
    const [whole, escaped, , code, label, target, address, strong, strong2, em, em2, del] = match
    if (escaped !== undefined) plain(escaped)
    else if (code !== undefined) found.push({ kind: 'code', text: code.replace(/^ (.*\S.*) $/s, '$1') })
    else if (label !== undefined) {
      const to = safeUrl(target!)
      if (to) found.push({ kind: 'link', to, children: inner(label) })
      else plain(whole)
    } else if (address !== undefined) {
      // What ends a sentence does not belong to the address in it.
      const trimmed = address.replace(/[.,;:!?*_~)\]]+$/, '')
      const to = safeUrl(trimmed)
      if (to) found.push({ kind: 'link', to, children: [{ kind: 'text', text: trimmed }] })
      plain(to ? address.slice(trimmed.length) : address)
    } else if (strong ?? strong2) found.push({ kind: 'strong', children: inner((strong ?? strong2)!) })
    else if (em ?? em2) found.push({ kind: 'em', children: inner((em ?? em2)!) })
    else found.push({ kind: 'del', children: inner(del!) })
  }
  plain(text.slice(end))
  return found
}

/** A model may be told by others what to write, so a link leads to a page and nowhere else. */
function safeUrl(text: string): string | undefined {
  try {
    const url = new URL(text)
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined
  } catch {
    return undefined
  }
}
