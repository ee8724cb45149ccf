/** After so long others have their turn. */
const SLICE_MS = 8

/** A computation has taken longer than it may. */
export class OverBudget extends Error {
  override name = 'OverBudget'
}

let last: Promise<unknown> = Promise.resolve()
/** One computation at a time between two turns of the event loop, however many there are. */
const nextTurn = () => {
  last = last.then(() => new Promise(setImmediate))
  return last
}

/** A long computation in slices, between which the process answers others. */
export class Slices {
  private since = performance.now()
  private used = 0

  /** @param budgetMs what all of them may take together */
  constructor(private readonly budgetMs: number) {}

  /**
   * Between two steps of the computation.
   * @throws OverBudget
   */
  async step(): Promise<void> {
    const ms = performance.now() - this.since
    if (ms < SLICE_MS) return
    this.used += ms
    if (this.used > this.budgetMs) throw new OverBudget(`more than ${this.budgetMs} ms`)
    await nextTurn()
    this.since = performance.now()
  }
}
