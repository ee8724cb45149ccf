/** Before the first photo is processed, in milliseconds. */
const GUESS_MS = 5000
/** How much the newest photo counts. */
const WEIGHT = 0.2

/** How long this server takes to process a photo: a moving average. */
export class ProcessingTimes {
  private average: number | undefined

  add(milliseconds: number): void {
    this.average =
      this.average === undefined ? milliseconds : this.average + WEIGHT * (milliseconds - this.average)
  }

  get milliseconds(): number {
    return this.average ?? GUESS_MS
  }
}
