const real = Date

/** Sets the wall clock of this process, which runs on from there, until it is disposed of. Timers do not change. */
export class SteppedClock implements Disposable {
  private offset = 0

  constructor() {
    const now = () => real.now() + this.offset
    globalThis.Date = new Proxy(real, {
      construct: (target, args) => (args.length === 0 ? new target(now()) : Reflect.construct(target, args)),
      apply: () => new real(now()).toString(),
      get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
    })
  }

  step(ms: number): void {
    this.offset += ms
  }

  [Symbol.dispose](): void {
    globalThis.Date = real
  }
}
