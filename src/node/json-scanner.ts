/** A token of JSON, or of what Python writes for numbers that JSON lacks. A string never spans lines. */
const TOKEN = /\s+|[,:[\]{}]|"[^"\\]*(?:\\.[^"\\]*)*"|true|false|null|NaN|-?Infinity|-?\d[\d.eE+-]*/y

/** Follows an object through lines, to tell at once where it ends, or that it is none. */
export class JsonScanner {
  /** The brackets that are open. */
  private open: string[] = []
  /** The last token: a bracket that opened, a separator, or `v` for a value. */
  private last = ''

  get depth(): number {
    return this.open.length
  }

  reset(): void {
    this.open = []
    this.last = ''
  }

  /** Takes a line: the index behind the object's end, or whether it is still open. */
  line(text: string): number | 'open' | 'broken' {
    TOKEN.lastIndex = 0
    while (TOKEN.lastIndex < text.length) {
      const at = TOKEN.lastIndex
      if (!TOKEN.test(text) || !this.take(text[at] ?? '')) return 'broken'
      if (this.open.length === 0 && this.last === 'v') return TOKEN.lastIndex
    }
    return 'open'
  }

  /** `first`: the token's first character. False when it can't stand here. */
  private take(first: string): boolean {
    if (/\s/.test(first)) return true
    const { last, open } = this
    const isInObject = open.at(-1) === '{'
    if (first === ',' || first === ':') {
      this.last = first
      return last === 'v' && open.length > 0 && (first === ',' || isInObject)
    }
    if (first === '}' || first === ']') {
      this.last = 'v'
      return open.pop() === (first === '}' ? '{' : '[') && (last === 'v' || last === '{' || last === '[')
    }
    if (last === 'v') return false
    if (isInObject && last !== ':') {
      // A key; what follows it is a value only behind a colon.
      this.last = 'v'
      return first === '"'
    }
    const opens = first === '{' || first === '['
    if (opens) open.push(first)
    this.last = opens ? first : 'v'
    return true
  }
}
