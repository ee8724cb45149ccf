import { isJsonObject, type JsonObject, parseJson } from '../util/json.ts'
import { JsonScanner } from './json-scanner.ts'

export interface ObjectEvents {
  /** A complete object. Returns false when it is no message to the node; then its lines come as `text`. */
  object(value: JsonObject): boolean
  /** A line that is not part of a message. */
  text(line: string): void
  /** A message (`isMessage`) that cannot be parsed. Its lines come as `text`, too, unless it is too long. */
  spoilt(why: 'invalid' | 'incomplete' | 'too long'): void
}

/** The beginning of an object over several lines. `{epoch 3}` is a line of text. */
const BEGINNING = /^\s*\{\s*(?:$|["}])/
/** The lines that `isMessage` gets of an unfinished object. */
const TELLING_LINES = 20
/** How often lines that are no object are searched again for objects. */
const MAX_SECOND_LOOKS = 20

/**
 * Finds JSON objects in a program's lines: one to a line, several in a line, or one over many lines (`indent=2`). NaN
 * and Infinity, which Python writes, are read as null.
 */
export class ObjectFinder {
  /** The lines of an object that is not complete yet, without their indentation. */
  private lines: string[] = []
  private chars = 0
  private readonly scanner = new JsonScanner()
  /** The current object is too long, and this was reported. Its lines are only scanned. */
  private skipping = false
  /** Undefined when these lines are read for the first time. */
  private secondLooks: number | undefined

  constructor(
    private readonly maxChars: number,
    private readonly events: ObjectEvents,
    /** Whether text that is not valid JSON was meant as a message. */
    private readonly isMessage: (text: string) => boolean,
  ) {}

  line(text: string): void {
    if (this.scanner.depth > 0) return this.goOn(text)
    const value = text.trimStart().startsWith('{') ? parseLoose(text) : undefined
    if (value) this.found(value, [text])
    else if (BEGINNING.test(text) && this.mayBegin()) this.goOn(text)
    else this.refuse('invalid', [text])
  }

  end(): void {
    // Its lines are searched again, because one of them may begin another object.
    this.secondLooks ??= 0
    while (this.scanner.depth > 0) this.refuse('incomplete', this.reset())
  }

  private goOn(text: string): void {
    const end = this.scanner.line(text)
    if (end === 'broken') return this.breakOff(text)
    this.addLine(end === 'open' ? text : text.slice(0, end))
    if (end === 'open') return
    const { skipping } = this
    const lines = this.reset()
    const value = skipping ? undefined : parseLoose(lines.join('\n'))
    if (value) this.found(value, lines)
    else this.refuse('invalid', lines)
    const rest = text.slice(end)
    if (rest.trim() !== '') this.line(rest)
  }

  /** `text` is not part of an object, but may begin one. */
  private breakOff(text: string): void {
    const { skipping } = this
    const before = this.reset()
    if (skipping) this.line(text)
    else this.refuse('invalid', [...before, text])
  }

  private addLine(line: string): void {
    if (this.skipping) return
    const text = line.trim()
    this.lines.push(text)
    this.chars += text.length
    if (this.chars <= this.maxChars) return
    if (this.isMessage(this.lines.slice(0, TELLING_LINES).join('\n'))) {
      this.events.spoilt('too long')
      this.lines = []
      this.skipping = true
    } else for (const each of this.reset()) this.events.text(each)
  }

  private found(value: JsonObject, lines: string[]): void {
    if (!this.events.object(value)) for (const line of lines) this.events.text(line)
  }

  /** The first line is text, because a lone `{` may be a line of text. The others may contain objects. */
  private refuse(why: 'invalid' | 'incomplete', [first, ...others]: string[]): void {
    if (first === undefined) return
    if (this.isMessage([first, ...others.slice(0, TELLING_LINES)].join('\n'))) this.events.spoilt(why)
    this.events.text(first)
    if (others.length === 0) return
    const isOutermost = this.secondLooks === undefined
    this.secondLooks ??= 0
    for (const line of others) this.line(line)
    if (isOutermost) this.secondLooks = undefined
  }

  private mayBegin(): boolean {
    return this.secondLooks === undefined || this.secondLooks++ < MAX_SECOND_LOOKS
  }

  private reset(): string[] {
    const { lines } = this
    this.lines = []
    this.chars = 0
    this.skipping = false
    this.scanner.reset()
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
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
