import type { Context } from '../context.ts'
import { forgetPlaceable, tellUnplaceable, unofferedTypes } from '../tasks/placement.ts'

/** Tells owners of waiting tasks that no node has offered the type for a time, as one that restarts does not for seconds. */
export class Placement {
  /** Since when, by the monotonic clock, this server has found that no node offers a type. */
  private readonly missing = new Map<string, number>()

  constructor(
    private readonly ctx: Context,
    private readonly graceMs: number,
  ) {}

  async sweep(): Promise<void> {
    await forgetPlaceable(this.ctx)
    const types = new Set(await unofferedTypes(this.ctx))
    const now = performance.now()
    for (const type of this.missing.keys()) if (!types.has(type)) this.missing.delete(type)
    for (const type of types) if (!this.missing.has(type)) this.missing.set(type, now)
    const due = [...types].filter((type) => now - this.missing.get(type)! >= this.graceMs)
    if (due.length > 0) await tellUnplaceable(this.ctx, due)
  }
}
