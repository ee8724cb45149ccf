import type { AppError } from '../errors.ts'

/** Counts what each user does at the same time on this server. */
export class Places {
  private readonly counts = new Map<number, number>()

  constructor(
    private readonly perUser: number,
    private readonly refusal: (limit: number) => AppError,
  ) {}

  /**
   * Takes a place until the result is disposed of.
   * @throws the refusal when the user has taken all places
   */
  enter(userId: number): Disposable {
    const count = this.counts.get(userId) ?? 0
    if (count >= this.perUser) throw this.refusal(this.perUser)
    this.counts.set(userId, count + 1)
    return {
      [Symbol.dispose]: () => {
        const left = this.counts.get(userId)! - 1
        if (left > 0) this.counts.set(userId, left)
        else this.counts.delete(userId)
      },
    }
  }
}
