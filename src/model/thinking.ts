export interface Said {
  type: 'text' | 'reasoning'
  delta: string
}

const NAMES = ['think', 'thinking', 'thought', 'reasoning', 'seed:think']
const TAGS = NAMES.flatMap((name) => [`<${name}>`, `</${name}>`])
const TAG = new RegExp(`<(/?)(?:${NAMES.join('|')})>`, 'i')
const FENCE = '```'

/**
 * Separates a model's thoughts from its answer when the model writes them into the answer as `<think>…</think>` or a
 * similar tag. A tag may arrive in pieces, and the last one may never be closed. In code a tag is text.
 */
export class Thinking {
  private held = ''
  private thinks = false
  private answered = false
  private inFence = false
  private ticks = 0

  push(piece: string): Said[] {
    const said: Said[] = []
    let rest = this.held + piece
    for (let tag = TAG.exec(rest); tag; tag = TAG.exec(rest)) {
      said.push(...this.say(rest.slice(0, tag.index)))
      rest = rest.slice(tag.index + tag[0].length)
      if (this.ticks > 0 || this.inFence) said.push(...this.say(tag[0]))
      // A closing tag without an opening one changes nothing, because the text before it was sent already.
      else this.thinks = tag[1] === ''
    }
    const tail = rest.lastIndexOf('<')
    const mayBeTag = tail >= 0 && TAGS.some((tag) => tag.startsWith(rest.slice(tail).toLowerCase()))
    this.held = mayBeTag ? rest.slice(tail) : ''
    return [...said, ...this.say(mayBeTag ? rest.slice(0, tail) : rest)]
  }

  end(): Said[] {
    return this.say(this.held)
  }

  private say(text: string): Said[] {
    if (text === '') return []
    if (this.thinks) return [{ type: 'reasoning', delta: text }]
    // Empty lines between the thoughts and the answer are dropped.
    const delta = this.answered ? text : text.trimStart()
    if (delta === '') return []
    this.answered = true
    for (const char of delta) {
      this.ticks = char === '`' ? this.ticks + 1 : 0
      if (this.ticks === FENCE.length) this.inFence = !this.inFence
    }
    return [{ type: 'text', delta }]
  }
}
