import type { ChatModel } from '../model.ts'

/** The built-in agent. It needs no language model: it recognises requests for the tools and calls them. */
export const builtinModel: ChatModel = {
  async *turn(turn) {
    // Imported with the first message, because its parser of dates costs every start 6 MB and 90 ms.
    const { takeTurn } = await import('./turn.ts')
    yield* takeTurn(turn)
  },
}
