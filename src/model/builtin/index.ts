import type { ChatModel } from '../model.ts'

/** Answers without a model: it understands requests for what Roost can do, and calls the same tools. */
export const builtinModel: ChatModel = {
  async *turn(turn) {
    // Imported with the first message, because its parser of dates costs every start 6 MB and 90 ms.
    const { takeTurn } = await import('./turn.ts')
    yield* takeTurn(turn)
  },
}
