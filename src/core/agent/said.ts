import { StorableText } from '../../util/storable.ts'
import type { RunWriter } from './run-writer.ts'

/** What a model says in one turn, as it comes: text, and thoughts in between. */
export class Said {
  /** Of the text message that is being said; tool calls belong to it. */
  messageId = Bun.randomUUIDv7()
  /** The text, without the thoughts. */
  content = ''
  private kind: 'text' | 'reasoning' = 'text'
  private id = this.messageId
  private piece = new StorableText()

  constructor(private readonly writer: RunWriter) {}

  async add(kind: 'text' | 'reasoning', delta: string): Promise<void> {
    if (kind !== this.kind) {
      await this.end()
      this.kind = kind
      // A message that has ended does not begin again.
      this.id = Bun.randomUUIDv7()
      if (kind === 'text') this.messageId = this.id
    }
    await this.say(this.piece.push(delta))
  }

  /** Says what was held back: half a character. */
  async end(): Promise<void> {
    await this.say(this.piece.end())
    this.piece = new StorableText()
  }

  private async say(delta: string): Promise<void> {
    if (delta === '') return
    if (this.kind === 'text') this.content += delta
    await this.writer.say(this.kind, this.id, delta)
  }
}
