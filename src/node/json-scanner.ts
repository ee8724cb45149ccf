/** A token of JSON, or a number that JSON does not have and Python writes. A string never spans lines. */
const TOKEN = /\s+|[,:[\]{}]|"[^"\\]*(?:\\.[^"\\]*)*"|true|false|null|NaN|-?Infinity|-?\d[\d.eE+-]*/y

/** Follows an object through lines and finds at once where it ends, or that the lines are not JSON. */
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

  /** Reads a line. @returns the index after the end of the object, or whether the object is still open */
  line(text: string): number | 'open' | 'broken' {
    TOKEN.lastIndex = 0
    while (TOKEN.lastIndex < text.length) {
      const at = TOKEN.lastIndex
      if (!TOKEN.test(text) || !this.take(text[at] ?? '')) return 'broken'
      if (this.open.length === 0 && this.last === 'v') return TOKEN.lastIndex
    }
    return 'open'
  }

  /** @param first the first character of the token. @returns false when JSON does not allow the token here */
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
      // A key: a value may follow only after a colon.
      this.last = 'v'
      return first === '"'
    }
    const opens = first === '{' || first === '['
    if (opens) open.push(first)
    this.last = opens ? first : 'v'
    return true
  }
}
