/** After this time, the event loop runs other work. */
const SLICE_MS = 8

/** A computation has taken longer than it may. */
export class OverBudget extends Error {
  override name = 'OverBudget'
}

let last: Promise<unknown> = Promise.resolve()
/** Lets one computation run at a time between two turns of the event loop, however many there are. */
const nextTurn = () => {
  last = last.then(() => new Promise(setImmediate))
  return last
}

/** A long computation in slices, between which the process does other work. */
export class Slices {
  private since = performance.now()
  private used = 0

  /** @param budgetMs the limit for all slices together */
  constructor(private readonly budgetMs: number) {}

  /**
   * Call it between two steps of the computation.
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

/** The result of a computation that yields between its steps. In between the process does other work. */
export async function inSlices<T>(computation: Generator<void, T>): Promise<T> {
  const slices = new Slices(Number.POSITIVE_INFINITY)
  for (;;) {
    const { done, value } = computation.next()
    if (done) return value
    await slices.step()
  }
}
