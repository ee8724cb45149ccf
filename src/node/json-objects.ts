import { parseJson } from '../util/json.ts'

export type JsonObject = Record<string, unknown>

export interface ObjectEvents {
  /** A whole object, as parsed. False when it is none of ours: then its lines come as `text`. */
  object(value: JsonObject): boolean
  /** A line that belongs to no object of ours. */
  text(line: string): void
  /** Something of ours (`isOurs`) that can't be read. Its lines come as `text` too, unless it is too long. */
  spoilt(why: 'invalid' | 'incomplete' | 'too long'): void
}

/** An object over several lines begins so; `{epoch 3}` is a line of text. */
const BEGINNING = /^\s*\{\s*(?:$|["}])/
/** A token of JSON, or of what Python writes for numbers that JSON lacks. A string never spans lines. */
const TOKEN = /[\s,:]+|[[\]{}]|"[^"\\]*(?:\\.[^"\\]*)*"|true|false|null|NaN|-?Infinity|-?\d[\d.eE+-]*/y
/** Lines by whose text `isOurs` tells what an unfinished object is. */
const TELLING_LINES = 20

/**
 * Finds JSON objects in a program's lines: one to a line, several in a line, or one over many lines (`indent=2`). NaN
 * and Infinity, which Python writes, are read as null.
 */
export class ObjectFinder {
  /** Lines of an object that is not complete yet, without their indentation. */
  private lines: string[] = []
  private chars = 0
  private depth = 0
  /** The present object is too long and said so; its lines are only counted. */
  private skipping = false

  constructor(
    private readonly maxChars: number,
    private readonly events: ObjectEvents,
    /** Whether text that is no valid JSON was meant as an object of ours. */
    private readonly isOurs: (text: string) => boolean,
  ) {}

  line(text: string): void {
    if (this.depth > 0) return this.goOn(text)
    const value = text.trimStart().startsWith('{') ? parseLoose(text) : undefined
    if (value) this.found(value, [text])
    else if (BEGINNING.test(text)) this.goOn(text)
    else this.refuse('invalid', [text])
  }

  end(): void {
    if (this.depth > 0) this.refuse('incomplete', this.reset())
  }

  private goOn(text: string): void {
    const first = this.depth === 0
    const end = this.scan(text)
    if (end === 'broken') {
      const before = this.reset()
      if (first) return this.refuse('invalid', [text])
      this.refuse('invalid', before)
      return this.line(text)
    }
    this.keep(end === 'open' ? text : text.slice(0, end))
    if (end === 'open') return
    const { skipping } = this
    const lines = this.reset()
    const value = skipping ? undefined : parseLoose(lines.join('\n'))
    if (value) this.found(value, lines)
    else this.refuse('invalid', lines)
    const rest = text.slice(end)
    if (rest.trim() !== '') this.line(rest)
  }

  /** Where the object ends in this line. */
  private scan(text: string): number | 'open' | 'broken' {
    TOKEN.lastIndex = 0
    while (TOKEN.lastIndex < text.length) {
      const at = TOKEN.lastIndex
      if (!TOKEN.test(text)) return 'broken'
      const first = text[at]
      if (first === '{' || first === '[') this.depth++
      if ((first === '}' || first === ']') && --this.depth === 0) return TOKEN.lastIndex
    }
    return 'open'
  }

  private keep(line: string): void {
    if (this.skipping) return
    const text = line.trim()
    this.lines.push(text)
    this.chars += text.length
    if (this.chars <= this.maxChars) return
    const { lines } = this
    if (this.isOurs(lines.slice(0, TELLING_LINES).join('\n'))) {
      this.events.spoilt('too long')
      this.lines = []
      this.skipping = true
    } else {
      this.reset()
      for (const each of lines) this.events.text(each)
    }
  }

  private found(value: JsonObject, lines: string[]): void {
    if (!this.events.object(value)) for (const line of lines) this.events.text(line)
  }

  private refuse(why: 'invalid' | 'incomplete', lines: string[]): void {
    if (this.isOurs(lines.slice(0, TELLING_LINES).join('\n'))) this.events.spoilt(why)
    for (const line of lines) this.events.text(line)
  }

  private reset(): string[] {
    const { lines } = this
    this.lines = []
    this.chars = 0
    this.depth = 0
    this.skipping = false
    return lines
  }
}

const NO_NUMBERS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?Infinity|NaN/g

function parseLoose(text: string): JsonObject | undefined {
  return parsed(text) ?? parsed(text.replace(NO_NUMBERS, (found) => (found[0] === '"' ? found : 'null')))
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value = parseJson(text, 'null')
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined
  } catch {
    return undefined
  }
}
