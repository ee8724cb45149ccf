import { StorableText } from '../../util/storable.ts'
import type { RunWriter } from './run-writer.ts'

/** Writes the text and thoughts of one turn of the model as they arrive. */
export class TurnWriter {
  /** The id of the text message, which is the parent of the turn's tool calls. */
  messageId = Bun.randomUUIDv7()
  /** The text of the turn, without the thoughts. */
  content = ''
  private kind: 'text' | 'reasoning' = 'text'
  private id = this.messageId
  private piece = new StorableText()

  constructor(private readonly writer: RunWriter) {}

  async add(kind: 'text' | 'reasoning', delta: string): Promise<void> {
    if (kind !== this.kind) {
      await this.end()
      this.kind = kind
      // A message that has ended cannot be continued, so the next text is a new message.
      this.id = Bun.randomUUIDv7()
      if (kind === 'text') this.messageId = this.id
    }
    await this.say(this.piece.push(delta))
  }

  /** Writes half a character that was held back until its other half arrives. */
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
